/** What rewards without a network of their own let others see of images: colours and details of areas, and the prompt's words. */
import { random, streamOf } from '../../random.ts'
import { cat, ones, tensor } from '../../tensor/create.ts'
import { averagePool } from '../../tensor/functional.ts'
import { tensorScope } from '../../tensor/scope.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import type { Reward } from '../reward.ts'

export const plainFeatures: Pick<Reward, 'embedImages' | 'features'> = {
  embedImages(pixels) {
    using scope = tensorScope()
    // An image in plain grey has a direction as well.
    const seen = cat([colours(pixels), ones([pixels.shape[0], 1], 'float32', pixels.device)], 1)
    return scope.keep(seen.div(seen.square().sum(1, true).sqrt()).to('cpu'))
  },
  features(pixels, texts) {
    using scope = tensorScope()
    const words = tensor(texts.flatMap(wordsOf), [texts.length, wordWidth]).to(pixels.device)
    return scope.keep(cat([colours(pixels), details(pixels), words], 1))
  },
}

/** An image is seen as so many areas a side. */
const areas = 8
const inAreas = (x: Tensor) => averagePool(x, areas, areas).flatten(1)

/** [B, 3 · areas²] */
const colours = (pixels: Tensor) => inAreas(pixels.to('float32'))

/** How much neighbouring pixels differ, [B, areas²]. */
function details(pixels: Tensor): Tensor {
  const [, , height, width] = pixels.shape
  const grey = pixels.to('float32').mean(1, true)
  const steps = (dim: number, length: number) =>
    inAreas(grey.slice(dim, 1, length).sub(grey.slice(dim, 0, length - 1)).abs()) // prettier-ignore
  return steps(2, height).add(steps(3, width))
}

const wordWidth = 32

/** A prompt by its words, each of which has a direction of its own. */
function wordsOf(text: string): number[] {
  const sum = new Array<number>(wordWidth).fill(0)
  for (const word of text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? []) {
    const stream = random(streamOf(word))
    for (let i = 0; i < wordWidth; i++) sum[i] += stream.normal()
  }
  const length = Math.hypot(...sum)
  return length === 0 ? sum : sum.map((one) => one / length)
}
