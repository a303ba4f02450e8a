/** Many image files at once. */
import { FormatError } from '../errors.ts'
import { readPicture, type Picture } from './png.ts'

const atOnce = 64

/**
 * Reads images of one size, in the order given.
 *
 * @throws {FormatError} names the file that cannot be read, or that has another size than the first
 */
export async function readPictures(files: readonly string[]): Promise<Picture[]> {
  const pictures: Picture[] = []
  for (let from = 0; from < files.length; from += atOnce) {
    pictures.push(...(await Promise.all(files.slice(from, from + atOnce).map(readPicture))))
  }
  const [first] = pictures
  const odd = pictures.findIndex(({ width, height }) => width !== first.width || height !== first.height)
  if (odd < 0) return pictures
  throw new FormatError({
    where: files[odd],
    expected: `${first.width} × ${first.height} pixels, as ${files[0]}`,
    received: `${pictures[odd].width} × ${pictures[odd].height}`,
    remedy: 'use images of one model only',
  })
}
