/** LAION's aesthetic predictors as rewards: how much people like an image, whatever the prompt says. */
import { statSync } from 'node:fs'
import { ConfigError, FormatError } from '../../errors.ts'
import { hashWeights } from '../../networks/checkpoint/hash-weights.ts'
import type { ImageTextEncoder } from '../../networks/image-text-encoder.ts'
import { cat } from '../../tensor/create.ts'
import { linear } from '../../tensor/functional.ts'
import { readSafetensors } from '../../tensor/safetensors.ts'
import { tensorScope, unscoped } from '../../tensor/scope.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { openEncoder } from '../encoding/open-encoder.ts'
import { rememberTexts } from '../encoding/text-cache.ts'
import type { Reward } from '../reward.ts'
import type { RewardKind } from './reward-kind.ts'
import { embeddingReward } from '../embedding-reward.ts'

export const aestheticHead: RewardKind = {
  what: 'an aesthetic head (.safetensors)',
  claims: (name) => /\.safetensors$/i.test(name) && statSync(name, { throwIfNoEntry: false })?.isFile() === true,
  open(file, config) {
    if (config.encoder === undefined || config.encoder === null) {
      throw new ConfigError({
        where: '--encoder',
        expected: `the CLIPModel whose embeddings ${file} reads`,
        received: 'nothing',
        remedy:
          'LAION’s predictors read openai/clip-vit-large-patch14: a folder, or owner/name in the Hugging Face cache',
      })
    }
    return aestheticReward(file, rememberTexts(openEncoder(config.encoder, config)))
  },
}

/** One linear layer: weight [out, in], bias [out]. */
interface Layer {
  readonly weight: Tensor
  readonly bias: Tensor
}

/**
 * A score of about 1 to 10 from the unit embedding of the image alone. The first predictor is one linear layer (tensors
 * `weight` and `bias`), the improved one five (`layers.0.weight` …) without activations in between; its dropout is off.
 * The published ones were fitted on OpenAI's CLIP ViT-L/14: embeddings of another CLIP of the same width give numbers
 * without meaning, and nothing in the file tells. Features are the embeddings of image and text, [B, 2 d].
 *
 * @param file safetensors
 * @throws {FileError} no such file
 * @throws {FormatError} another network, or one for embeddings of another width
 */
function aestheticReward(file: string, encoder: ImageTextEncoder): Reward {
  const layers = unscoped(() => readLayers(file, encoder))
  return embeddingReward({
    name: file,
    sha256: `${hashWeights([file])} ${encoder.sha256}`,
    range: undefined,
    encoder,
    score: (images) => layers.reduce((x, { weight, bias }) => linear(x, weight, bias), images).squeeze(1),
    features: (images, texts) => cat([images, texts], 1),
  })
}

function readLayers(file: string, encoder: ImageTextEncoder): Layer[] {
  using scope = tensorScope()
  const { tensors } = readSafetensors(file)
  const numbers = [...tensors.keys()].flatMap((key) => /^layers\.(\d+)\.weight$/.exec(key)?.[1] ?? [])
  const prefixes =
    numbers.length === 0 ? [''] : numbers.sort((a, b) => Number(a) - Number(b)).map((n) => `layers.${n}.`)
  let width = encoder.width
  const take = (key: string, fits: (shape: readonly number[]) => boolean, expected: string): Tensor => {
    const found = tensors.get(key)
    if (found !== undefined && fits(found.shape)) return scope.keep(found.to('float32'))
    throw new FormatError({
      where: `${file} ${key}`,
      expected: `${expected}, as in an aesthetic predictor for embeddings of ${encoder.name}`,
      received: found === undefined ? 'no such tensor' : `[${found.shape.join(', ')}]`,
      remedy: 'give a head in LAION’s layout, and the CLIPModel that it was fitted on with --encoder',
    })
  }
  return prefixes.map((prefix, i) => {
    const isLast = i === prefixes.length - 1
    const weight = take(
      `${prefix}weight`,
      (shape) => shape.length === 2 && shape[1] === width && (shape[0] === 1 || !isLast),
      `[${isLast ? 1 : 'n'}, ${width}]`,
    )
    width = weight.shape[0]
    return {
      weight,
      bias: take(`${prefix}bias`, ([size, ...more]) => size === width && more.length === 0, `[${width}]`),
    }
  })
}
