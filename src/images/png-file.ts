/** The file of an image in a run folder. It is a PNG; what else lies under its name is not read as an image, nor given out. */
import { readFileSync } from 'node:fs'
import { crc32 } from 'node:zlib'
import { FileError, FormatError } from '../errors.ts'
import { otherFileKind } from '../file-kind.ts'
import { longestSide, mostPixels } from './foreign-picture.ts'

const signature = '89504e470d0a1a0a'

/**
 * The bytes of a PNG file, all of which belong to its chunks.
 *
 * @param where names the image in errors
 * @throws {FileError} it is not there or cannot be read
 * @throws {FormatError} no PNG by its content, or one that is damaged or too large
 */
export function readPngFile(file: string, where = file): Uint8Array<ArrayBuffer> {
  let bytes: Buffer<ArrayBuffer>
  try {
    bytes = readFileSync(file)
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException
    throw new FileError({
      where,
      expected: 'a readable image in the folder that it was drawn into',
      received: code === 'ENOENT' ? 'no such file' : message,
      remedy: 'restore the folder, or import its images from where they are now',
      cause,
    })
  }
  const fault = pngFault(bytes)
  if (fault === undefined) return new Uint8Array(bytes)
  throw new FormatError({
    where,
    expected: 'a readable image: a PNG file',
    received: fault,
    remedy: 'draw the images again, or restore the file',
    ...otherFileKind(bytes.subarray(0, 512)),
  })
}

/** What is wrong with a PNG file, if anything: its signature, its size, its chunks with their checksums, nothing behind the last one. */
export function pngFault(bytes: Buffer): string | undefined {
  if (bytes.toString('hex', 0, 8) !== signature) return 'a file of another kind'
  let name = ''
  let place = 8
  while (name !== 'IEND') {
    if (place + 12 > bytes.length) return `one that ends after ${bytes.length} bytes`
    const length = bytes.readUInt32BE(place)
    const end = place + 12 + length
    if (end > bytes.length) return `one that ends after ${bytes.length} bytes`
    name = bytes.toString('latin1', place + 4, place + 8)
    if (place === 8 && (name !== 'IHDR' || length !== 13)) return 'one without a header'
    if (place === 8) {
      const [width, height] = [bytes.readUInt32BE(16), bytes.readUInt32BE(20)]
      if (width * height > mostPixels) return `${width} × ${height} pixels, more than ${mostPixels / 1e6} million`
      if (Math.max(width, height) > longestSide) return `${width} × ${height} pixels, more than ${longestSide} a side`
    }
    if (crc32(bytes.subarray(place + 4, end - 4)) !== bytes.readUInt32BE(end - 4)) return `one whose ${name} is damaged`
    place = end
  }
  return place === bytes.length ? undefined : `one with ${bytes.length - place} more bytes behind it`
}
