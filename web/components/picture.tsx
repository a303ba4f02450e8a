import type { ImageRef } from '../../src/studio/schemas/basics.ts'
import { client } from '../api.ts'

/** Up to so many pixels a side an image is drawn with hard edges: smoothing would invent what is not there. */
const small = 96
const sizes = [64, 128, 256, 512, 1024] as const
type Size = (typeof sizes)[number]

export const isSmall = ({ width, height }: ImageRef): boolean => Math.max(width, height) <= small

/** The address of an image for a place of `shown` CSS pixels. */
export function pictureUrl(image: ImageRef, shown: Size): string {
  if (isSmall(image)) return client.imageUrl(image.id)
  const wanted = shown * Math.min(2, globalThis.devicePixelRatio || 1)
  return client.imageUrl(image.id, sizes.find((size) => size >= wanted) ?? 1024)
}

export function Picture({ image, shown, alt }: { image: ImageRef; shown: Size; alt: string }) {
  return (
    <img
      className={isSmall(image) ? 'picture pixelated' : 'picture'}
      src={pictureUrl(image, shown)}
      width={image.width}
      height={image.height}
      alt={alt}
      decoding="async"
      draggable={false}
    />
  )
}
