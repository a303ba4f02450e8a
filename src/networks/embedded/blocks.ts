/** Building blocks of the embedded networks. Each is a function of weights and inputs. */
import { cat, tensor } from '../../tensor/create.ts'
import { attention, groupNorm, layerNorm } from '../../tensor/functional.ts'
import { tensorScope } from '../../tensor/scope.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import type { Weights } from '../weights.ts'

/** Group normalisation in groups of eight channels: x [B, C, H, W] → same. */
export function norm2d(weights: Weights, x: Tensor, channels: number): Tensor {
  return groupNorm(
    x,
    channels / 8,
    weights.parameter('weight', [channels], 'ones'),
    weights.parameter('bias', [channels], 'zeros'),
  )
}

/** Layer normalisation of tokens: x [B, n, d] → same. */
export function norm(weights: Weights, x: Tensor, width: number): Tensor {
  return layerNorm(x, weights.parameter('weight', [width], 'ones'), weights.parameter('bias', [width], 'zeros'))
}

/**
 * Residual block whose second half is scaled and shifted by an embedding (FiLM, Perez et al. 2018):
 * x [B, C, H, W], embedding [B, e] → [B, C, H, W].
 */
export function residual(weights: Weights, x: Tensor, channels: number, embedding?: Tensor, width = 0): Tensor {
  using scope = tensorScope()
  let h = weights.conv('conv1', norm2d(weights.at('norm1'), x, channels).silu(), channels, channels, 3)
  h = norm2d(weights.at('norm2'), h, channels)
  if (embedding !== undefined) {
    const film = weights
      .linear('film', embedding, width, 2 * channels, 0.1)
      .unsqueeze(-1)
      .unsqueeze(-1)
    h = h.mul(film.slice(1, 0, channels).add(1)).add(film.slice(1, channels, 2 * channels))
  }
  return scope.keep(x.add(weights.conv('conv2', h.silu(), channels, channels, 3, 0.1)))
}

/**
 * Multi-head attention with a residual: x [B, n, d] attends to `context` [B, m, c], or to itself without one.
 * @param mask added to the logits, broadcasts to [B, heads, n, m]
 */
export function attend(
  weights: Weights,
  x: Tensor,
  width: number,
  heads: number,
  context?: { tokens: Tensor; width: number },
  mask?: Tensor,
): Tensor {
  using scope = tensorScope()
  const [batch, length] = x.shape
  const normed = norm(weights.at('norm'), x, width)
  const source = context?.tokens ?? normed
  const sourceWidth = context?.width ?? width
  const split = (y: Tensor) => y.reshape(batch, -1, heads, width / heads).transpose(1, 2)
  const mixed = attention(
    split(weights.linear('to_q', normed, width, width, 1, false)),
    split(weights.linear('to_k', source, sourceWidth, width, 1, false)),
    split(weights.linear('to_v', source, sourceWidth, width, 1, false)),
    mask,
  )
  const out = mixed.transpose(1, 2).reshape(batch, length, width)
  return scope.keep(x.add(weights.linear('to_out', out, width, width, 0.1)))
}

/** Two linear layers with GELU and a residual: x [B, n, d] → same. */
export function feedForward(weights: Weights, x: Tensor, width: number): Tensor {
  using scope = tensorScope()
  const hidden = weights.linear('up', norm(weights.at('norm'), x, width), width, 4 * width).gelu()
  return scope.keep(x.add(weights.linear('down', hidden, 4 * width, width, 0.1)))
}

/** Sinusoidal features of a step, as in Vaswani et al. 2017: t [B], whole or between → [B, width]. */
export function timeFeatures(t: Tensor, width: number): Tensor {
  const half = width / 2
  const frequencies = tensor(Float32Array.from({ length: half }, (_, i) => Math.exp((-Math.log(10_000) * i) / half)))
  const angles = t.to('float32').unsqueeze(1).mul(frequencies.to(t.device))
  return cat([angles.sin(), angles.cos()], 1)
}
