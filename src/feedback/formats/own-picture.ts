/** A picture that a person brings: looked at closely, since its bytes come from anywhere. */
import { FormatError } from '../../errors.ts'
import { mostPixels, openPicture } from '../../images/foreign-picture.ts'

export const ownPictureLimits = { bytes: 32 * 2 ** 20, pixels: mostPixels } as const

const expected = 'a PNG, JPEG or WebP image'

/** @throws {FormatError} larger than {@link ownPictureLimits}; a file need not be read for that */
export function expectSize(bytes: number, where: string): void {
  if (bytes <= ownPictureLimits.bytes) return
  throw new FormatError({
    where,
    expected,
    received: `${(bytes / 2 ** 20).toFixed(1)} MiB`,
    remedy: `bring one of ${ownPictureLimits.bytes / 2 ** 20} MiB at most`,
  })
}

/**
 * The picture as a PNG without anything else in it: upright, opaque on white, sRGB of 8 bits, the first of several
 * frames, and without what a camera notes, such as the place. A PNG that is all that already stays as it is.
 *
 * @param where names the picture in errors
 * @throws {FormatError} no PNG, JPEG or WebP by its content, larger than {@link ownPictureLimits}, or broken
 */
export async function ownPicture(bytes: Uint8Array, where: string): Promise<Uint8Array> {
  expectSize(bytes.length, where)
  const { kind, metadata, image } = await openPicture(bytes, where)
  const { depth, space, hasAlpha, orientation, exif, xmp, iptc, icc, comments } = metadata
  try {
    const extras = [exif, xmp, iptc, icc, orientation].some((extra) => extra !== undefined) || comments !== undefined
    // Frames of a PNG that moves, of which sharp says nothing.
    const isMoving = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).includes('acTL')
    const isPlain = kind === 'png' && depth === 'uchar' && space === 'srgb' && !hasAlpha && !extras && !isMoving
    // Also of a plain one: the whole file has to be there.
    const png = await image
      .autoOrient()
      .flatten({ background: 'white' })
      .toColourspace('srgb')
      .png({ compressionLevel: 6 })
      .toBuffer()
    return isPlain ? bytes : png
  } catch (cause) {
    const received = `a broken one (${(cause as Error).message.split('\n')[0].trim()})`
    throw new FormatError({ where, expected, received, remedy: 'save it again', cause })
  }
}
