/** The parts of a Stable Diffusion checkpoint, wherever they lie: checked against their configurations, not loaded yet. */
import { zeros } from '../../tensor/create.ts'
import { checkNetwork, type CheckedNetwork, type NetworkSource } from '../checkpoint/open-network.ts'
import type { TextEncoderConfig } from '../clip/config.ts'
import { projectText, publishedTextKey, textBuffers, textModel } from '../clip/text-model.ts'
import type { Weights } from '../weights.ts'
import { decode, encode, modernKey } from './autoencoder.ts'
import type { AutoencoderConfig } from './autoencoder-config.ts'
import type { TextTower } from './model.ts'
import { unet } from './unet.ts'
import type { UnetConfig } from './unet-config.ts'

export const pipelines = [
  'LatentConsistencyModelPipeline',
  'StableDiffusionPipeline',
  'StableDiffusionXLPipeline',
] as const

export interface CheckedDenoiser {
  readonly config: UnetConfig
  readonly network: CheckedNetwork
}

export interface CheckedAutoencoder {
  readonly config: AutoencoderConfig
  readonly network: CheckedNetwork
}

export interface CheckedTower extends TextTower {
  readonly network: CheckedNetwork
}

/** A parsed JSON object and the file that it is from, for errors. */
export interface JsonFile {
  readonly json: Readonly<Record<string, unknown>>
  readonly where: string
}

export interface CheckpointParts {
  /** The folder or file. */
  readonly place: string
  /** The class of diffusers' pipeline. */
  readonly pipeline: (typeof pipelines)[number]
  readonly unet: CheckedDenoiser
  readonly vae: CheckedAutoencoder
  /** One of Stable Diffusion 1 and 2, two of XL. */
  readonly towers: readonly CheckedTower[]
  readonly scheduler: JsonFile
  /** XL: no prompt is a conditioning of zeros, not an encoded empty text. */
  readonly zeroEmptyPrompt: boolean
  /** The name or folder that it was saved from, if it says so. */
  readonly formerName?: string | undefined
  /** What a person should know of how the parts were found, as sentences. */
  readonly notes: readonly string[]
}

/** Weights, and how their file spells a name. */
export type PartSource = Pick<NetworkSource, 'found' | 'spell'>

/** @throws {FormatError} names file and key: weights that do not fit the configuration */
export function checkDenoiser(config: UnetConfig, source: PartSource): CheckedDenoiser {
  return { config, network: checkNetwork({ ...source, use: tryDenoiser(config) }) }
}

/** @throws {FormatError} as {@link checkDenoiser} */
export function checkAutoencoder(config: AutoencoderConfig, source: PartSource): CheckedAutoencoder {
  return { config, network: checkNetwork({ ...source, rename: modernKey, use: tryAutoencoder(config) }) }
}

/** @throws {FormatError} as {@link checkDenoiser} */
export function checkTextEncoder(config: TextEncoderConfig, source: PartSource): CheckedNetwork {
  return checkNetwork({ ...source, rename: publishedTextKey, ignored: textBuffers, use: tryTextEncoder(config) })
}

export function tryDenoiser(config: UnetConfig): (weights: Weights) => void {
  return (weights) => {
    const side = 2 ** (config.levels.length - 1)
    const make = (...shape: number[]) => zeros(shape, 'float32', weights.device)
    const { addition, channels, tokenWidth, guidanceWidth } = config
    unet(weights, config, make(1, channels, side, side), zeros([1], 'int64', weights.device), {
      tokens: make(1, 77, tokenWidth),
      ...(guidanceWidth !== undefined && { guidance: make(1, guidanceWidth) }),
      ...(addition && { pooled: make(1, addition.inputs - 6 * addition.timeWidth), timeIds: make(1, 6) }),
    })
  }
}

export function tryAutoencoder(config: AutoencoderConfig): (weights: Weights) => void {
  return (weights) => {
    const { factor } = config
    const { mean } = encode(weights, config, zeros([1, 3, factor, factor], 'float32', weights.device))
    decode(weights, config, mean)
  }
}

export function tryTextEncoder({ text, projection }: TextEncoderConfig): (weights: Weights) => void {
  return (weights) => {
    const { pooled } = textModel(weights, text, zeros([1, text.length], 'int64', weights.device))
    if (projection !== undefined) projectText(weights, text, projection, pooled)
  }
}
