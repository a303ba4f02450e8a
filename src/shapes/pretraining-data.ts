/** Batches of the embedded world's pre-training data, a function of (seed, index) alone. */
import type { Picture } from '../images/png.ts'
import { random } from '../random.ts'
import { drawPair } from './captions.ts'
import { renderScene } from './render.ts'
import { imageSize, type Scene } from './scene.ts'

/** Streams of scenes that never share an image: pre-training, and what is held out for fidelity. */
export const pretrainingSeed = 1
export const heldOutSeed = 2

export interface PretrainingBatch {
  readonly pictures: readonly Picture[]
  readonly captions: readonly string[]
  readonly scenes: readonly Scene[]
}

/** Images from, from + 1, … of a stream. */
export function drawBatch(seed: number, from: number, count: number): PretrainingBatch {
  const pairs = Array.from({ length: count }, (_, i) => drawPair(random(seed, from + i)))
  return {
    pictures: pairs.map(({ scene }) => ({ bytes: renderScene(scene), width: imageSize, height: imageSize })),
    captions: pairs.map(({ caption }) => caption),
    scenes: pairs.map(({ scene }) => scene),
  }
}
