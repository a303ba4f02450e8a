/** BLIP's image tower (Li et al. 2022, arXiv:2201.12086): a vision transformer under timm's names. */
import { cat } from '../../tensor/create.ts'
import { attention, conv2d } from '../../tensor/functional.ts'
import { tensorScope } from '../../tensor/scope.ts'
import { expectShape } from '../../tensor/shape.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import type { Weights } from '../weights.ts'
import type { VisionSize } from './config.ts'

const epsilon = 1e-6

/**
 * The states of the class token and of all patches, after the last norm.
 *
 * @param weights of the tower
 * @param pixels  [B, 3, imageSize, imageSize], normalised, on the device of the weights
 * @returns       [B, 1 + patches, width]
 * @throws {ShapeError}
 */
export function imageStates(weights: Weights, size: VisionSize, pixels: Tensor): Tensor {
  using scope = tensorScope()
  const { width, layers, patchSize, imageSize } = size
  const [batch] = pixels.shape
  expectShape('normalised pixels', pixels, [batch, 3, imageSize, imageSize])
  const projection = weights.at('patch_embed.proj')
  const kernel = projection.parameter('weight', [width, 3, patchSize, patchSize], { gain: 1 })
  const offset = projection.parameter('bias', [width], 'zeros')
  const patches = conv2d(pixels.to(weights.dtype), kernel, offset, patchSize).flatten(2).transpose(1, 2)
  const start = weights.parameter('cls_token', [1, 1, width], { gain: 1 }).expand(batch, -1, -1)
  const places = weights.parameter('pos_embed', [1, (imageSize / patchSize) ** 2 + 1, width], { gain: 1 })
  let h = cat([start, patches], 1).add(places)
  for (let i = 0; i < layers; i++) {
    const next = block(weights.at(`blocks.${i}`), size, h)
    // The states of dozens of layers would be most of the memory.
    h.dispose()
    h = next
  }
  return scope.keep(weights.layerNorm('norm', h, width, epsilon))
}

/** Self-attention and feed-forward, each behind a norm and beside a residual. */
function block(weights: Weights, { width, heads, hidden }: VisionSize, x: Tensor): Tensor {
  using scope = tensorScope()
  const [batch, length] = x.shape
  const normed = weights.layerNorm('norm1', x, width, epsilon)
  const all = weights.linear('attn.qkv', normed, width, 3 * width).reshape(batch, length, 3, heads, width / heads)
  const [q, k, v] = [0, 1, 2].map((third) => all.select(2, third).transpose(1, 2)) // [B, heads, n, d]
  const mixed = attention(q, k, v).transpose(1, 2).reshape(batch, length, width)
  const h = x.add(weights.linear('attn.proj', mixed, width, width))
  const inner = weights.linear('mlp.fc1', weights.layerNorm('norm2', h, width, epsilon), width, hidden).gelu()
  return scope.keep(h.add(weights.linear('mlp.fc2', inner, hidden, width)))
}
