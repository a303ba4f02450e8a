/** The judge and the fidelity network of the embedded world, as the report asks for them. */
import { fileURLToPath } from 'node:url'
import { pixelsOf, type Picture } from '../images/png.ts'
import { Weights } from '../networks/weights.ts'
import type { Random } from '../random.ts'
import type { Attributes } from '../records.ts'
import { totalVariance } from '../report/frechet.ts'
import type { WorldJudge } from '../report/evaluate.ts'
import { shapesStreams } from '../streams.ts'
import { noGrad } from '../tensor/autograd.ts'
import { readSafetensors } from '../tensor/safetensors.ts'
import { tensorScope } from '../tensor/scope.ts'
import { drawPair } from './captions.ts'
import { fidelityFeatures } from './fidelity-features.ts'
import { isAligned, judgeImage, type Reading } from './judge.ts'
import { drawBatch } from './pretraining-data.ts'
import { renderScene } from './render.ts'
import { drawScene, imageSize, isVisible, sceneAttributes, type Scene } from './scene.ts'
import { objectNames, shapesVocabulary } from './vocabulary.ts'

/** Held-out pre-training images from which the scale of the features is taken. */
const scaleImages = 512
const scaledVariance = 100

const ownWeights = fileURLToPath(new URL('../../weights/features.safetensors', import.meta.url))

/**
 * The judge with the fidelity network that comes with Attune.
 *
 * @throws {FileError | FormatError} its weights are missing, or broken
 */
export function openShapesJudge(file = ownWeights): WorldJudge {
  return shapesJudge(Weights.of(readSafetensors(file).tensors))
}

/**
 * Features are scaled so that those of held-out pre-training images have a total variance of 100: a Fréchet distance
 * reads as per cent of it.
 *
 * @param weights of the fidelity network
 */
export function shapesJudge(weights: Weights): WorldJudge {
  const encode = (picture: readonly Picture[]) => fidelityFeatures(weights, pixelsOf(picture))
  const scale = (() => {
    using _scope = tensorScope()
    using _noGrad = noGrad()
    return Math.sqrt(
      scaledVariance / totalVariance(encode(drawBatch(shapesStreams.heldOutScene, 0, scaleImages).pictures)),
    )
  })()
  return {
    read({ bytes }) {
      const reading = judgeImage(bytes)
      return {
        clean: reading.clean,
        isAligned: (attributes) => isAligned(attributes, reading),
        twin: (random) => ({ bytes: renderScene(twinScene(reading, random)), width: imageSize, height: imageSize }),
      }
    },
    render: (stated, random) => ({
      bytes: renderScene(twinScene(known(stated), random)),
      width: imageSize,
      height: imageSize,
    }),
    space: {
      network: 'a small network that reads attributes off true renders, and that no reward uses',
      resize: `not resized: images are ${imageSize} × ${imageSize} as it takes them`,
    },
    features: (pixels) => fidelityFeatures(weights, pixels).mul(scale),
  }
}

/** What a scene can show of what is stated. */
function known({ object, color, count = 0, background }: Attributes): Parameters<typeof twinScene>[0] {
  const { colors, backgrounds } = shapesVocabulary
  return {
    object: objectNames.find((name) => name === object),
    color: colors.find((name) => name === color),
    count,
    background: backgrounds.find((name) => name === background),
  }
}

/**
 * A scene with the attributes that were read. What could not be read, or not be drawn (five objects, blue on blue), is
 * drawn as in pre-training.
 */
export function twinScene(reading: Pick<Reading, 'object' | 'color' | 'count' | 'background'>, random: Random): Scene {
  for (;;) {
    const prior = sceneAttributes(drawPair(random).scene)
    const object = reading.object ?? prior.object
    const color = reading.color ?? prior.color
    const readable = reading.background !== undefined && isVisible(color, reading.background)
    const background = readable ? reading.background : prior.background
    const possible = reading.count >= 1 && reading.count <= shapesVocabulary.counts.length
    if (!isVisible(color, background)) continue
    return drawScene(random, { object, color, count: possible ? reading.count : prior.count, background })
  }
}
