/**
 * The denoiser of Stable Diffusion 1, 2 (Rombach et al. 2022, arXiv:2112.10752) and XL (Podell et al. 2023,
 * arXiv:2307.01952), as diffusers' UNet2DConditionModel with its parameters' names.
 */
import { ShapeError } from '../../errors.ts'
import { arange, cat } from '../../tensor/create.ts'
import { checkpointed } from '../../tensor/gradient-checkpoints.ts'
import { tensorScope } from '../../tensor/scope.ts'
import { expectShape } from '../../tensor/shape.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import type { Weights } from '../weights.ts'
import { downsample, resnet, upsample } from './resnet.ts'
import { transformer } from './transformer.ts'
import type { UnetConfig, UnetLevel } from './unet-config.ts'

/** What the denoiser is told beside state and time. */
export interface UnetConditioning {
  /** The text, [B, n, tokenWidth]. */
  readonly tokens: Tensor
  /** SDXL: the text as one vector, [B, pooledWidth]. */
  readonly pooled?: Tensor
  /** SDXL: height and width of the original, top and left of the crop, height and width to draw, in pixels: [B, 6]. */
  readonly timeIds?: Tensor
  /** Distilled networks: features of the scale of guidance, [B, guidanceWidth]; without them it is not told. */
  readonly guidance?: Tensor
}

/** What all blocks share. */
interface Shared {
  readonly config: UnetConfig
  /** Time embedding behind its activation, [B, 4 · channels of the finest level]. */
  readonly time: Tensor
  readonly tokens: Tensor
}

/**
 * The network's prediction, in the element type of the weights, to which all inputs are converted. Each residual block
 * and each layer of a transformer is a block for gradient checkpoints.
 *
 * @param sample  noisy latents [B, C, h, w], on the weights' device; h and w as you like
 * @param t       times [B], whole or between
 * @returns       [B, C, h, w]
 * @throws {ShapeError} naming the input
 */
export function unet(
  weights: Weights,
  config: UnetConfig,
  sample: Tensor,
  t: Tensor,
  conditioning: UnetConditioning,
): Tensor {
  using scope = tensorScope()
  const { levels, channels } = config
  expectShape('sample', sample, [-1, channels, -1, -1])
  const [batch] = sample.shape
  expectShape('t', t, [batch])
  expectShape('tokens', conditioning.tokens, [batch, -1, config.tokenWidth])
  const shared: Shared = {
    config,
    time: timeEmbedding(weights, config, t, conditioning),
    tokens: conditioning.tokens.to(weights.dtype),
  }
  const width = levels[0].channels
  const skips = [weights.conv('conv_in', sample.to(weights.dtype), channels, width, 3)]
  goDown(weights, levels, skips, shared)
  const h = goUp(weights, levels, middle(weights.at('mid_block'), skips[skips.length - 1], shared), skips, shared)
  const normed = weights.groupNorm('conv_norm_out', h, width, config.groups, config.epsilon)
  return scope.keep(weights.conv('conv_out', normed.silu(), width, channels, 3).contiguous())
}

/** Adds the state behind each layer to `skips`, beginning with the last of them. */
function goDown(weights: Weights, levels: readonly UnetLevel[], skips: Tensor[], shared: Shared): void {
  levels.forEach((level, i) => {
    const block = weights.at(`down_blocks.${i}`)
    for (let j = 0; j < level.resnets; j++) {
      skips.push(layer(block, j, [skips[skips.length - 1]], level, level.transformersDown?.[j], shared))
    }
    if (i === levels.length - 1) return
    skips.push(downsample(block.at('downsamplers.0'), skips[skips.length - 1], level.channels, 'all'))
  })
}

/** Takes the skips from the last to the first. What a layer has read is freed before the next begins. */
function goUp(weights: Weights, levels: readonly UnetLevel[], h: Tensor, skips: Tensor[], shared: Shared): Tensor {
  using scope = tensorScope()
  levels.toReversed().forEach((level, i) => {
    const block = weights.at(`up_blocks.${i}`)
    for (let j = 0; j <= level.resnets; j++) {
      const skip = skips.pop()!
      const next = layer(block, j, [h, skip], level, level.transformersUp?.[j], shared)
      // Without a middle block, they are one at first.
      for (const read of new Set([h, skip])) read.dispose()
      h = next
    }
    if (i === levels.length - 1) return
    const [, , height, width] = skips[skips.length - 1].shape
    const larger = upsample(block.at('upsamplers.0'), h, level.channels, height, width)
    h.dispose()
    h = larger
  })
  return scope.keep(h)
}

