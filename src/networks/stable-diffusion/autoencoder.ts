/**
 * The autoencoder of latent diffusion (Rombach et al. 2022, arXiv:2112.10752), as diffusers' AutoencoderKL.
 *
 * Scaling is the caller's: `encode` gives what the encoder says, and a denoiser's latent is `config.scalingFactor` times
 * a draw of it; `decode` takes a denoiser's latent divided by `config.scalingFactor`. The caller also chooses the element
 * type, by that of the weights; inputs are converted to it. Departures from diffusers:
 *
 * 1. Of a batch of pictures of at least 256² pixels, one goes through at a time: the same values, less memory.
 * 2. A tile that does not divide into four is cut so that the picture keeps its size.
 */
import { ShapeError } from '../../errors.ts'
import { cat } from '../../tensor/create.ts'
import { attention, silu_ } from '../../tensor/functional.ts'
import { checkpointed } from '../../tensor/gradient-checkpoints.ts'
import { tensorScope } from '../../tensor/scope.ts'
import { expectShape } from '../../tensor/shape.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import type { Weights } from '../weights.ts'
import type { AutoencoderConfig } from './autoencoder-config.ts'
import { downsample, resnet, upsample } from './resnet.ts'
import { tiled } from './tiles.ts'

const epsilon = 1e-6

/** A diagonal Gaussian over unscaled latents. */
export interface LatentMoments {
  /** [B, c, h, w] */
  readonly mean: Tensor
  /** [B, c, h, w], nats, within [-30, 20] */
  readonly logVariance: Tensor
}

export interface TilingOption {
  /** Pictures larger than `config.sampleSize` go through in overlapping tiles of that size: less memory, faint seams. */
  readonly tiling?: boolean
}

/**
 * The Gaussian over latents that the encoder gives for pictures; its numbers are not scaled.
 *
 * @param pixels  [B, 3, H, W] in [-1, 1], on the weights' device; H and W multiples of `config.factor`
 * @returns       [B, c, H/factor, W/factor] each, in the weights' element type
 * @throws {ShapeError}
 */
export function encode(
  weights: Weights,
  config: AutoencoderConfig,
  pixels: Tensor,
  { tiling = false }: TilingOption = {},
): LatentMoments {
  using scope = tensorScope()
  const { latentChannels: channels, factor } = config
  expectShape('pixels', pixels, [-1, 3, -1, -1])
  const [, , height, width] = pixels.shape
  if (height % factor !== 0 || width % factor !== 0) {
    throw new ShapeError({
      where: 'pixels',
      expected: `height and width in multiples of ${factor}`,
      received: `${height} × ${width}`,
      remedy: 'crop or resize the picture',
    })
  }
  const { ofPixels, ofLatents } = tileSizes(config)
  const whole = (x: Tensor) => encodeWhole(weights, config, x)
  const inTiles = (x: Tensor) => tiled(x, ofPixels, ofLatents, whole)
  const moments = imageByImage(pixels.to(weights.dtype), height * width, tiling ? inTiles : whole)
  const mean = moments.slice(1, 0, channels)
  const logVariance = moments.slice(1, channels, 2 * channels).clamp(-30, 20)
  return { mean: scope.keep(mean), logVariance: scope.keep(logVariance) }
}

/**
 * The pictures of latents, not clamped to [-1, 1].
 *
 * @param latents  [B, c, h, w], already divided by `config.scalingFactor`, on the weights' device
 * @returns        pixels [B, 3, h·factor, w·factor], in the weights' element type
 * @throws {ShapeError}
 */
export function decode(
  weights: Weights,
  config: AutoencoderConfig,
  latents: Tensor,
  { tiling = false }: TilingOption = {},
): Tensor {
  using scope = tensorScope()
  expectShape('latents', latents, [-1, config.latentChannels, -1, -1])
  const { ofPixels, ofLatents } = tileSizes(config)
  const whole = (x: Tensor) => decodeWhole(weights, config, x)
  const inTiles = (x: Tensor) => tiled(x, ofLatents, ofPixels, whole)
  const pixels = latents.shape[2] * latents.shape[3] * config.factor ** 2
  return scope.keep(imageByImage(latents.to(weights.dtype), pixels, tiling ? inTiles : whole))
}

/**
 * Today's name of a parameter: checkpoints of before 2023, Stable Diffusion 1.5's among them, name the projections of
 * the attention `query, key, value, proj_attn`. Other names are given back as they are.
 */
export function modernKey(name: string): string {
  return name.replace(
    /(\bmid_block\.attentions\.\d+\.)(query|key|value|proj_attn)(?=\.(?:weight|bias)$)/,
    (_, block: string, old: keyof typeof projections) => block + projections[old],
  )
}
const projections = { query: 'to_q', key: 'to_k', value: 'to_v', proj_attn: 'to_out.0' }

/** Tiles are as large as the pictures of training, and share a quarter with the next. */
function tileSizes({ sampleSize, factor }: AutoencoderConfig) {
  const side = Math.floor(sampleSize / factor)
  const overlap = Math.floor(side / 4)
  return { ofLatents: { side, overlap }, ofPixels: { side: side * factor, overlap: overlap * factor } }
}

