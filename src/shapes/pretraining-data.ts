/** Batches of the embedded world's scenes, each a function of its stream alone. */
import type { Picture } from '../images/png.ts'
import { random } from '../random.ts'
import type { StreamPath } from '../streams.ts'
import { drawPair } from './captions.ts'
import { renderScene } from './render.ts'
import { imageSize, type Scene } from './scene.ts'

export interface PretrainingBatch {
  readonly pictures: readonly Picture[]
  readonly captions: readonly string[]
  readonly scenes: readonly Scene[]
}

/** Images from, from + 1, …, each from its own stream: those to pre-train on never meet those that are held out. */
export function drawBatch(streamOf: (index: number) => StreamPath, from: number, count: number): PretrainingBatch {
  const pairs = Array.from({ length: count }, (_, i) => drawPair(random(...streamOf(from + i))))
  return {
    pictures: pairs.map(({ scene }) => ({ bytes: renderScene(scene), width: imageSize, height: imageSize })),
    captions: pairs.map(({ caption }) => caption),
    scenes: pairs.map(({ scene }) => scene),
  }
}
