/** Opens the embedded world: the weights that come with Attune. */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { FormatError } from '../errors.ts'
import type { OpenModel } from '../images/open-model.ts'
import { pixelsOf } from '../images/png.ts'
import { policyOf } from '../networks/generative-model.ts'
import { Weights } from '../networks/weights.ts'
import { shapesStreams } from '../streams.ts'
import { noGrad } from '../tensor/autograd.ts'
import { zeros } from '../tensor/create.ts'
import { readSafetensors } from '../tensor/safetensors.ts'
import { tensorScope } from '../tensor/scope.ts'
import { shapesEncoder } from './encoder.ts'
import { shapesModel } from './model.ts'
import { drawBatch } from './pretraining-data.ts'
import { imageSize } from './scene.ts'
import { shapesVocabulary } from './vocabulary.ts'
import type { ShapesName } from './world.ts'

const ownWeights = fileURLToPath(new URL('../../weights/', import.meta.url))

/**
 * The embedded model, its encoder and its pre-training data.
 *
 * @param name   `shapes-flow` is the same model as one of flow matching
 * @param folder holds `generator.safetensors` and `clip.safetensors`
 * @throws {FileError} a file is missing
 * @throws {FormatError} a file is broken, or holds another network
 */
export function openShapes(name: ShapesName = 'shapes', folder = ownWeights): Required<OpenModel> {
  const pixels = [1, 3, imageSize, imageSize]
  const generator = (weights: Weights, sha256: string) => shapesModel(weights, sha256, name)
  const model = openNetwork(join(folder, 'generator.safetensors'), generator, (one) =>
    policyOf(one).predict(zeros(pixels), zeros([1], 'int64'), one.encodeText([''])),
  )
  const encoder = openNetwork(join(folder, 'clip.safetensors'), shapesEncoder, (one) => {
    one.embedImages(zeros(pixels))
    one.embedTexts([''])
  })
  return {
    model,
    encoder,
    vocabulary: shapesVocabulary,
    pretraining: (from, count) => {
      const { pictures, captions } = drawBatch(shapesStreams.pretrainingScene, from, count)
      return { ...model.encode(pixelsOf(pictures)), captions }
    },
  }
}

/** Networks check the shapes of their weights where they use them: each is used once, before long work depends on it. */
function openNetwork<T>(file: string, network: (weights: Weights, sha256: string) => T, use: (network: T) => void): T {
  const { tensors } = readSafetensors(file)
  const opened = network(Weights.of(tensors), createHash('sha256').update(readFileSync(file)).digest('hex'))
  using _scope = tensorScope()
  using _noGrad = noGrad()
  try {
    use(opened)
  } catch (cause) {
    if (!(cause instanceof FormatError)) throw cause
    const { where, expected, received, remedy } = cause
    throw new FormatError({ where: `${file} ${where}`, expected, received, remedy, cause })
  }
  return opened
}
