/** A CLIPModel as transformers saves it, behind the interface that rewards use (Radford et al. 2021). */
import { copyFileSync, existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { FormatError } from '../../errors.ts'
import { writing } from '../../files.ts'
import { cat, tensor, zeros } from '../../tensor/create.ts'
import type { Dtype } from '../../tensor/dtype.ts'
import { withTf32 } from '../../tensor/library.ts'
import { readSafetensors, writeSafetensors } from '../../tensor/safetensors.ts'
import { tensorScope } from '../../tensor/scope.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { readConfig } from '../checkpoint/component-config.ts'
import { findWeights, type FoundWeights } from '../checkpoint/find-weights.ts'
import { hashWeights } from '../checkpoint/hash-weights.ts'
import { checkNetwork, type CheckedNetwork } from '../checkpoint/open-network.ts'
import { resolveCheckpoint } from '../checkpoint/resolve-checkpoint.ts'
import type { ImageTextEncoder } from '../image-text-encoder.ts'
import { Weights } from '../weights.ts'
import { ClipConfig } from './config.ts'
import { preprocess, PreprocessorConfig, type Preprocessing } from './preprocess.ts'
import { projectText, textBuffers, textModel } from './text-model.ts'
import { openTokenizer, type ClipTokenizer } from './tokenizer.ts'
import { projectImage, visionBuffers, visionModel } from './vision-model.ts'

export interface ClipEncoder extends ImageTextEncoder {
  /** What cosines are multiplied by to be logits: exp of the parameter `logit_scale`. */
  readonly logitScale: number
}

/** Images or texts that are encoded at once; more would take more memory and no less time. */
const mostAtOnce = 32

/** A CLIPModel whose parts fit each other, with nothing loaded yet. */
export interface CheckedClip {
  readonly config: ClipConfig
  readonly preprocessing: Preprocessing
  readonly tokenizer: ClipTokenizer
  readonly network: CheckedNetwork
}

/**
 * Reads the configurations of a CLIPModel and the headers of its weights.
 *
 * @throws {FileError | FormatError} see {@link openClip}
 */
export function checkClip(folder: string): CheckedClip {
  const config = readConfig(folder, 'config.json', ClipConfig)
  const preprocessing = openPreprocessing(folder, config)
  const tokenizer = openTokenizer(folder)
  expectTokenizer(folder, config, tokenizer)
  const network = checkNetwork({
    found: findWeights(folder, 'model'),
    ignored: [...textBuffers, ...visionBuffers],
    use: (weights) => tryClip(weights, config),
  })
  return { config, preprocessing, tokenizer, network }
}

/**
 * The network is checked against the headers of its files before they are read. `dtype` is that of its weights and of
 * computing; embeddings are float32. With `tf32` a GPU rounds factors of float32 to 10 bits of mantissa on the way there, which
 * is several times quicker. On the device `meta` it is open by its shapes alone: no weights are read, and its SHA-256 is empty.
 *
 * @param name a folder with `config.json`, weights and tokenizer and, where it is there, `preprocessor_config.json`; or
 *   owner/name in the Hugging Face cache
 * @throws {FileError} a file is missing
 * @throws {FormatError} names file and field or key: another network than a CLIPModel, weights that do not fit the
 *   config, parts that do not fit each other
 */
export function openClip(
  name: string,
  { dtype, device, tf32 = false }: { dtype: Dtype; device: string; tf32?: boolean },
): ClipEncoder {
  const folder = resolveCheckpoint(name)
  const { config, preprocessing, tokenizer, network } = checkClip(folder)
  const sha256 = device === 'meta' ? '' : hashWeights(network.found.files)
  const logitScale = readLogitScale(network.found)
  const weights = Weights.of(network.load({ dtype, device }), { dtype })
  return encoderOf({ name, folder, sha256, logitScale, config, preprocessing, tokenizer, tf32 }, weights)
}

type Opened = Omit<CheckedClip, 'network'> &
  Pick<ClipEncoder, 'name' | 'sha256' | 'logitScale'> & { readonly folder: string; readonly tf32: boolean }

function encoderOf(opened: Opened, weights: Weights): ClipEncoder {
  const { name, folder, sha256, logitScale, config, preprocessing, tokenizer, tf32 } = opened
  const quickly = (embed: () => Tensor) => (tf32 ? withTf32(embed) : embed())
  return {
    name,
    sha256,
    width: config.projection,
    device: weights.device,
    logitScale,
    embedImages: (pixels) =>
      quickly(() => embedImages(weights, config, (batch) => preprocess(batch, preprocessing), pixels)),
    embedWithGradient: (pixels) =>
      embedImages(weights, config, (batch) => preprocess(batch, preprocessing, { rounded: false }), pixels),
    textLength: (text) => ({ tokens: tokenizer.count(text), read: tokenizer.length }),
    embedTexts: (texts) => quickly(() => embedTexts(weights, config, tokenizer, texts)),
    hollow: () => encoderOf(opened, weights.hollow()),
    tuning: {
      weights,
      logitScale: { parameter: logitScaleKey, value: logitScale },
      isAdapterTarget: (parameter) => adapterTargets.test(parameter),
      with: (change) => encoderOf(opened, weights.with(change)),
      usual: { batchSize: 128, learningRates: { lora: 1e-4, all: 3e-6 } },
      save: (to, tensors) => saveClip(folder, to, tensors),
    },
  }
}

const logitScaleKey = 'logit_scale'
/** In the layers of both towers. */
const adapterTargets = /\.(q_proj|k_proj|v_proj|out_proj|fc1|fc2)\.weight$/

/** What makes a checkpoint beside its weights, as far as it is there. */
const besideWeights = [
  'config.json',
  'preprocessor_config.json',
  'tokenizer_config.json',
  'special_tokens_map.json',
  'vocab.json',
  'merges.txt',
  'tokenizer.json',
]

/** A CLIPModel as transformers saves it, with all but its weights from another one. */
function saveClip(from: string, to: string, tensors: ReadonlyMap<string, Tensor>): void {
  writing(to, () => {
    mkdirSync(to, { recursive: true })
    for (const name of besideWeights) if (existsSync(join(from, name))) copyFileSync(join(from, name), join(to, name))
  })
  writeSafetensors(join(to, 'model.safetensors'), tensors, { format: 'pt' })
}

function openPreprocessing(folder: string, { vision }: ClipConfig): Preprocessing {
  const file = 'preprocessor_config.json'
  const { imageSize } = vision
  if (!existsSync(join(folder, file))) return PreprocessorConfig.parse({ size: imageSize, crop_size: imageSize })
  const preprocessing = readConfig(folder, file, PreprocessorConfig)
  if (preprocessing.crop !== imageSize) {
    const expected = `${imageSize}, the vision_config.image_size of config.json`
    throw otherCheckpoint(join(folder, `${file} crop_size`), expected, preprocessing.crop)
  }
  return preprocessing
}

function expectTokenizer(folder: string, { text }: ClipConfig, { length, eos }: ClipTokenizer): void {
  const where = join(folder, 'config.json text_config.')
  const expectEqual = (field: string, expected: number, what: string, received: number) => {
    if (expected !== received) throw otherCheckpoint(where + field, `${expected}, ${what}`, received)
  }
  expectEqual('max_position_embeddings', length, 'the length of the tokenizer’s texts', text.length)
  expectEqual('eos_token_id', eos, 'the tokenizer’s end token', text.endToken ?? eos)
  if (eos >= text.vocabulary) {
    throw otherCheckpoint(`${where}vocab_size`, `more than ${eos}, the tokenizer’s end token`, text.vocabulary)
  }
}

function otherCheckpoint(where: string, expected: string, received: number): FormatError {
  const remedy = 'the files of this folder belong to different checkpoints'
  return new FormatError({ where, expected, received: String(received), remedy })
}

function tryClip(weights: Weights, config: ClipConfig): void {
  const { text, vision } = config
  const { device } = weights
  textFeatures(weights, config, zeros([1, text.length], 'int64', device))
  imageFeatures(weights, config, zeros([1, 3, vision.imageSize, vision.imageSize], 'float32', device))
  weights.parameter(logitScaleKey, [], 'zeros')
}

const textFeatures = (weights: Weights, { text, projection }: ClipConfig, ids: Tensor) =>
  projectText(weights, text, projection, textModel(weights, text, ids).pooled)

const imageFeatures = (weights: Weights, { vision, projection }: ClipConfig, pixels: Tensor) =>
  projectImage(weights, vision, projection, visionModel(weights, vision, pixels))

/** As it is stored: in bfloat16, 100 would be 98.9. */
function readLogitScale({ entries }: FoundWeights): number {
  using _scope = tensorScope()
  const { tensors } = readSafetensors(entries.get(logitScaleKey)!.file, { only: (name) => name === logitScaleKey })
  return Math.exp(tensors.get(logitScaleKey)!.item())
}

function embedImages(
  weights: Weights,
  config: ClipConfig,
  prepare: (pixels: Tensor) => Tensor,
  pixels: Tensor,
): Tensor {
  return inBatches(pixels.shape[0], (from, to) => {
    const batch = pixels.slice(0, from, to).to(weights.device)
    return imageFeatures(weights, config, prepare(batch))
  })
}

function embedTexts(weights: Weights, config: ClipConfig, tokenizer: ClipTokenizer, texts: readonly string[]): Tensor {
  return inBatches(texts.length, (from, to) => {
    const ids = texts.slice(from, to).map((text) => tokenizer.encode(text))
    const batch = tensor(ids.flat(), [ids.length, tokenizer.length], 'int64')
    return textFeatures(weights, config, batch.to(weights.device))
  })
}

/** Features of rows 0 … count − 1 as unit vectors [count, projection], float32. */
function inBatches(count: number, features: (from: number, to: number) => Tensor): Tensor {
  using scope = tensorScope()
  const batches: Tensor[] = []
  for (let from = 0; from < count; from += mostAtOnce) {
    using inner = tensorScope()
    const rows = features(from, Math.min(from + mostAtOnce, count)).to('float32')
    batches.push(inner.keep(rows.div(rows.square().sum(1, true).sqrt())))
  }
  return scope.keep(cat(batches))
}