function middle(block: Weights, x: Tensor, shared: Shared): Tensor {
  const { middle: own, levels } = shared.config
  if (own === undefined) return x
  using scope = tensorScope()
  const level = levels[levels.length - 1]
  const mixed = layer(block, 0, [x], level, own.transformer, shared)
  return scope.keep(own.transformer === undefined ? mixed : layer(block, 1, [mixed], level, undefined, shared))
}

/** Residual block number i over the joined channels of its inputs, and the transformer of `layers` behind it, if any. */
function layer(
  block: Weights,
  i: number,
  inputs: readonly Tensor[],
  level: UnetLevel,
  layers: number | undefined,
  { config, time, tokens }: Shared,
): Tensor {
  using scope = tensorScope()
  const { groups, epsilon, linearProjection, tokenWidth } = config
  const { channels, heads } = level
  const shape = {
    inputs: inputs.reduce((sum, { shape }) => sum + shape[1], 0),
    outputs: channels,
    groups,
    epsilon,
    timeWidth: time.shape[1],
  }
  const residual = (time: Tensor, ...parts: Tensor[]): Tensor => {
    using scope = tensorScope()
    const x = parts.length === 1 ? parts[0] : cat(parts, 1)
    return scope.keep(resnet(block.at(`resnets.${i}`), x, shape, time))
  }
  const h = checkpointed(residual, time, ...inputs)
  if (layers === undefined) return scope.keep(h)
  const size = { channels, heads, layers, tokenWidth, groups, linearProjection }
  return scope.keep(transformer(block.at(`attentions.${i}`), h, tokens, size))
}

/** → [B, 4 · channels of the finest level], with the activation that every residual block begins with. */
function timeEmbedding(weights: Weights, config: UnetConfig, t: Tensor, conditioning: UnetConditioning): Tensor {
  using scope = tensorScope()
  const { levels, addition } = config
  const { pooled, timeIds } = conditioning
  const [inputs, width] = [levels[0].channels, 4 * levels[0].channels]
  const time = withGuidance(weights, config, sinusoids(weights, config, t, inputs), conditioning)
  const embedded = perceptron(weights.at('time_embedding'), time, inputs, width)
  if (addition === undefined) return scope.keep(embedded.silu())
  if (pooled === undefined || timeIds === undefined) {
    throw new ShapeError({
      where: 'conditioning',
      expected: 'pooled text and sizes (timeIds), as this network needs',
      received: pooled === undefined ? 'no pooled text' : 'no sizes',
      remedy: 'encode the prompt with both text encoders',
    })
  }
  const [batch] = t.shape
  expectShape('timeIds', timeIds, [batch, -1])
  expectShape('pooled', pooled, [batch, addition.inputs - timeIds.shape[1] * addition.timeWidth])
  const sizes = sinusoids(weights, config, timeIds.flatten(), addition.timeWidth).reshape(batch, -1)
  const both = cat([pooled.to(weights.dtype), sizes], 1)
  return scope.keep(embedded.add(perceptron(weights.at('add_embedding'), both, addition.inputs, width)).silu())
}

/** Adds a projection of the features of guidance to those of the time, time [B, inputs], as diffusers' `cond_proj`. */
function withGuidance(weights: Weights, config: UnetConfig, time: Tensor, { guidance }: UnetConditioning): Tensor {
  if (config.guidanceWidth === undefined || guidance === undefined) return time
  expectShape('guidance', guidance, [time.shape[0], config.guidanceWidth])
  const own = guidance.to(weights.dtype)
  const at = weights.at('time_embedding')
  return time.add(at.linear('cond_proj', own, config.guidanceWidth, time.shape[1], 1, false))
}

/** As diffusers' TimestepEmbedding: x [B, inputs] → [B, width]. */
function perceptron(weights: Weights, x: Tensor, inputs: number, width: number): Tensor {
  using scope = tensorScope()
  return scope.keep(weights.linear('linear_2', weights.linear('linear_1', x, inputs, width).silu(), width, width))
}

/**
 * Cosines and sines of times at geometrically falling frequencies: t [n] → [n, width], computed in float32 step by step
 * as diffusers does, because at a time of 1000 the last bit of a frequency is seen.
 */
function sinusoids({ dtype, device }: Weights, config: UnetConfig, t: Tensor, width: number): Tensor {
  using scope = tensorScope()
  const half = width / 2
  const exponents = arange(0, half, 'float32', device).mul(-Math.log(10_000))
  const frequencies = exponents.div(half - config.freqShift).exp()
  const angles = t.to(device).to('float32').unsqueeze(1).mul(frequencies)
  const parts = [angles.sin(), angles.cos()]
  return scope.keep(cat(config.flipSinToCos ? parts.reverse() : parts, 1).to(dtype))
}
