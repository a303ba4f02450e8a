/** Residual blocks and changes of resolution that the UNet and the autoencoder share. */
import { pad2d, silu_, upsampleNearest } from '../../tensor/functional.ts'
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
  const { inputs, outputs, timeWidth } = shape
  let h = half(weights, '1', x, inputs, shape)
  if (time !== undefined) {
    const shift = weights.linear('time_emb_proj', time, timeWidth, outputs)
    h.add_(shift.unsqueeze(-1).unsqueeze(-1))
  }
  const first = h
  h = half(weights, '2', first, outputs, shape)
  first.dispose()
  const short = inputs === outputs ? x : weights.conv('conv_shortcut', x, inputs, outputs, 1)
  return scope.keep(h.add_(short))
}

/** Norm, activation and convolution: [B, inputs, h, w] → [B, outputs, h, w]. */
function half(weights: Weights, name: '1' | '2', x: Tensor, inputs: number, { outputs, groups, epsilon }: ResnetShape) {
  using scope = tensorScope()
  const active = silu_(weights.groupNorm(`norm${name}`, x, inputs, groups, epsilon))
  return scope.keep(weights.conv(`conv${name}`, active, inputs, outputs, 3))
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
