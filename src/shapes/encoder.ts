/** The embedded CLIP-like encoder behind the interface that rewards use. */
import { VocabularyError } from '../errors.ts'
import { preprocess, type Preprocessing } from '../networks/clip/preprocess.ts'
import { embeddingWidth, imageEmbedding, textEmbedding } from '../networks/embedded/clip.ts'
import type { ImageTextEncoder } from '../networks/image-text-encoder.ts'
import type { Weights } from '../networks/weights.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { textSize, tokenRows } from './model.ts'
import { imageSize } from './scene.ts'
import { tokenize } from './vocabulary.ts'

export function shapesEncoder(weights: Weights, sha256: string): ImageTextEncoder {
  return {
    name: 'shapes-clip',
    sha256,
    width: embeddingWidth,
    device: 'cpu',
    embedImages: (pixels) => imageEmbedding(weights, ownSize(pixels.to('cpu'), { rounded: true })),
    embedWithGradient: (pixels) => imageEmbedding(weights, ownSize(pixels.to('cpu'), { rounded: false })),
    canRead,
    embedTexts: (texts) => textEmbedding(weights, tokenRows(texts), textSize),
    tuning: {
      weights,
      logitScale: {
        parameter: 'logitScale',
        // As it was pre-trained.
        get value() {
          return 10 ** weights.parameter('logitScale', [1], 'ones').item()
        },
      },
      isAdapterTarget: (name) => adapterTargets.test(name),
      with: (change) => shapesEncoder(weights.with(change), sha256),
      usual: { batchSize: 32, learningRates: { lora: 1e-3, all: 1e-4 } },
    },
  }
}

/** Attention, feed-forward and convolutions of both towers. */
const adapterTargets = /\.(to_[qkv]|to_out|up|down|conv[12])\.weight$/

function canRead(text: string): boolean {
  try {
    tokenize(text)
    return true
  } catch (error) {
    if (error instanceof VocabularyError) return false
    throw error
  }
}

/** To [-1, 1] again. */
const small: Preprocessing = {
  shortestSide: imageSize,
  crop: imageSize,
  mean: [0.5, 0.5, 0.5],
  deviation: [0.5, 0.5, 0.5],
}

/** Pictures that people bring have other sizes: the middle of them, made small as CLIP does. */
function ownSize(pixels: Tensor, rounding: { readonly rounded: boolean }): Tensor {
  const [, , height, width] = pixels.shape
  return height === imageSize && width === imageSize ? pixels : preprocess(pixels, small, rounding)
}
