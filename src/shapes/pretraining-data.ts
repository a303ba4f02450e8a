/** Batches of the embedded world's pre-training data, a function of (seed, index) alone. */
import { random } from '../random.ts'
import { tensor } from '../tensor/create.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { drawPair } from './captions.ts'
import { renderScene } from './render.ts'
import { imageSize, type Scene } from './scene.ts'

/** Streams of scenes that never share an image: pre-training, and what is held out for fidelity. */
export const pretrainingSeed = 1
export const heldOutSeed = 2

export interface PretrainingBatch {
  /** RGB, H × W × 3 each. */
  readonly bytes: readonly Uint8Array[]
  readonly captions: readonly string[]
  readonly scenes: readonly Scene[]
}

/** Images from, from + 1, … of a stream. */
export function drawBatch(seed: number, from: number, count: number): PretrainingBatch {
  const pairs = Array.from({ length: count }, (_, i) => drawPair(random(seed, from + i)))
  return {
    bytes: pairs.map(({ scene }) => renderScene(scene)),
    captions: pairs.map(({ caption }) => caption),
    scenes: pairs.map(({ scene }) => scene),
  }
}

/** RGB bytes (H × W × 3 each) → pixels [B, 3, H, W] in [-1, 1]. */
export function pixelsOf(bytes: readonly Uint8Array[], size: number = imageSize): Tensor {
  const joined = new Uint8Array(bytes.length * size * size * 3)
  bytes.forEach((one, i) => joined.set(one, i * size * size * 3))
  return tensor(joined, [bytes.length, size, size, 3])
    .permute(0, 3, 1, 2)
    .to('float32')
    .div(127.5)
    .sub(1)
    .contiguous()
}
