/** A Stable Diffusion checkpoint in diffusers' layout: its networks and schedule, checked, with nothing loaded yet. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { FormatError } from '../../errors.ts'
import { readScheduler, type NoiseSetup } from '../../diffusion/scheduler-config.ts'
import { zeros } from '../../tensor/create.ts'
import { expectClass, readConfig } from '../checkpoint/component-config.ts'
import { hashWeights } from '../checkpoint/hash-weights.ts'
import { checkNetwork, type CheckedNetwork } from '../checkpoint/open-network.ts'
import { TextEncoderConfig } from '../clip/config.ts'
import { projectText, publishedTextKey, textBuffers, textModel } from '../clip/text-model.ts'
import { openTokenizer } from '../clip/tokenizer.ts'
import type { Weights } from '../weights.ts'
import { decode, encode, modernKey } from './autoencoder.ts'
import { readAutoencoderConfig, type AutoencoderConfig } from './autoencoder-config.ts'
import type { ImageSize } from '../generative-model.ts'
import type { TextTower } from './model.ts'
import { samplingDefaults, type SamplingDefaults } from './sampling-defaults.ts'
import { unet } from './unet.ts'
import { readUnetConfig, type UnetConfig } from './unet-config.ts'

const AnyJson = z.looseObject({})
const Index = z.looseObject({
  _class_name: z.string().optional(),
  force_zeros_for_empty_prompt: z.boolean().default(true),
})

export interface CheckedTower extends TextTower {
  readonly network: CheckedNetwork
}

const pipelines = ['StableDiffusionPipeline', 'StableDiffusionXLPipeline', 'LatentConsistencyModelPipeline'] as const

export interface CheckedCheckpoint {
  readonly folder: string
  /** The class of diffusers' pipeline. */
  readonly pipeline: (typeof pipelines)[number]
  readonly unet: { readonly config: UnetConfig; readonly network: CheckedNetwork }
  readonly vae: { readonly config: AutoencoderConfig; readonly network: CheckedNetwork }
  readonly towers: readonly CheckedTower[]
  readonly noise: NoiseSetup
  readonly zeroEmptyPrompt: boolean
  /** Of the images that it was trained on. */
  readonly imageSize: ImageSize
  readonly sampling: SamplingDefaults
  /** What a person should know of how this checkpoint is used, as sentences. */
  readonly notes: readonly string[]
  /** SHA-256 of the weights that take part in a prediction. */
  readonly sha256: () => string
}

/**
 * Reads the configurations and the headers of the weights of all parts.
 *
 * @throws {FileError} a part is missing
 * @throws {FormatError} names file and field or key: a class that is not supported, weights that do not fit their
 * configuration, parts that do not fit each other
 */
export function checkCheckpoint(folder: string): CheckedCheckpoint {
  const index = readConfig(folder, 'model_index.json', Index)
  const pipeline = expectClass(index, pipelines, join(folder, 'model_index.json'))
  const isXl = pipeline === 'StableDiffusionXLPipeline'

  const unetJson = readConfig(folder, 'unet/config.json', AnyJson)
  const unetConfig = readUnetConfig(unetJson, join(folder, 'unet/config.json'))
  const vaeConfig = readAutoencoderConfig(
    readConfig(folder, 'vae/config.json', AnyJson),
    join(folder, 'vae/config.json'),
  )
  const towers = (isXl ? (['text_encoder', 'text_encoder_2'] as const) : (['text_encoder'] as const)).map((name) =>
    checkTower(folder, name),
  )
  expectParts(folder, unetConfig, vaeConfig, towers)
  const network = checkNetwork({
    folder: join(folder, 'unet'),
    stem: 'diffusion_pytorch_model',
    use: (weights) => tryUnet(weights, unetConfig),
  })
  const vae = checkNetwork({
    folder: join(folder, 'vae'),
    stem: 'diffusion_pytorch_model',
    rename: modernKey,
    use: (weights) => tryAutoencoder(weights, vaeConfig),
  })
  const scheduler = readConfig(folder, 'scheduler/scheduler_config.json', AnyJson)
  // What StableDiffusionPipeline sets right in the files of old checkpoints.
  const corrected = isXl ? scheduler : { ...scheduler, clip_sample: false, steps_offset: 1 }
  const noise = readScheduler(corrected, join(folder, 'scheduler/scheduler_config.json'))
  const { sampling, note } = samplingDefaults(folder, unetConfig, noise)
  const notes = [noise.note, note, sizeNote(unetJson.sample_size, unetConfig)].filter((one) => one !== undefined)
  const [latentHeight, latentWidth] = unetConfig.sampleSize ?? (isXl ? [128, 128] : [64, 64])
  const files = [...network.found.files, ...towers.flatMap((tower) => tower.network.found.files)]
  return {
    folder,
    pipeline,
    unet: { config: unetConfig, network },
    vae: { config: vaeConfig, network: vae },
    towers,
    noise,
    sampling,
    notes,
    zeroEmptyPrompt: isXl && index.force_zeros_for_empty_prompt,
    imageSize: { width: latentWidth * vaeConfig.factor, height: latentHeight * vaeConfig.factor },
    sha256: () => hashWeights(files),
  }
}

