/** Detectors of objects, from files. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { FormatError } from '../../errors.ts'
import { noGrad } from '../../tensor/autograd.ts'
import { cat, tensor, zeros } from '../../tensor/create.ts'
import { tensorScope } from '../../tensor/scope.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { readConfig } from '../checkpoint/component-config.ts'
import { findWeights } from '../checkpoint/find-weights.ts'
import { hashWeights } from '../checkpoint/hash-weights.ts'
import { checkNetwork } from '../checkpoint/open-network.ts'
import { resolveCheckpoint } from '../checkpoint/resolve-checkpoint.ts'
import { OwlVitConfig } from '../clip/config.ts'
import { clipDefaults, preprocessSquare } from '../clip/preprocess.ts'
import { openTokenizer } from '../clip/tokenizer.ts'
import { Weights } from '../weights.ts'
import { embedQueries, findBoxes } from './owl-vit.ts'

/** A box and how well each text fits what is in it. */
export interface FoundBox {
  /** Left, top, right, bottom, as shares of the image's width and height; may reach beyond it. */
  readonly box: readonly [number, number, number, number]
  /** In (0, 1), one a text. */
  readonly scores: readonly number[]
}

interface DetectorFacts {
  readonly network: string
  readonly resize: string
  readonly sha256: string
}

/** Finds what texts name in images. */
export interface Detector extends DetectorFacts {
  /** Pixels [B, 3, H, W] in [-1, 1], on any device → all boxes of each image. */
  find(pixels: Tensor, texts: readonly string[]): FoundBox[][]
}

export interface CheckedDetector extends DetectorFacts {
  open(device: string): Detector
}

const side = z.int().positive()
/** In its older form, a list of two. */
const Processor = z.looseObject({
  size: z
    .union(
      [
        side,
        z.tuple([side, side]).transform(([height]) => height),
        z.looseObject({ height: side, width: side }).transform(({ height }) => height),
      ],
      'a whole number, or {"height": …, "width": …}',
    )
    .optional(),
  image_mean: z.tuple([z.number(), z.number(), z.number()]).default([...clipDefaults.mean]),
  image_std: z.tuple([z.number(), z.number(), z.number()]).default([...clipDefaults.deviation]),
})

/**
 * Reads configurations and the headers of weights.
 *
 * @param name a folder with `config.json`, weights and tokenizer of an OwlViTForObjectDetection, or owner/name in the
 *   Hugging Face cache
 * @throws {FileError} something is missing
 * @throws {FormatError} names file and field or tensor: another network, or weights that do not fit it
 */
export function checkDetector(name: string): CheckedDetector {
  const folder = resolveCheckpoint(name)
  const config = readConfig(folder, 'config.json', OwlVitConfig)
  const { text, vision } = config
  const tokenizer = openTokenizer(folder)
  if (tokenizer.length !== text.length || tokenizer.eos >= text.vocabulary) {
    throw new FormatError({
      where: join(folder, 'config.json text_config'),
      expected: `max_position_embeddings ${tokenizer.length} and vocab_size above ${tokenizer.eos}, as the tokenizer has it`,
      received: `${text.length} and ${text.vocabulary}`,
      remedy: 'the files of this folder belong to different checkpoints',
    })
  }
  const file = 'preprocessor_config.json'
  const processor = existsSync(join(folder, file)) ? readConfig(folder, file, Processor) : Processor.parse({})
  if (processor.size !== undefined && processor.size !== vision.imageSize) {
    throw new FormatError({
      where: join(folder, `${file} size`),
      expected: `${vision.imageSize}, the vision_config.image_size of config.json`,
      received: String(processor.size),
      remedy: 'the files of this folder belong to different checkpoints',
    })
  }
  const channels = { mean: processor.image_mean, deviation: processor.image_std }
  const found = findWeights(folder, 'model')
  const network = checkNetwork({
    found,
    ignored,
    use: (weights) => {
      const { device } = weights
      const queries = embedQueries(weights, config, zeros([1, text.length], 'int64', device))
      findBoxes(weights, config, zeros([1, 3, vision.imageSize, vision.imageSize], 'float32', device), queries)
    },
  })
  const facts: DetectorFacts = {
    network: 'OWL-ViT',
    resize: `stretched to ${vision.imageSize} × ${vision.imageSize}, bicubic and antialiased`,
    sha256: hashWeights(found.files),
  }
  return {
    ...facts,
    open(device) {
      const weights = Weights.of(network.load({ dtype: 'float32', device }), { dtype: 'float32' })
      return {
        ...facts,
        find(pixels, texts) {
          using _scope = tensorScope()
          using _noGrad = noGrad()
          const queries = cat(
            texts.map((one) => {
              const ids = tensor(tokenizer.encode(one), [1, tokenizer.length], 'int64')
              return embedQueries(weights, config, ids.to(device))
            }),
          )
          return Array.from({ length: pixels.shape[0] }, (_, i) => {
            using _inner = tensorScope()
            const one = preprocessSquare(pixels.slice(0, i, i + 1).to(device), vision.imageSize, channels)
            return boxesOf(findBoxes(weights, config, one, queries), texts.length)
          })
        },
      }
    },
  }
}

/** In files, and not needed to find boxes. */
const ignored = [
  'box_bias',
  'owlvit.logit_scale',
  'owlvit.visual_projection.weight',
  'owlvit.text_model.embeddings.position_ids',
  'owlvit.vision_model.embeddings.position_ids',
]

function boxesOf({ logits, boxes }: { logits: Tensor; boxes: Tensor }, texts: number): FoundBox[] {
  const [scores, sides] = [logits.sigmoid().toFloat32(), boxes.toFloat32()]
  return Array.from({ length: sides.length / 4 }, (_, i) => {
    const [x, y, width, height] = sides.subarray(4 * i, 4 * i + 4)
    return {
      box: [x - width / 2, y - height / 2, x + width / 2, y + height / 2],
      scores: [...scores.subarray(texts * i, texts * (i + 1))],
    }
  })
}
