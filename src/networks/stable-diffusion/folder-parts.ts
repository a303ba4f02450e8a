/** The parts of a checkpoint in diffusers' layout. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { FormatError } from '../../errors.ts'
import { expectClass, readConfig } from '../checkpoint/component-config.ts'
import { findWeights } from '../checkpoint/find-weights.ts'
import { kindOfFolder } from '../checkpoint/kind-of-folder.ts'
import { TextEncoderConfig } from '../clip/config.ts'
import { openTokenizer, type ClipTokenizer } from '../clip/tokenizer.ts'
import { readAutoencoderConfig, type AutoencoderConfig } from './autoencoder-config.ts'
import {
  checkAutoencoder,
  checkDenoiser,
  checkTextEncoder,
  pipelines,
  type CheckedAutoencoder,
  type CheckedTower,
  type CheckpointParts,
  type JsonFile,
} from './checked-parts.ts'
import type { TextTower } from './model.ts'
import { readUnetConfig, type UnetConfig } from './unet-config.ts'

const AnyJson = z.looseObject({})
const Index = z.looseObject({
  _class_name: z.string().optional(),
  /** Where it was when it was saved. */
  _name_or_path: z.string().optional(),
  force_zeros_for_empty_prompt: z.boolean().default(true),
})

/** What a folder says of its networks, without their weights. */
export interface FolderConfig extends Pick<
  CheckpointParts,
  'pipeline' | 'scheduler' | 'zeroEmptyPrompt' | 'formerName'
> {
  readonly folder: string
  readonly unet: JsonFile & { readonly config: UnetConfig }
  readonly vae: AutoencoderConfig
  readonly towers: readonly TextTower[]
}

/**
 * @throws {FileError} a part is missing
 * @throws {FormatError} names file and field: a class that is not supported, a part that it was saved without; or what the
 * folder is in place of a checkpoint
 */
export function readFolderConfig(folder: string): FolderConfig {
  const read = (file: string): JsonFile => ({ json: readConfig(folder, file, AnyJson), where: join(folder, file) })
  const kind = existsSync(join(folder, 'model_index.json')) ? undefined : kindOfFolder(folder)
  if (kind !== undefined) {
    const expected = 'model_index.json with the parts that it names, or a single .safetensors file'
    throw new FormatError({ where: folder, expected, ...kind })
  }
  const index = readConfig(folder, 'model_index.json', Index)
  const pipeline = expectClass(index, pipelines, join(folder, 'model_index.json'))
  const isXl = pipeline === 'StableDiffusionXLPipeline'
  const names = isXl ? (['text_encoder', 'text_encoder_2'] as const) : (['text_encoder'] as const)
  for (const part of ['unet', 'vae', 'scheduler', ...names]) expectPart(folder, part, index[part])
  const unet = read('unet/config.json')
  return {
    folder,
    pipeline,
    unet: { ...unet, config: readUnetConfig(unet.json, unet.where) },
    vae: readVaeConfig(join(folder, 'vae')),
    towers: names.map((name) => readTower(folder, name)),
    scheduler: read('scheduler/scheduler_config.json'),
    zeroEmptyPrompt: isXl && index.force_zeros_for_empty_prompt,
    formerName: index._name_or_path,
  }
}

/** @throws {FormatError} a part that the checkpoint was saved without, as `[null, null]` */
function expectPart(folder: string, part: string, stated: unknown): void {
  if (stated !== null && !(Array.isArray(stated) && stated.every((one) => one === null))) return
  throw new FormatError({
    where: `${join(folder, 'model_index.json')} ${part}`,
    expected: 'the class of this part',
    received: 'null: it was saved without',
    remedy: 'choose a whole checkpoint',
  })
}

function readVaeConfig(folder: string): AutoencoderConfig {
  return readAutoencoderConfig(readConfig(folder, 'config.json', AnyJson), join(folder, 'config.json'))
}

function readTower(folder: string, name: TextTower['name']): TextTower {
  const config = readConfig(join(folder, name), 'config.json', TextEncoderConfig)
  const tokenizerFolder = join(folder, name.replace('text_encoder', 'tokenizer'))
  const tokenizer: ClipTokenizer = openTokenizer(tokenizerFolder)
  if (tokenizer.length === config.text.length) return { name, config, tokenizer }
  throw new FormatError({
    where: tokenizerFolder,
    expected: `texts of ${config.text.length} tokens, as ${name}/config.json says`,
    received: `${tokenizer.length}`,
    remedy: 'tokenizer and text encoder belong to different checkpoints',
  })
}

/**
 * Reads the configurations and the headers of the weights of all parts.
 *
 * @param replace the autoencoder in place of the folder's own, given the configuration of that
 * @throws {FileError | FormatError} as {@link readFolderConfig}; weights that do not fit their configuration
 */
export function folderParts(folder: string, replace?: (own: AutoencoderConfig) => CheckedAutoencoder): CheckpointParts {
  const { unet, vae: vaeConfig, towers, ...others } = readFolderConfig(folder)
  const vae = replace?.(vaeConfig)
  expectParts(folder, unet.config, vae?.config ?? vaeConfig, towers)
  return {
    ...others,
    place: folder,
    unet: checkDenoiser(unet.config, { found: findWeights(join(folder, 'unet'), 'diffusion_pytorch_model') }),
    vae: vae ?? folderAutoencoder(join(folder, 'vae')),
    towers: towers.map((tower): CheckedTower => {
      const found = findWeights(join(folder, tower.name), 'model')
      return { ...tower, network: checkTextEncoder(tower.config, { found }) }
    }),
    notes: sizeNotes(unet),
  }
}

/** The autoencoder of a folder with its `config.json` and weights. @throws as {@link folderParts} */
export function folderAutoencoder(folder: string): CheckedAutoencoder {
  return checkAutoencoder(readVaeConfig(folder), { found: findWeights(folder, 'diffusion_pytorch_model') })
}

function sizeNotes({ json, config: { sampleSize } }: FolderConfig['unet']): string[] {
  const { sample_size: stated } = json
  if (typeof stated !== 'number' || sampleSize === undefined || stated === sampleSize[0]) return []
  return [
    `Its configuration says ${stated} × ${stated} latents, as diffusers before 0.9 wrote for all models; it draws ${sampleSize[0]} × ${sampleSize[1]}, that of its training.`,
  ]
}

/** @throws {FormatError} parts of different checkpoints */
function expectParts(folder: string, unet: UnetConfig, vae: AutoencoderConfig, towers: readonly TextTower[]): void {
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
