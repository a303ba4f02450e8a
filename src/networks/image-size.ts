/** The size of images as a config states it. */
import { ConfigError } from '../errors.ts'
import type { ImageSize } from './generative-model.ts'

/** No checkpoint draws images of this size, and no memory holds them. */
export const mostSide = 16_384

/** @param resolution a side, or 768x512 @returns null for the model's own size @throws {ConfigError} */
export function imageSizeOf(resolution: string | number | null): ImageSize | null {
  if (resolution === null) return null
  const [width, height = width] = String(resolution).split(/[x×]/i).map(Number)
  if (Math.max(width, height) <= mostSide) return { width, height }
  throw new ConfigError({
    where: '--resolution',
    expected: `sides of at most ${mostSide} pixels`,
    received: String(resolution),
    remedy: 'choose smaller ones',
  })
}
