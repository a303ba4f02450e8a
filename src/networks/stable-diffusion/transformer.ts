/** The transformers between a denoiser's residual blocks, under diffusers' names. */
import { attention } from '../../tensor/functional.ts'
import { checkpointed } from '../../tensor/gradient-checkpoints.ts'
import { tensorScope } from '../../tensor/scope.ts'
import { operator, type Tensor } from '../../tensor/tensor.ts'
import type { Weights } from '../weights.ts'

export interface TransformerShape {
  readonly channels: number
  readonly heads: number
  readonly layers: number
  /** Width of what it attends to. */
  readonly tokenWidth: number
  /** Of the group norm. */
  readonly groups: number
  readonly linearProjection: boolean
}

/** Its gradient joins those of the parts; that of slices adds as many tensors of the whole size, most of them zeros. */
const split = operator<[x: Tensor, size: number, dim: number], Tensor[]>('split', 'Tensor')

const groupNormEpsilon = 1e-6
const layerNormEpsilon = 1e-5

/**
 * As diffusers' Transformer2DModel: x [B, channels, h, w], tokens [B, n, tokenWidth] → [B, channels, h, w]. Each place of
 * x attends to all places and to all tokens. Each layer is a block for gradient checkpoints; the first one begins with
 * the projection to places and the last one ends with the way back.
 */
export function transformer(weights: Weights, x: Tensor, tokens: Tensor, shape: TransformerShape): Tensor {
  using scope = tensorScope()
  if (shape.layers === 0) return scope.keep(x.add(fromPlaces(weights, toPlaces(weights, x, shape), x, shape)))
  let h = x
  for (let i = 0; i < shape.layers; i++) {
    const block = (before: Tensor, tokens: Tensor, x: Tensor): Tensor => {
      using scope = tensorScope()
      const places = i === 0 ? toPlaces(weights, before, shape) : before
      const mixed = layer(weights.at(`transformer_blocks.${i}`), places, tokens, shape)
      return scope.keep(i < shape.layers - 1 ? mixed : x.add(fromPlaces(weights, mixed, x, shape)))
    }
    const next = checkpointed(block, h, tokens, x)
    if (h !== x) h.dispose()
    h = next
  }
  return scope.keep(h)
}

/** x [B, C, h, w] → [B, h·w, C] */
function toPlaces(weights: Weights, x: Tensor, { channels, groups, linearProjection }: TransformerShape): Tensor {
  using scope = tensorScope()
  const [batch, , height, width] = x.shape
  const inRows = (y: Tensor) => y.permute(0, 2, 3, 1).reshape(batch, height * width, channels)
  const normed = weights.groupNorm('norm', x, channels, groups, groupNormEpsilon)
  if (linearProjection) return scope.keep(weights.linear('proj_in', inRows(normed), channels, channels))
  return scope.keep(inRows(weights.conv('proj_in', normed, channels, channels, 1)))
}

/** places [B, h·w, C] → the shape of x, [B, C, h, w] */
function fromPlaces(
  weights: Weights,
  places: Tensor,
  x: Tensor,
  { channels, linearProjection }: TransformerShape,
): Tensor {
  using scope = tensorScope()
  const [batch, , height, width] = x.shape
  const asImage = (y: Tensor) => weights.image(y.reshape(batch, height, width, channels).permute(0, 3, 1, 2))
  if (linearProjection) return scope.keep(asImage(weights.linear('proj_out', places, channels, channels)))
  return scope.keep(weights.conv('proj_out', asImage(places), channels, channels, 1))
}

/** As diffusers' BasicTransformerBlock: self-attention, cross-attention and feed-forward, each beside a residual. */
function layer(weights: Weights, x: Tensor, tokens: Tensor, shape: TransformerShape): Tensor {
  using scope = tensorScope()
  const { channels, heads, tokenWidth } = shape
  const norm = (name: string, y: Tensor) => weights.layerNorm(name, y, channels, layerNormEpsilon)
  const own = norm('norm1', x)
  let h = x.add(attend(weights.at('attn1'), own, own, channels, channels, heads))
  h = h.add(attend(weights.at('attn2'), norm('norm2', h), tokens, tokenWidth, channels, heads))
  return scope.keep(h.add(feedForward(weights.at('ff.net'), norm('norm3', h), channels)))
}

/** x [B, n, channels] looks at source [B, m, sourceWidth] → [B, n, channels]. */
function attend(
  weights: Weights,
  x: Tensor,
  source: Tensor,
  sourceWidth: number,
  channels: number,
  heads: number,
): Tensor {
  using scope = tensorScope()
  const [batch, length] = x.shape
  const project = (name: string, from: Tensor, width: number) =>
    weights
      .linear(name, from, width, channels, 1, false)
      .reshape(batch, -1, heads, channels / heads)
      .transpose(1, 2)
  const mixed = attention(
    project('to_q', x, channels),
    project('to_k', source, sourceWidth),
    project('to_v', source, sourceWidth),
  )
  const joined = mixed.transpose(1, 2).reshape(batch, length, channels)
  return scope.keep(weights.linear('to_out.0', joined, channels, channels))
}

/** GEGLU (Shazeer 2020, arXiv:2002.05202) and a linear layer: x [B, n, width] → same. */
function feedForward(weights: Weights, x: Tensor, width: number): Tensor {
  using scope = tensorScope()
  const hidden = 4 * width
  const [value, gate] = split(weights.linear('0.proj', x, width, 2 * hidden), hidden, 2)
  const gated = value.mul(gate.gelu())
  return scope.keep(weights.linear('2', gated, hidden, width))
}
