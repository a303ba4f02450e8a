/** A small convolutional image encoder: pixels → tokens. Used by the CLIP-like encoder and the judge of fidelity. */
import { channelsLast } from '../../tensor/channels-last.ts'
import { pixelUnshuffle } from '../../tensor/functional.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { attend, feedForward, norm, residual } from './blocks.ts'
import type { Weights } from '../weights.ts'

const fine = 32

/**
 * @param pixels [B, 3, H, W] in [-1, 1]
 * @param coarse channels at the lower resolution
 * @returns      normalised tokens [B, H/4 · W/4, coarse]
 */
export function encodeImage(weights: Weights, pixels: Tensor, coarse: number): Tensor {
  let h = weights.conv('in', channelsLast(pixelUnshuffle(pixels, 2)), 12, fine, 3)
  h = residual(weights.at('fine'), h, fine)
  h = weights.conv('shrink', pixelUnshuffle(h, 2), 4 * fine, coarse, 1)
  h = residual(weights.at('coarse.0'), h, coarse)
  h = residual(weights.at('coarse.1'), h, coarse)
  let tokens = h.flatten(2).transpose(1, 2) // [B, n, coarse]
  tokens = tokens.add(weights.parameter('position', [tokens.shape[1], coarse], { gain: 0.1 * Math.sqrt(coarse) }))
  tokens = attend(weights.at('attention'), tokens, coarse, 4)
  tokens = feedForward(weights.at('mlp'), tokens, coarse)
  return norm(weights.at('norm'), tokens, coarse)
}
