/** A CLIP-like pair of encoders (Radford et al. 2021): images and texts as unit vectors of one space. */
import { cat } from '../../tensor/create.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { encodeImage } from './image-encoder.ts'
import { encodeText, type TextEncoderSize } from './text-encoder.ts'
import type { Weights } from '../weights.ts'

export const embeddingWidth = 256
const imageWidth = 96

function unit(x: Tensor): Tensor {
  return x.mul(x.square().sum(-1, true).add(1e-12).rsqrt())
}

/** @param pixels [B, 3, H, W] in [-1, 1] → unit vectors [B, 256] */
export function imageEmbedding(weights: Weights, pixels: Tensor): Tensor {
  const tokens = encodeImage(weights.at('image'), pixels, imageWidth)
  const pooled = cat([tokens.mean(1), tokens.amax(1)], 1)
  return unit(weights.linear('imageProjection', pooled, 2 * imageWidth, embeddingWidth, 1, false))
}

/** @param ids word tokens int64 [B, n] → unit vectors [B, 256] */
export function textEmbedding(weights: Weights, ids: Tensor, size: TextEncoderSize): Tensor {
  const { pooled } = encodeText(weights.at('text'), ids, size)
  return unit(weights.linear('textProjection', pooled, size.width, embeddingWidth, 1, false))
}
