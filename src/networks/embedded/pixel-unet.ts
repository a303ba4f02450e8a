/**
 * The embedded denoiser: a UNet on pixels with two resolutions (H/2 and H/4), self- and cross-attention at the lower
 * one. Time and pooled text scale and shift every residual block; words are attended to.
 */
import { channelsLast } from '../../tensor/channels-last.ts'
import { cat } from '../../tensor/create.ts'
import { pixelShuffle, pixelUnshuffle } from '../../tensor/functional.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { attend, feedForward, norm2d, residual, timeFeatures } from './blocks.ts'
import type { EncodedText } from './text-encoder.ts'
import type { Weights } from '../weights.ts'

const fine = 32
const coarse = 64
const embeddingWidth = 128
const middleBlocks = 4
const attentionBlocks = 3
const heads = 4

/**
 * @param x  noisy pixels [B, 3, H, W]; H and W divisible by 4
 * @param t  times [B], whole or between
 * @returns  prediction [B, 3, H, W]
 */
export function pixelUnet(weights: Weights, x: Tensor, t: Tensor, text: EncodedText, textWidth: number): Tensor {
  const time = weights.linear('time1', timeFeatures(t, 64).to(weights.dtype), 64, embeddingWidth).silu()
  const embedding = weights
    .linear('time2', time, embeddingWidth, embeddingWidth)
    .add(weights.linear('text', text.pooled, textWidth, embeddingWidth))
    .silu()

  let h = weights.conv('in', channelsLast(pixelUnshuffle(x.to(weights.dtype), 2)), 12, fine, 3)
  h = residual(weights.at('down.0'), h, fine, embedding, embeddingWidth)
  const skip = h
  h = weights.conv('shrink', pixelUnshuffle(h, 2), 4 * fine, coarse, 1)
  const [batch, , height, width] = h.shape
  const position = weights.parameter('position', [height * width, coarse], { gain: 0.1 * Math.sqrt(coarse) })
  for (let i = 0; i < middleBlocks; i++) {
    h = residual(weights.at(`middle.${i}`), h, coarse, embedding, embeddingWidth)
    if (i >= attentionBlocks) continue
    const block = weights.at(`attention.${i}`)
    let tokens = h.flatten(2).transpose(1, 2) // [B, n, coarse]
    if (i === 0) tokens = tokens.add(position)
    tokens = attend(block.at('self'), tokens, coarse, heads)
    tokens = attend(block.at('cross'), tokens, coarse, heads, { tokens: text.tokens, width: textWidth }, text.mask)
    tokens = feedForward(block.at('mlp'), tokens, coarse)
    h = tokens.transpose(1, 2).reshape(batch, coarse, height, width)
  }
  h = pixelShuffle(weights.conv('grow', h, coarse, 4 * fine, 1), 2)
  h = weights.conv('join', cat([h, skip], 1), 2 * fine, fine, 1)
  h = residual(weights.at('up.0'), h, fine, embedding, embeddingWidth)
  h = norm2d(weights.at('outNorm'), h, fine).silu()
  return pixelShuffle(weights.conv('out', h, fine, 12, 3, 0.1), 2)
}
