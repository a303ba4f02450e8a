/** Residual blocks and changes of resolution that the UNet and the autoencoder share. */
import { pad2d, upsampleNearest } from '../../tensor/functional.ts'
import { tensorScope } from '../../tensor/scope.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import type { Weights } from '../weights.ts'

export interface ResnetShape {
  readonly inputs: number
  readonly outputs: number
  readonly groups: number
  readonly epsilon: number
  /** Width of the time embedding; 0 without one. */
  readonly timeWidth: number
}

/**
 * As diffusers' ResnetBlock2D: x [B, inputs, h, w] → [B, outputs, h, w]. A 1 × 1 convolution is on the short way where the
 * number of channels changes.
 * @param time  time embedding [B, timeWidth] behind its activation, which is the same for all blocks
 */
export function resnet(weights: Weights, x: Tensor, shape: ResnetShape, time?: Tensor): Tensor {
  using scope = tensorScope()
  const { inputs, outputs, groups, epsilon, timeWidth } = shape
  let h = weights.groupNorm('norm1', x, inputs, groups, epsilon).silu()
  h = weights.conv('conv1', h, inputs, outputs, 3)
  if (time !== undefined) {
    const shift = weights.linear('time_emb_proj', time, timeWidth, outputs)
    h = h.add(shift.unsqueeze(-1).unsqueeze(-1))
  }
  h = weights.groupNorm('norm2', h, outputs, groups, epsilon).silu()
  h = weights.conv('conv2', h, outputs, outputs, 3)
  const short = inputs === outputs ? x : weights.conv('conv_shortcut', x, inputs, outputs, 1)
  return scope.keep(short.add(h))
}

/**
 * As diffusers' Downsample2D: halves height and width by a 3 × 3 convolution of stride 2. The UNet pads all sides; the
 * autoencoder pads right and bottom alone.
 */
export function downsample(weights: Weights, x: Tensor, channels: number, padding: 'all' | 'right and bottom'): Tensor {
  using scope = tensorScope()
  const padded = padding === 'all' ? x : pad2d(x, { right: 1, bottom: 1 })
  const at = { stride: 2, padding: padding === 'all' ? 1 : 0 }
  return scope.keep(weights.conv('conv', padded, channels, channels, 3, 1, at))
}

/** As diffusers' Upsample2D: to the nearest neighbour's value at this size, then a 3 × 3 convolution. */
export function upsample(weights: Weights, x: Tensor, channels: number, height: number, width: number): Tensor {
  using scope = tensorScope()
  return scope.keep(weights.conv('conv', upsampleNearest(x, height, width), channels, channels, 3))
}
