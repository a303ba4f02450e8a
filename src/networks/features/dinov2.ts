/** DINOv2's vision transformer (Oquab et al. 2023), as transformers' Dinov2Model. */
import { cat } from '../../tensor/create.ts'
import { attention, conv2d } from '../../tensor/functional.ts'
import { tensorScope } from '../../tensor/scope.ts'
import { operator, type Tensor } from '../../tensor/tensor.ts'
import type { Weights } from '../weights.ts'
import type { Dinov2Config } from './dinov2-config.ts'

const upsampleBicubic = operator<[x: Tensor, size: readonly number[], alignCorners: boolean], Tensor>(
  'upsample_bicubic2d',
)

/**
 * The state of the class token after the last norm.
 *
 * @param pixels [B, 3, H, W], normalised, on the device of the weights; H and W are cut to whole patches
 * @returns      [B, width]
 * @throws {FormatError} names a tensor that is missing or has another shape
 */
export function dinov2Features(weights: Weights, config: Dinov2Config, pixels: Tensor): Tensor {
  using scope = tensorScope()
  const { width, layers, epsilon } = config
  let h = embed(weights.at('embeddings'), config, pixels)
  for (let i = 0; i < layers; i++) {
    const next = layer(weights.at(`encoder.layer.${i}`), config, h)
    h.dispose()
    h = next
  }
  return scope.keep(weights.layerNorm('layernorm', h.select(1, 0), width, epsilon))
}

function embed(weights: Weights, { width, patchSize, positions }: Dinov2Config, pixels: Tensor): Tensor {
  using scope = tensorScope()
  const [batch, , height, columns] = pixels.shape
  const projection = weights.at('patch_embeddings')
  const kernel = projection.parameter('projection.weight', [width, 3, patchSize, patchSize], { gain: 1 })
  const bias = projection.parameter('projection.bias', [width], 'zeros')
  const grid = [Math.floor(height / patchSize), Math.floor(columns / patchSize)]
  const patches = conv2d(pixels, kernel, bias, patchSize).flatten(2).transpose(1, 2)
  const start = weights.parameter('cls_token', [1, 1, width], { gain: 1 }).expand(batch, -1, -1)
  const own = weights.parameter('position_embeddings', [1, positions ** 2 + 1, width], { gain: 1 })
  return scope.keep(cat([start, patches], 1).add(positionsOn(own, positions, grid)))
}

/** Those of a square of patches for another grid: bicubic, without antialiasing. [1, n² + 1, width] → [1, rows · columns + 1, width] */
function positionsOn(own: Tensor, side: number, grid: readonly number[]): Tensor {
  if (grid.every((patches) => patches === side)) return own
  const width = own.shape[2]
  const square = own
    .slice(1, 1, side ** 2 + 1)
    .reshape(1, side, side, width)
    .permute(0, 3, 1, 2)
  const resized = upsampleBicubic(square.to('float32'), grid, false).to(own.dtype)
  return cat([own.slice(1, 0, 1), resized.permute(0, 2, 3, 1).reshape(1, -1, width)], 1)
}

/** Self-attention and feed-forward, each behind a norm, scaled by channel and beside a residual. */
function layer(weights: Weights, config: Dinov2Config, x: Tensor): Tensor {
  using scope = tensorScope()
  const { width, epsilon } = config
  const scaled = (name: string, y: Tensor) => y.mul(weights.parameter(`${name}.lambda1`, [width], 'ones'))
  const h = x.add(scaled('layer_scale1', attend(weights, config, weights.layerNorm('norm1', x, width, epsilon))))
  const normed = weights.layerNorm('norm2', h, width, epsilon)
  return scope.keep(h.add(scaled('layer_scale2', feedForward(weights.at('mlp'), config, normed))))
}

function attend(weights: Weights, { width, heads }: Dinov2Config, x: Tensor): Tensor {
  const [batch, length] = x.shape
  const split = (name: string) =>
    weights
      .linear(`attention.attention.${name}`, x, width, width)
      .reshape(batch, length, heads, width / heads)
      .transpose(1, 2)
  const mixed = attention(split('query'), split('key'), split('value'))
  return weights.linear('attention.output.dense', mixed.transpose(1, 2).reshape(batch, length, width), width, width)
}

function feedForward(weights: Weights, { width, hidden, isGated }: Dinov2Config, x: Tensor): Tensor {
  if (!isGated) return weights.linear('fc2', weights.linear('fc1', x, width, hidden).gelu(), hidden, width)
  const both = weights.linear('weights_in', x, width, 2 * hidden)
  const gate = both.slice(-1, 0, hidden).silu()
  return weights.linear('weights_out', gate.mul(both.slice(-1, hidden, 2 * hidden)), hidden, width)
}
