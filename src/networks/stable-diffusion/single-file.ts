/**
 * Single-file checkpoints of Stable Diffusion 1, 2 and XL, in the names that these were first published with: denoiser,
 * autoencoder and text encoders in one file of tensors, without a word about what they are. Shapes tell the networks; the
 * rest is that of the published models, or of a folder in diffusers' layout that the user names.
 */
import { existsSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { checked } from '../../checked.ts'
import { ConfigError, FormatError } from '../../errors.ts'
import { readSafetensorsHeader, type SafetensorsHeader } from '../../tensor/safetensors.ts'
import { describeTensors, kindOfTensors, type KindOfTensors } from '../checkpoint/kind-of-tensors.ts'
import { resolveCheckpoint } from '../checkpoint/resolve-checkpoint.ts'
import { TextEncoderConfig } from '../clip/config.ts'
import { publishedTokenizer, publishedVocabulary, type Padding } from '../clip/published-tokenizer.ts'
import { readAutoencoderConfig, type AutoencoderConfig } from './autoencoder-config.ts'
import {
  checkAutoencoder,
  checkDenoiser,
  checkTextEncoder,
  tryAutoencoder,
  tryDenoiser,
  tryTextEncoder,
  type CheckedAutoencoder,
  type CheckedTower,
  type CheckpointParts,
  type PartSource,
} from './checked-parts.ts'
import type { CheckpointOptions } from './checkpoint-fields.ts'
import { folderAutoencoder, readFolderConfig } from './folder-parts.ts'
import type { TextTower } from './model.ts'
import { autoencoderJson, textEncoderJson, unetJson, type TextSpelling } from './original-config.ts'
import {
  autoencoderSpelling,
  denoiserSpelling,
  originalWeights,
  parametersOf,
  shapeIn,
  textSpelling,
  type AskedShapes,
  type OriginalNetwork,
} from './original-weights.ts'
import { readUnetConfig, type UnetConfig } from './unet-config.ts'

type Entries = SafetensorsHeader['entries']

const denoiserPrefix = 'model.diffusion_model.'

/** What tells one kind of model from another: where its text encoders stand. */
interface Family {
  readonly name: 'Stable Diffusion 1' | 'Stable Diffusion 2' | 'Stable Diffusion XL'
  readonly towers: readonly {
    readonly name: TextTower['name']
    readonly prefix: string
    readonly spelling: TextSpelling
    readonly isProjected: boolean
    readonly pad: Padding
  }[]
  readonly scalingFactor: number
}

const end = '<|endoftext|>'
const families: readonly Family[] = [
  {
    name: 'Stable Diffusion 1',
    towers: [tower('text_encoder', 'cond_stage_model.transformer.', 'transformers', end)],
    scalingFactor: 0.18215,
  },
  {
    name: 'Stable Diffusion 2',
    towers: [tower('text_encoder', 'cond_stage_model.model.', 'open-clip', '!')],
    scalingFactor: 0.18215,
  },
  {
    name: 'Stable Diffusion XL',
    towers: [
      tower('text_encoder', 'conditioner.embedders.0.transformer.', 'transformers', end),
      { ...tower('text_encoder_2', 'conditioner.embedders.1.model.', 'open-clip', '!'), isProjected: true },
    ],
    scalingFactor: 0.13025,
  },
]

function tower(
  name: TextTower['name'],
  prefix: string,
  spelling: TextSpelling,
  pad: Padding,
): Family['towers'][number] {
  return { name, prefix, spelling, isProjected: false, pad }
}

/**
 * Reads the header of a single file, and of the autoencoder beside it where one is given.
 *
 * @throws {FileError} no such file
 * @throws {FormatError} another kind of model, a network that is missing or does not fit
 * @throws {ConfigError} it does not say what it predicts, and nothing else tells
 */
export function singleFileParts(file: string, options: CheckpointOptions): CheckpointParts {
  const { entries, metadata } = readSafetensorsHeader(file)
  expectCheckpoint(file, entries)
  const family = familyOf(file, entries)
  const known = options.modelConfig ? readFolderConfig(resolveCheckpoint(options.modelConfig)) : undefined
  const isXl = family.name === 'Stable Diffusion XL'

  const scheduler = known?.scheduler ?? {
    json: schedulerJson(predictionOf(file, family, entries, metadata, options), entries),
    where: `${file} (the noise of ${family.name})`,
  }
  const unetConfig = known?.unet.config ?? unetConfigOf(file, entries, scheduler.json.prediction_type, family)
  const asked = parametersOf(tryDenoiser(unetConfig))
  const denoiser = { file, entries, prefix: denoiserPrefix, spell: denoiserSpelling(asked) }
  return {
    place: file,
    pipeline: isXl ? 'StableDiffusionXLPipeline' : 'StableDiffusionPipeline',
    unet: checkOriginal(denoiser, asked, (source) => checkDenoiser(unetConfig, source)),
    vae: options.vae
      ? openAutoencoder(options.vae, family.scalingFactor, known?.vae)
      : ownAutoencoder(file, entries, family.scalingFactor, known?.vae),
    towers: family.towers.map((one, i) => openTower(file, entries, one, known?.towers[i])),
    scheduler,
    zeroEmptyPrompt: isXl && (known?.zeroEmptyPrompt ?? true),
    notes: known === undefined ? [`${file} is read as ${family.name}, with the configuration of its shapes.`] : [],
  }
}

const wholeFolder = 'name the folder of the whole checkpoint, with its model_index.json'
const remedies: Readonly<Partial<Record<KindOfTensors, string>>> = {
  ImageReward: 'give it as --reward, with a checkpoint as --model',
  'a LoRA': 'give it as --policy, with its model as --model',
  'an autoencoder alone': 'give it as --vae, with its model as --model',
  'a denoiser in diffusers’ names, alone': wholeFolder,
  'a denoiser alone': 'take the whole checkpoint, with its text encoders',
  'a text encoder alone': wholeFolder,
  'the averages of training (EMA) alone': `take the file that has them under ${denoiserPrefix}…`,
}

/** @throws {FormatError} named by what it seems to be */
function expectCheckpoint(file: string, entries: Entries): void {
  if (entries.has(`${denoiserPrefix}input_blocks.0.0.weight`)) return
  const kind = kindOfTensors(entries.keys())
  const others =
    kind === undefined
      ? 'check that it is a whole checkpoint of Stable Diffusion 1, 2 or XL'
      : 'choose a checkpoint of Stable Diffusion 1, 2 or XL'
  throw new FormatError({
    where: file,
    expected: `a checkpoint with ${denoiserPrefix}input_blocks.…`,
    received: describeTensors(entries.keys()),
    remedy: (kind && remedies[kind]) ?? others,
  })
}

function familyOf(file: string, entries: Entries): Family {
  const keys = [...entries.keys()]
  const has = (prefix: string) => keys.some((key) => key.startsWith(prefix))
  const family = families.find(({ towers }) => towers.every(({ prefix }) => has(prefix)))
  if (family !== undefined) return family
  const isRefiner = has('conditioner.embedders.0.model.')
  const found = families.flatMap(({ towers }) => towers.map(({ prefix }) => prefix)).filter(has)
  throw new FormatError({
    where: file,
    expected: `text encoders under ${families.flatMap(({ towers }) => towers.map(({ prefix }) => prefix)).join(', ')}`,
    received: isRefiner
      ? 'those of the refiner of Stable Diffusion XL'
      : found.length > 0
        ? `only ${found.join()}`
        : 'none',
    remedy: isRefiner
      ? 'give the base model'
      : 'give the whole checkpoint: this file has been stripped of a text encoder',
  })
}

type PredictionType = NonNullable<CheckpointOptions['predictionType']>

/** What Stable Diffusion 1 and XL predict is known; of 2 there are both kinds in the same shapes. */
function predictionOf(
  file: string,
  { name }: Family,
  entries: Entries,
  metadata: Readonly<Record<string, string>>,
  { predictionType }: CheckpointOptions,
): PredictionType {
  if (predictionType) return predictionType
  const said = metadata['modelspec.prediction_type'] ?? metadata['modelspec.architecture'] ?? saidBeside(file)
  if (entries.has('v_pred') || /^v(?:_prediction|-prediction)?$|-768-v\b/.test(said ?? '')) return 'v_prediction'
  if (/^eps(?:ilon)?$|-v2-512\b/.test(said ?? '') || name !== 'Stable Diffusion 2') return 'epsilon'
  throw new ConfigError({
    where: '--prediction-type',
    expected: 'epsilon (Stable Diffusion 2 base, 512 pixels) or v_prediction (768 pixels)',
    received: `nothing, and ${file} does not say`,
    remedy: 'see the page of the model; the wrong one draws noise or flat colours',
  })
}

/** What the configuration of the original code says, which is often kept beside the file: `x.yaml` of `x.safetensors`. */
function saidBeside(file: string): string | undefined {
  const beside = file.replace(/\.safetensors$/i, '.yaml')
  if (!existsSync(beside)) return undefined
  const text = readFileSync(beside, 'utf8')
  const [, stated] = /^\s*parameterization:\s*["']?(v|eps)\b/m.exec(text) ?? []
  return stated ?? (/\bLatentDiffusion\b/.test(text) ? 'eps' : undefined)
}

/** The noise that all published models share; `ztsnr` is how files say that it reaches a signal of zero. */
function schedulerJson(prediction: PredictionType, entries: Entries): Record<string, unknown> {
  return {
    _class_name: 'DDIMScheduler',
    num_train_timesteps: 1000,
    beta_start: 0.00085,
    beta_end: 0.012,
    beta_schedule: 'scaled_linear',
    clip_sample: false,
    set_alpha_to_one: false,
    steps_offset: 1,
    prediction_type: prediction,
    ...(entries.has('ztsnr') && { rescale_betas_zero_snr: true, timestep_spacing: 'trailing' }),
  }
}

function unetConfigOf(file: string, entries: Entries, prediction: unknown, { name }: Family): UnetConfig {
  const shapes = new Map(
    [...entries].flatMap(([key, { shape }]) =>
      key.startsWith(denoiserPrefix) ? [[key.slice(denoiserPrefix.length), shape] as const] : [],
    ),
  )
  const where = `${file} ${denoiserPrefix}*`
  const side =
    name === 'Stable Diffusion XL' ? 128 : name === 'Stable Diffusion 2' && prediction !== 'epsilon' ? 96 : 64
  return readUnetConfig({ ...unetJson(shapes, where), sample_size: side }, where)
}

/** Checks a network under its original names; complaints spell them so. */
function checkOriginal<T>(
  network: OriginalNetwork,
  parameters: AskedShapes,
  check: (source: PartSource) => T,
  passedOver?: RegExp,
): T {
  const found = originalWeights(network, parameters, passedOver)
  return check({ found, spell: (name) => network.prefix + network.spell(name).key })
}

/** What files hold of text encoders without any use. */
const textLeftovers =
  /position_ids$|^logit_scale$|^text_projection(?:\.weight)?$|^attn_mask$|^transformer\.resblocks\.23\./

function openTower(
  file: string,
  entries: Entries,
  { name, prefix, spelling, isProjected, pad }: Family['towers'][number],
  known: TextTower | undefined,
): CheckedTower {
  // Newer versions of transformers leave `text_model.` out.
  const isShort = spelling === 'transformers' && !entries.has(`${prefix}text_model.final_layer_norm.weight`)
  const spell = textSpelling(spelling)
  const network: OriginalNetwork = {
    file,
    entries,
    prefix,
    spell: isShort ? (one) => ({ key: one.replace(/^text_model\./, '') }) : spell,
  }
  const where = `${file} ${prefix}*`
  const remedy = 'give a folder in diffusers’ layout that has the configuration of this model: --model-config FOLDER'
  const json = textEncoderJson((one) => shapeIn(network, one), spelling, isProjected)
  const config = known?.config ?? checked(TextEncoderConfig, json, where, remedy)
  if (known === undefined && config.text.vocabulary !== publishedVocabulary) {
    throw new FormatError({
      where,
      expected: `a vocabulary of ${publishedVocabulary} tokens, that of all published CLIPs`,
      received: String(config.text.vocabulary),
      remedy,
    })
  }
  return {
    name,
    config,
    tokenizer: known?.tokenizer ?? publishedTokenizer(pad),
    network: checkOriginal(
      network,
      parametersOf(tryTextEncoder(config)),
      (source) => checkTextEncoder(config, source),
      textLeftovers,
    ),
  }
}

const autoencoderPrefixes = ['first_stage_model.', 'vae.', '']
const autoencoderLeftovers = /^(?:loss|model_ema)\.|^(?!encoder\.|decoder\.|quant_conv\.|post_quant_conv\.)/

function ownAutoencoder(
  file: string,
  entries: Entries,
  scalingFactor: number,
  known: AutoencoderConfig | undefined,
): CheckedAutoencoder {
  const prefix = autoencoderPrefixes.find((one) => entries.has(`${one}decoder.conv_in.weight`))
  if (prefix === undefined) {
    throw new FormatError({
      where: file,
      expected: 'an autoencoder under first_stage_model.',
      received: 'none',
      remedy: 'give one of the same kind of model: --vae FILE',
    })
  }
  const isOriginal = entries.has(`${prefix}decoder.mid.block_1.conv1.weight`)
  const spelled = (levels: number): OriginalNetwork => ({
    file,
    entries,
    prefix,
    spell: isOriginal ? autoencoderSpelling(levels) : (name) => ({ key: name }),
  })
  // Only the decoder's names depend on the number of levels, and its shapes are those of the encoder.
  const json = autoencoderJson((name) => shapeIn(spelled(0), name), scalingFactor)
  const config = known ?? readAutoencoderConfig(json, `${file} ${prefix}*`)
  return checkOriginal(
    spelled(config.blockOutChannels.length),
    parametersOf(tryAutoencoder(config)),
    (source) => checkAutoencoder(config, source),
    autoencoderLeftovers,
  )
}

/**
 * An autoencoder by itself: a file in the original names or in diffusers', a folder with its `config.json`, a checkpoint
 * whose `vae` it is, or a model in the Hugging Face cache.
 *
 * @param scalingFactor of the model that it is for, which a file does not tell
 * @param known its configuration, if it is not to be read off the shapes of a file
 * @throws {FileError | FormatError} no autoencoder
 */
export function openAutoencoder(name: string, scalingFactor: number, known?: AutoencoderConfig): CheckedAutoencoder {
  if (statSync(name, { throwIfNoEntry: false })?.isFile() === true) {
    return ownAutoencoder(name, readSafetensorsHeader(name).entries, scalingFactor, known)
  }
  const folder = resolveCheckpoint(name)
  return folderAutoencoder(existsSync(join(folder, 'vae')) ? join(folder, 'vae') : folder)
}
