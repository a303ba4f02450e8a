/** A picture that a person brings: looked at closely, since its bytes come from anywhere. */
import { FormatError } from '../../errors.ts'
import { otherBinaryKind } from '../../file-kind.ts'

export const ownPictureLimits = { bytes: 32 * 2 ** 20, pixels: 40e6 } as const

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

/** What the first bytes of a file say that it is. */
function typeOf(bytes: Uint8Array): 'png' | 'jpeg' | 'webp' | undefined {
  const head = Buffer.from(bytes.subarray(0, 12)).toString('latin1')
  if (head.startsWith('\x89PNG\r\n\x1a\n')) return 'png'
  if (head.startsWith('\xff\xd8\xff')) return 'jpeg'
  return head.startsWith('RIFF') && head.endsWith('WEBP') ? 'webp' : undefined
}

/**
 * The picture as a PNG without anything else in it: upright, opaque on white, sRGB of 8 bits, the first of several
 * frames, and without what a camera notes, such as the place. A PNG that is all that already stays as it is.
 *
 * @param where names the picture in errors
 * @throws {FormatError} no PNG, JPEG or WebP by its content, larger than {@link ownPictureLimits}, or broken
 */
export async function ownPicture(bytes: Uint8Array, where: string): Promise<Uint8Array> {
  const refuse = (received: string, remedy: string, cause?: unknown) =>
    new FormatError({ where, expected, received, remedy, cause })
  const type = typeOf(bytes)
  if (type === undefined) {
    const { received, remedy } = otherBinaryKind(bytes.subarray(0, 512)) ?? {
      received: 'something else',
      remedy: 'convert it',
    }
    throw refuse(received, remedy)
  }
  expectSize(bytes.length, where)
  const { default: sharp } = await import('sharp')
  try {
    const { width, height, depth, space, hasAlpha, orientation, exif, xmp, iptc, icc, comments } = await sharp(bytes, {
      limitInputPixels: false,
    }).metadata()
    if (width * height > ownPictureLimits.pixels) {
      throw refuse(
        `${width} × ${height} pixels`,
        `bring one of ${ownPictureLimits.pixels / 1e6} million pixels at most`,
      )
    }
    const extras = [exif, xmp, iptc, icc, orientation].some((extra) => extra !== undefined) || comments !== undefined
    // Frames of a PNG that moves, of which sharp says nothing.
    const isMoving = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).includes('acTL')
    const isPlain = type === 'png' && depth === 'uchar' && space === 'srgb' && !hasAlpha && !extras && !isMoving
    // Also of a plain one: the whole file has to be there.
    const png = await sharp(bytes, { failOn: 'error' })
      .autoOrient()
      .flatten({ background: 'white' })
      .toColourspace('srgb')
      .png({ compressionLevel: 6 })
      .toBuffer()
    return isPlain ? bytes : png
  } catch (cause) {
    if (cause instanceof FormatError) throw cause
    throw refuse(`a broken one (${(cause as Error).message.split('\n')[0].trim()})`, 'save it again', cause)
  }
}
