/** A picture whose bytes come from anywhere: only three formats are opened, and nothing is decoded before its size is known. */
import type { Metadata, Sharp } from 'sharp'
import { FormatError } from '../errors.ts'
import { otherBinaryKind } from '../file-kind.ts'

/** Of one picture: at 16 bits with transparency, all its pixels take 320 MB. */
export const mostPixels = 40e6
/** Of one side, as in a JPEG: libvips takes many rows at once, and rows of millions of pixels took a gigabyte. */
export const longestSide = 65_535

type PictureKind = 'png' | 'jpeg' | 'webp'

/** What the first bytes of a file say that it is: of other formats that sharp knows, SVG reads other files, and PDF runs programs. */
function kindOf(bytes: Uint8Array): PictureKind | undefined {
  const head = Buffer.from(bytes.subarray(0, 12)).toString('latin1')
  if (head.startsWith('\x89PNG\r\n\x1a\n')) return 'png'
  if (head.startsWith('\xff\xd8\xff')) return 'jpeg'
  return head.startsWith('RIFF') && head.endsWith('WEBP') ? 'webp' : undefined
}

export interface ForeignPicture {
  readonly kind: PictureKind
  readonly metadata: Metadata
  /** Not decoded yet; what is broken it complains of then. Of several frames, the first. */
  readonly image: Sharp
}

/**
 * @param where names the picture in errors
 * @throws {FormatError} no PNG, JPEG or WebP by its content, of more than {@link mostPixels} or with a side beyond {@link longestSide}, or broken at its beginning
 */
export async function openPicture(bytes: Uint8Array, where: string): Promise<ForeignPicture> {
  const refuse = (received: string, remedy: string, cause?: unknown) =>
    new FormatError({ where, expected: 'a PNG, JPEG or WebP image', received, remedy, cause })
  const kind = kindOf(bytes)
  if (kind === undefined) {
    const other = otherBinaryKind(bytes.subarray(0, 512))
    throw refuse(other?.received ?? 'something else', other?.remedy ?? 'convert it')
  }
  // When it is needed: it takes a while to load.
  const { default: sharp } = await import('sharp')
  const metadata = await sharp(bytes, { limitInputPixels: false })
    .metadata()
    .catch((cause: Error) => {
      throw refuse(`a broken one (${cause.message.split('\n')[0].trim()})`, 'save it again', cause)
    })
  const { width, height } = metadata
  if (width * height > mostPixels || Math.max(width, height) > longestSide) {
    const bounds = `${mostPixels / 1e6} million pixels and ${longestSide} a side at most`
    throw refuse(`${width} × ${height} pixels`, `bring one of ${bounds}`)
  }
  return { kind, metadata, image: sharp(bytes, { limitInputPixels: mostPixels, failOn: 'error' }) }
}