function sizeNote(stated: unknown, { sampleSize }: UnetConfig): string | undefined {
  if (typeof stated !== 'number' || sampleSize === undefined || stated === sampleSize[0]) return undefined
  return `Its configuration says ${stated} × ${stated} latents, as diffusers before 0.9 wrote for all models; it draws ${sampleSize[0]} × ${sampleSize[1]}, that of its training.`
}

function checkTower(folder: string, name: CheckedTower['name']): CheckedTower {
  const config = readConfig(join(folder, name), 'config.json', TextEncoderConfig)
  const tokenizerFolder = join(folder, name.replace('text_encoder', 'tokenizer'))
  const tokenizer = openTokenizer(tokenizerFolder)
  if (tokenizer.length !== config.text.length) {
    throw new FormatError({
      where: tokenizerFolder,
      expected: `texts of ${config.text.length} tokens, as ${name}/config.json says`,
      received: `${tokenizer.length}`,
      remedy: 'tokenizer and text encoder belong to different checkpoints',
    })
  }
  const network = checkNetwork({
    folder: join(folder, name),
    stem: 'model',
    rename: publishedTextKey,
    ignored: textBuffers,
    use: (weights) => {
      const { pooled } = textModel(weights, config.text, zeros([1, config.text.length], 'int64', weights.device))
      if (config.projection !== undefined) projectText(weights, config.text, config.projection, pooled)
    },
  })
  return { name, config, tokenizer, network }
}

/** @throws {FormatError} parts of different checkpoints */
function expectParts(folder: string, unet: UnetConfig, vae: AutoencoderConfig, towers: readonly CheckedTower[]): void {
  const width = towers.reduce((sum, { config }) => sum + config.text.width, 0)
  const expectEqual = (where: string, expected: number, of: string, received: number) => {
    if (expected === received) return
    throw new FormatError({
      where: join(folder, where),
      expected: `${expected}, ${of}`,
      received: String(received),
      remedy: 'the parts of this folder belong to different checkpoints',
    })
  }
  const names = towers.map(({ name }) => name).join(' and ')
  expectEqual('unet/config.json cross_attention_dim', width, `the width of ${names}`, unet.tokenWidth)
  expectEqual('unet/config.json in_channels', vae.latentChannels, 'the channels of the autoencoder', unet.channels)
  if ((unet.addition !== undefined) === towers.length > 1 && towers.at(-1)!.config.projection !== undefined) return
  if (unet.addition === undefined && towers.length === 1) return
  throw new FormatError({
    where: join(folder, existsSync(join(folder, 'text_encoder_2')) ? 'text_encoder_2/config.json' : 'unet/config.json'),
    expected: 'two text encoders, the second with a projection, for a UNet with addition_embed_type text_time',
    received: `${towers.length} text encoder${towers.length === 1 ? '' : 's'}`,
    remedy: 'the parts of this folder belong to different checkpoints',
  })
}

function tryUnet(weights: Weights, config: UnetConfig): void {
  const side = 2 ** (config.levels.length - 1)
  const make = (...shape: number[]) => zeros(shape, 'float32', weights.device)
  const { addition, channels, tokenWidth, guidanceWidth } = config
  unet(weights, config, make(1, channels, side, side), zeros([1], 'int64', weights.device), {
    tokens: make(1, 77, tokenWidth),
    ...(guidanceWidth !== undefined && { guidance: make(1, guidanceWidth) }),
    ...(addition && { pooled: make(1, addition.inputs - 6 * addition.timeWidth), timeIds: make(1, 6) }),
  })
}

function tryAutoencoder(weights: Weights, config: AutoencoderConfig): void {
  const side = config.factor
  const { mean } = encode(weights, config, zeros([1, 3, side, side], 'float32', weights.device))
  decode(weights, config, mean)
}
