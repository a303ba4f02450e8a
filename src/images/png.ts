/** Pixels in tensors, bytes in memory, PNG on disk. */
import sharp from 'sharp'
import { FileError, FormatError } from '../errors.ts'
import { kindOnDisk } from '../file-kind.ts'
import { tensor } from '../tensor/create.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { readPngFile } from './png-file.ts'

/** One image: RGB, row by row. */
export interface Picture {
  readonly bytes: Uint8Array
  readonly width: number
  readonly height: number
}

/** Pixels [B, 3, H, W] in [-1, 1], rounded to bytes. */
export function picturesOf(pixels: Tensor): Picture[] {
  const [batch, , height, width] = pixels.shape
  const bytes = new Uint8Array(
    pixels.clamp(-1, 1).add(1).mul(127.5).add(0.5).clamp(0, 255).to('uint8').permute(0, 2, 3, 1).contiguous().toBytes(),
  )
  const size = height * width * 3
  return Array.from({ length: batch }, (_, i) => ({ bytes: bytes.slice(i * size, (i + 1) * size), width, height }))
}

/** Pictures of one size → pixels [B, 3, H, W] in [-1, 1]. */
export function pixelsOf(pictures: readonly Picture[]): Tensor {
  const [{ width, height }] = pictures
  const size = width * height * 3
  const joined = new Uint8Array(pictures.length * size)
  pictures.forEach(({ bytes }, i) => joined.set(bytes, i * size))
  return tensor(joined, [pictures.length, height, width, 3])
    .permute(0, 3, 1, 2)
    .to('float32')
    .div(127.5)
    .sub(1)
    .contiguous()
}

/** PNG of a picture. */
export function encodePng({ bytes, width, height }: Picture): Promise<Buffer> {
  return sharp(bytes, { raw: { width, height, channels: 3 } })
    .png({ compressionLevel: 6 })
    .toBuffer()
}

/**
 * Reads an image of a run.
 *
 * @throws {FormatError} not there, or not a PNG file that can be read
 */
export async function readPicture(file: string): Promise<Picture> {
  try {
    const { data, info } = await sharp(readPngFile(file))
      .removeAlpha()
      .toColourspace('srgb')
      .raw()
      .toBuffer({ resolveWithObject: true })
    return { bytes: new Uint8Array(data), width: info.width, height: info.height }
  } catch (cause) {
    const fallback = { expected: 'a readable image', remedy: 'draw the images again, or restore the file' }
    const told = cause instanceof FormatError ? { expected: cause.expected, remedy: cause.remedy } : fallback
    const isOurs = cause instanceof FormatError || cause instanceof FileError
    const [received] = (isOurs ? cause.received : (cause as Error).message).split('\n')
    throw new FormatError({ where: file, received, ...told, ...kindOnDisk(file), cause })
  }
}
