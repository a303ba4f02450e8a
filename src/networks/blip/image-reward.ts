/**
 * The network of ImageReward (Xu et al. 2023, arXiv:2304.05977, §3.1): BLIP reads the prompt with the image before its eyes, and
 * a head turns what it makes of both into a number. From files, as its authors' code computes it.
 */
import { AttuneError, FormatError } from '../../errors.ts'
import { cat, tensor, zeros } from '../../tensor/create.ts'
import type { Dtype } from '../../tensor/dtype.ts'
import { withTf32 } from '../../tensor/library.ts'
import { tensorScope } from '../../tensor/scope.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { hashWeights } from '../checkpoint/hash-weights.ts'
import { locateWeights } from '../checkpoint/locate-weights.ts'
import { checkNetwork, type CheckedNetwork } from '../checkpoint/open-network.ts'
import { clipDefaults, preprocess, type Preprocessing } from '../clip/preprocess.ts'
import { Weights } from '../weights.ts'
import { blipConfigOf, headLayers, textLength, type BlipConfig } from './config.ts'
import { groundedText, type TextTokens } from './text-tower.ts'
import { imageStates } from './vision-tower.ts'
import { openVocabulary, vocabularyName } from './vocabulary.ts'
import type { WordPieceTokenizer } from './word-piece.ts'

/** What the scores of its validation set were normalised by. */
const mean = 0.16717362830052426
const deviation = 1.0333394966054072

/** Images that are computed at once; more would take more memory and no less time. */
const mostAtOnce = 32

/** An ImageReward whose parts fit each other, with nothing loaded yet. */
export interface CheckedImageReward {
  readonly config: BlipConfig
  readonly tokenizer: WordPieceTokenizer
  readonly network: CheckedNetwork
}

export interface ImageRewardNetwork {
  /** SHA-256 of the weights. */
  readonly sha256: string
  /** Where it computes: `cpu`, `cuda:0`. */
  readonly device: string
  /** The class tokens of images: pixels [B, 3, H, W] in [-1, 1], on any device → [B, width], float32. */
  imageFeatures(pixels: Tensor): Tensor
  /**
   * What it makes of images and their prompts: pixels [B, 3, H, W] in [-1, 1], on any device → [B, width], float32.
   * @param rounded to whole levels of 255 as its images of files were; without, there is a graph to the pixels
   */
  features(pixels: Tensor, texts: readonly string[], settings: { readonly rounded: boolean }): Tensor
  /** The scores of such features: [B, width] → [B], float32. */
  head(features: Tensor): Tensor
  /** The same by its shapes alone, which belong to the scope in force: see `GenerativeModel.hollow`. */
  hollow(): ImageRewardNetwork
}

/** In files, and no part of the score: BLIP's projections for comparing images with texts, and positions that are counted anyway. */
const ignored = [
  ...['vision_proj', 'text_proj'].flatMap((name) => [`blip.${name}.weight`, `blip.${name}.bias`]),
  'blip.text_encoder.embeddings.position_ids',
]

/** Whether a BLIP with a head on it lies there, by the names of its tensors; of what is broken or not there, false. */
export function isImageRewardAt(name: string): boolean {
  try {
    const { entries } = locateWeights(name).found
    return entries.has('blip.text_encoder.embeddings.word_embeddings.weight') && entries.has('mlp.layers.0.weight')
  } catch (error) {
    if (error instanceof AttuneError) return false
    throw error
  }
}

/**
 * Reads the vocabulary and the headers of the weights.
 *
 * @param name a .safetensors file, a folder with one, or owner/name in the Hugging Face cache
 * @throws {FileError | FormatError} see {@link openImageReward}
 */
export function checkImageReward(name: string): CheckedImageReward {
  const { folder, found } = locateWeights(name)
  const config = blipConfigOf(found)
  const network = checkNetwork({ found, ignored, use: (weights) => tryNetwork(weights, config) })
  const { file, tokenizer, size } = openVocabulary(folder)
  if (size !== config.text.vocabulary) {
    throw new FormatError({
      where: file,
      expected: `${config.text.vocabulary} tokens with [DEC] and [ENC], as the weights have words`,
      received: String(size),
      remedy: `put the vocabulary of ${vocabularyName} there`,
    })
  }
  return { config, tokenizer, network }
}