/** From so many pixels a picture on, a batch goes through one by one; below that it is up to a third faster together. */
const largePicture = 256 * 256

function imageByImage(x: Tensor, pixels: number, network: Layer): Tensor {
  using scope = tensorScope()
  const [batch] = x.shape
  if (batch === 1 || pixels < largePicture) return scope.keep(network(x))
  return scope.keep(cat(Array.from({ length: batch }, (_, i) => network(x.slice(0, i, i + 1)))))
}

type Layer = (x: Tensor) => Tensor

/** One layer after another, checkpointed where that is asked for; what a layer has read is freed before the next begins. */
function inTurn(x: Tensor, layers: readonly Layer[]): Tensor {
  using scope = tensorScope()
  let h = x
  for (const layer of layers) {
    const next = checkpointed(layer, h)
    if (h !== x) h.dispose()
    h = next
  }
  return scope.keep(h)
}

function encodeWhole(weights: Weights, config: AutoencoderConfig, pixels: Tensor): Tensor {
  const { blockOutChannels: channels, layersPerBlock, latentChannels, useQuantConv } = config
  const encoder = weights.at('encoder')
  const coarsest = channels[channels.length - 1]
  const levels = channels.flatMap((outputs, i): Layer[] => {
    const block = encoder.at(`down_blocks.${i}`)
    const isLast = i === channels.length - 1
    return [
      ...residuals(block, config, layersPerBlock, channels[Math.max(0, i - 1)], outputs),
      ...(isLast ? [] : [(x: Tensor) => downsample(block.at('downsamplers.0'), x, outputs, 'right and bottom')]),
    ]
  })
  const moments = 2 * latentChannels
  return inTurn(pixels, [
    (x) => encoder.conv('conv_in', x, 3, channels[0], 3),
    ...levels,
    ...middle(encoder.at('mid_block'), config, coarsest),
    (x) => out(encoder, config, x, coarsest, moments),
    ...(useQuantConv ? [(x: Tensor) => weights.conv('quant_conv', x, moments, moments, 1)] : []),
  ])
}

function decodeWhole(weights: Weights, config: AutoencoderConfig, latents: Tensor): Tensor {
  const { blockOutChannels, layersPerBlock, latentChannels, usePostQuantConv } = config
  const decoder = weights.at('decoder')
  const channels = blockOutChannels.toReversed()
  const levels = channels.flatMap((outputs, i): Layer[] => {
    const block = decoder.at(`up_blocks.${i}`)
    const isLast = i === channels.length - 1
    return [
      ...residuals(block, config, layersPerBlock + 1, channels[Math.max(0, i - 1)], outputs),
      ...(isLast ? [] : [(x: Tensor) => double(block.at('upsamplers.0'), x, outputs)]),
    ]
  })
  return inTurn(latents, [
    ...(usePostQuantConv ? [(x: Tensor) => weights.conv('post_quant_conv', x, latentChannels, latentChannels, 1)] : []),
    (x) => decoder.conv('conv_in', x, latentChannels, channels[0], 3),
    ...middle(decoder.at('mid_block'), config, channels[0]),
    ...levels,
    (x) => out(decoder, config, x, channels[channels.length - 1], 3),
  ])
}

/** The residual blocks of one level; the first changes the number of channels. */
function residuals(block: Weights, config: AutoencoderConfig, count: number, before: number, outputs: number): Layer[] {
  const shape = { outputs, groups: config.normNumGroups, epsilon, timeWidth: 0 }
  return Array.from(
    { length: count },
    (_, i) => (x) => resnet(block.at(`resnets.${i}`), x, { ...shape, inputs: i === 0 ? before : outputs }),
  )
}

function middle(block: Weights, config: AutoencoderConfig, channels: number): Layer[] {
  const [first, last] = residuals(block, config, 2, channels, channels)
  const attending = (x: Tensor) => attend(block.at('attentions.0'), x, channels, config.normNumGroups)
  return config.midBlockAddAttention ? [first, attending, last] : [first, last]
}

/** Every place of x [B, C, h, w] attends to all places, with one head. */
function attend(weights: Weights, x: Tensor, channels: number, groups: number): Tensor {
  using scope = tensorScope()
  const tokens = weights.groupNorm('group_norm', x, channels, groups, epsilon).flatten(2).transpose(1, 2) // [B, h·w, C]
  const project = (name: string) => weights.linear(name, tokens, channels, channels).unsqueeze(1)
  const mixed = attention(project('to_q'), project('to_k'), project('to_v')).squeeze(1)
  const change = weights.linear('to_out.0', mixed, channels, channels).transpose(1, 2)
  return scope.keep(x.add(change.reshape(...x.shape)))
}

function double(weights: Weights, x: Tensor, channels: number): Tensor {
  const [, , height, width] = x.shape
  return upsample(weights, x, channels, 2 * height, 2 * width)
}

function out(weights: Weights, config: AutoencoderConfig, x: Tensor, channels: number, outputs: number): Tensor {
  using scope = tensorScope()
  const h = silu_(weights.groupNorm('conv_norm_out', x, channels, config.normNumGroups, epsilon))
  return scope.keep(weights.conv('conv_out', h, channels, outputs, 3))
}
