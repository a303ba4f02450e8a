/** Pictures as the page embeds them. */
import sharp from 'sharp'
import { encodePng, type Picture } from '../../images/png.ts'

/** An image file inside the page. */
export interface Thumbnail {
  readonly bytes: Uint8Array
  readonly mediaType: 'image/png' | 'image/webp'
  /** Of the file, pixels. */
  readonly width: number
  readonly height: number
}

/** Up to this many pixels wide and high, a picture is embedded as it is and shown with its pixels crisp. */
const largestCrisp = 96
/** Side of the square that larger pictures are scaled into; shown at about half of it, so sharp on dense screens too. */
const side = 256
/** 20 KiB or so for a photograph: a page with 256 of them stays below 10 MB. */
const quality = 80

export const isCrisp = ({ width, height }: Pick<Picture, 'width' | 'height'>): boolean =>
  Math.max(width, height) <= largestCrisp

/** Small pictures as PNG, without loss; larger ones as WebP of at most 256 x 256 pixels. */
export async function thumbnailOf(picture: Picture): Promise<Thumbnail> {
  const { bytes, width, height } = picture
  if (isCrisp(picture)) return { bytes: await encodePng(picture), mediaType: 'image/png', width, height }
  const { data, info } = await sharp(bytes, { raw: { width, height, channels: 3 } })
    .resize(side, side, { fit: 'inside', withoutEnlargement: true })
    .webp({ quality })
    .toBuffer({ resolveWithObject: true })
  return { bytes: data, mediaType: 'image/webp', width: info.width, height: info.height }
}