/**
 * A prompt's image through BLIP, its text encoder's first token through the head: (head(BLIP(image, prompt)₀) − mean)/deviation.
 *
 * The network is checked against the headers of its files before they are read. `dtype` is that of its weights and of
 * computing, but for the head, which computes in float32. With `tf32` a GPU rounds factors of float32 to 10 bits of mantissa.
 *
 * @throws {FileError} weights or vocabulary are missing
 * @throws {FormatError} names file and key: another network, such as one with another head, or another vocabulary
 * @see Xu et al. 2023 (ImageReward, arXiv:2304.05977), §3.1; its code for widths and constants
 */
export function openImageReward(
  name: string,
  { dtype, device, tf32 = false }: { dtype: Dtype; device: string; tf32?: boolean },
): ImageRewardNetwork {
  const { config, tokenizer, network } = checkImageReward(name)
  const sha256 = hashWeights(network.found.files)
  const weights = Weights.of(network.load({ dtype, device }), { dtype })
  return networkOf({ config, tokenizer, sha256, tf32 }, weights)
}

interface Opened extends Omit<CheckedImageReward, 'network'> {
  readonly sha256: string
  readonly tf32: boolean
}

function networkOf(opened: Opened, weights: Weights): ImageRewardNetwork {
  const { config, tokenizer, sha256, tf32 } = opened
  const { imageSize } = config.vision
  const preprocessing: Preprocessing = { ...clipDefaults, shortestSide: imageSize, crop: imageSize, middle: 'even' }
  const quickly = (compute: () => Tensor) => (tf32 ? withTf32(compute) : compute())
  const imagesOf = (pixels: Tensor, rounded: boolean) =>
    imageStates(weights.at('blip.visual_encoder'), config.vision, preprocess(pixels, preprocessing, { rounded }))
  return {
    sha256,
    device: weights.device,
    imageFeatures: (pixels) => quickly(() => inBatches(weights, pixels, (batch) => imagesOf(batch, true).select(1, 0))),
    features(pixels, texts, { rounded }) {
      const compute = () =>
        inBatches(weights, pixels, (batch, from, to) =>
          together(weights, config, imagesOf(batch, rounded), tokensOf(weights, tokenizer, texts.slice(from, to))),
        )
      return rounded ? quickly(compute) : compute()
    },
    head: (features) => headScore(weights, config, features),
    hollow: () => networkOf(opened, weights.hollow()),
  }
}

function tryNetwork(weights: Weights, config: BlipConfig): void {
  const { device } = weights
  const { imageSize } = config.vision
  const images = imageStates(
    weights.at('blip.visual_encoder'),
    config.vision,
    zeros([1, 3, imageSize, imageSize], 'float32', device),
  )
  const ids = zeros([1, textLength], 'int64', device)
  const mask = zeros([1, 1, 1, textLength], 'float32', device)
  headScore(weights, config, together(weights, config, images, { ids, mask }))
}

const together = (weights: Weights, { text, vision }: BlipConfig, images: Tensor, tokens: TextTokens) =>
  groundedText(weights.at('blip.text_encoder'), text, tokens, images, vision.width)

function tokensOf(weights: Weights, tokenizer: WordPieceTokenizer, texts: readonly string[]): TextTokens {
  const all = texts.map((text) => tokenizer.encode(text, textLength))
  const offsets = all.flatMap(({ ids, count }) => ids.map((_, i) => (i < count ? 0 : -1e4)))
  return {
    ids: tensor(all.flatMap(({ ids }) => ids), [texts.length, textLength], 'int64').to(weights.device), // prettier-ignore
    mask: tensor(offsets, [texts.length, 1, 1, textLength]).to(weights.dtype).to(weights.device),
  }
}

/** Linear layers without anything between them, then the normalisation. */
function headScore(weights: Weights, { head }: BlipConfig, features: Tensor): Tensor {
  using scope = tensorScope()
  const layers = weights.at('mlp.layers').in('float32')
  const x = headLayers.reduce((h, layer, i) => layers.linear(String(layer), h, head[i], head[i + 1] ?? 1), features)
  return scope.keep(x.squeeze(1).sub(mean).div(deviation))
}

/** Rows of all images, in float32. */
function inBatches(
  weights: Weights,
  pixels: Tensor,
  rows: (batch: Tensor, from: number, to: number) => Tensor,
): Tensor {
  using scope = tensorScope()
  const batches: Tensor[] = []
  const count = pixels.shape[0]
  for (let from = 0; from < count; from += mostAtOnce) {
    using inner = tensorScope()
    const to = Math.min(from + mostAtOnce, count)
    batches.push(inner.keep(rows(pixels.slice(0, from, to).to(weights.device), from, to).to('float32')))
  }
  return scope.keep(cat(batches))
}
