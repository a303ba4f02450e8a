/** A picture as a model is trained on it. */
import { readFile } from 'node:fs/promises'
import { FormatError } from '../errors.ts'
import { kindOnDisk } from '../file-kind.ts'
import type { Random } from '../random.ts'
import { openPicture } from './foreign-picture.ts'
import type { Picture } from './png.ts'

export interface Cropping {
  /** Of the result, pixels. */
  readonly width: number
  readonly height: number
  /** The middle is cut out, not a random part. */
  readonly centerCrop: boolean
  /** Half of the pictures are mirrored. */
  readonly randomFlip: boolean
}

/** Of what is cut out from: a very narrow picture would take all memory. */
const mostResized = 200e6

/**
 * Reads an image as diffusers' text-to-image examples do: resized until it just covers what is wanted (of a square: the
 * shorter side is its side; Lanczos, or where that makes it larger, libvips' cubic kernel), that is cut out, and perhaps mirrored. EXIF orientation is applied;
 * transparency becomes white; grey, CMYK and 16 bits become sRGB of 8 bits. Of an animation, the first frame.
 *
 * @param stream where the crop and the flip come from, and nothing else; the crop is the same with and without flips
 * @throws {FormatError} it is missing, broken, larger than any that is opened, or no PNG, JPEG or WebP
 */
export async function readCroppedPicture(file: string, cropping: Cropping, stream: Random): Promise<Picture> {
  const { centerCrop, randomFlip } = cropping
  const mirrored = stream.uniform() < 0.5 && randomFlip
  const place = (room: number) => Math.floor((centerCrop ? 0.5 : stream.uniform()) * (room + 1))
  try {
    // From memory: sharp remembers what it has read from a path, even when the file has changed since.
    const { image, metadata } = await openPicture(await readFile(file), file)
    const size = metadata.autoOrient
    const scale = Math.max(cropping.width / size.width, cropping.height / size.height)
    const width = Math.max(cropping.width, Math.floor(size.width * scale))
    const height = Math.max(cropping.height, Math.floor(size.height * scale))
    if (width * height > mostResized) {
      throw new FormatError({
        where: file,
        expected: 'an image that is less narrow',
        received: `${size.width} × ${size.height} pixels`,
        remedy: 'crop it, or take it out of the list',
      })
    }
    const left = place(width - cropping.width)
    const bytes = await image
      .autoOrient()
      .flatten({ background: 'white' })
      .resize({ width, height, fit: 'fill', kernel: 'lanczos3', fastShrinkOnLoad: false })
      .flop(mirrored)
      // The mirror comes first, so that the part that is cut out lies on the other side.
      .extract({
        left: mirrored ? width - cropping.width - left : left,
        top: place(height - cropping.height),
        width: cropping.width,
        height: cropping.height,
      })
      .toColourspace('srgb')
      .raw()
      .toBuffer()
    return { bytes: new Uint8Array(bytes), width: cropping.width, height: cropping.height }
  } catch (cause) {
    if (cause instanceof FormatError) throw cause
    const [received] = (cause as Error).message.split('\n')
    const remedy = 'restore the file, or take it out of the list'
    throw new FormatError({ where: file, expected: 'a readable image', received, remedy, ...kindOnDisk(file), cause })
  }
}
