/** The trainings that are measured: DPOK on a small checkpoint like Stable Diffusion 1, and on the embedded model. */
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { samplerOf } from '../../src/images/draw.ts'
import { openClip } from '../../src/networks/clip/clip-encoder.ts'
import { openStableDiffusion } from '../../src/networks/stable-diffusion/open.ts'
import { Dpok, DpokSettings } from '../../src/policy/algorithms/dpok.ts'
import { trainableChange } from '../../src/policy/trainable.ts'
import { clipReward } from '../../src/reward/kinds/clip-model.ts'
import type { Reward } from '../../src/reward/reward.ts'
import { openShapes } from '../../src/shapes/open.ts'
import { seenPrompts } from '../../src/shapes/split.ts'
import { alone, type Group } from '../../src/tensor/group.ts'
import { tensorScope } from '../../src/tensor/scope.ts'

export type Size = 'stable-diffusion' | 'embedded'

/** The weights that come with Attune. */
export const ownWeights = fileURLToPath(new URL('../../weights/', import.meta.url))

const seed = 0
const iterations = 100
const settings = {
  // A rate so low that rounding stays rounding: random weights turn a difference of a bit into another training at 3e-4.
  'stable-diffusion': { rolloutsPerIteration: 8, transitionsPerRollout: 3, batchSize: 8, learningRate: 1e-5 },
  embedded: { rolloutsPerIteration: 96, transitionsPerRollout: 9, batchSize: 96, learningRate: 3e-3 },
}

/** @param folder what checkpoint.py made */
function openModel(size: Size, folder: string) {
  if (size === 'embedded') {
    const { model, encoder } = openShapes()
    return { model, reward: cosineReward(encoder), texts: seenPrompts().map(({ text }) => text), guidance: 1 }
  }
  const options = { device: 'cpu', dtype: 'float32', imageSize: null, tiling: false } as const
  const { model } = openStableDiffusion(join(folder, 'model'), options)
  const texts = Array.from({ length: 8 }, (_, i) => `a photo of thing number ${i}`)
  return { model, reward: clipReward('clip', openClip(join(folder, 'clip'), options)), texts, guidance: 7.5 }
}

/** Ten times the cosine of image and text, without anything trained. */
function cosineReward(encoder: ReturnType<typeof openShapes>['encoder']): Reward {
  const products: Reward['features'] = (pixels, texts) => {
    using scope = tensorScope()
    return scope.keep(encoder.embedImages(pixels).mul(encoder.embedTexts(texts)).mul(10))
  }
  const { name, sha256 } = encoder
  const score: Reward['score'] = (pixels, texts) => products(pixels, texts).sum(1)
  return {
    name,
    sha256,
    range: undefined,
    embedImages: (pixels) => encoder.embedImages(pixels),
    score,
    features: products,
  }
}

/** A training at its start, and what it is made of; `group` shares its iterations, and `batchSize` is another one. */
export function training(
  size: Size,
  folder: string,
  { value, group = alone, ...batch }: { readonly value: boolean; readonly group?: Group; readonly batchSize?: number },
) {
  const { model, reward, texts, guidance } = openModel(size, folder)
  const sampler = samplerOf(model, { steps: 10, eta: 1, guidance })
  const rolloutsPerIteration = settings[size].rolloutsPerIteration
  const own = DpokSettings.parse({ ...settings[size], ...batch, value, imagesDrawn: iterations * rolloutsPerIteration })
  const change = { parameters: null, rank: 8, loraAlpha: 8, loraLayers: ['attention' as const] }
  const trainable = trainableChange(model, change, seed)
  const dpok = new Dpok({ model, trainable, reward, texts, sampler, guidance, seed, settings: own, group })
  return { model, reward, texts, guidance, sampler, seed, iterations, settings: own, trainable, dpok }
}
