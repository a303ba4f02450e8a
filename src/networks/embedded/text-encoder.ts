/** The small text transformer of the embedded networks: word tokens → one vector a token, and one a text. */
import { embedding } from '../../tensor/functional.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { attend, feedForward, norm } from './blocks.ts'
import type { Weights } from '../weights.ts'

export interface EncodedText {
  /** [B, n, width] */
  readonly tokens: Tensor
  /** Mean over the words, [B, width]; for an empty text, over the padding. */
  readonly pooled: Tensor
  /** Added to attention logits: 0 at words, −10⁴ at padding, [B, 1, 1, n]; all 0 for an empty text. */
  readonly mask: Tensor
}

export interface TextEncoderSize {
  readonly vocabulary: number
  readonly length: number
  readonly width: number
  readonly layers: number
}

/** @param ids word tokens int64 [B, n], 0 is padding */
export function encodeText(weights: Weights, ids: Tensor, size: TextEncoderSize): EncodedText {
  const { width, length } = size
  const words = ids.gt(0).to(weights.dtype)
  const empty = words.sum(1, true).eq(0).to(weights.dtype)
  const present = words.maximum(empty.expand(-1, length))
  const mask = present.sub(1).mul(1e4).unsqueeze(1).unsqueeze(1)
  let x = embedding(weights.parameter('token', [size.vocabulary, width], { gain: Math.sqrt(width) }), ids).add(
    weights.parameter('position', [length, width], { gain: 0.1 * Math.sqrt(width) }),
  )
  for (let i = 0; i < size.layers; i++) {
    const layer = weights.at(`layer.${i}`)
    x = attend(layer.at('attention'), x, width, 4, undefined, mask)
    x = feedForward(layer.at('mlp'), x, width)
  }
  const tokens = norm(weights.at('norm'), x, width)
  const share = present.div(present.sum(1, true)).unsqueeze(2)
  return { tokens, pooled: tokens.mul(share).sum(1), mask }
}
