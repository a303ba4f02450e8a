/** Draws images from a policy. The noise of an image is a function of (seed, index), whatever its batch. */
import { ddimSampler, type Sampler } from '../diffusion/ddim.ts'
import { noiseFor, sampleImages } from '../diffusion/sample.ts'
import type { GenerativeModel } from '../networks/generative-model.ts'
import { noGrad } from '../tensor/autograd.ts'
import { stack } from '../tensor/create.ts'
import { tensorScope } from '../tensor/scope.ts'
import { encodePrompts, predictGuided } from './guided.ts'
import { picturesOf, type Picture } from './png.ts'

/** How a policy is sampled. */
export interface Sampling {
  readonly steps: number
  /** 0 deterministic … 1 as noisy as DDPM. */
  readonly eta: number
  /** Scale of classifier-free guidance; 1 is without. */
  readonly guidance: number
}

export interface DrawRequest {
  readonly text: string
  readonly seed: number
  readonly index: number
}

export function samplerOf(model: GenerativeModel, { steps, eta }: Sampling): Sampler {
  return ddimSampler(model.schedule, model.timesteps(steps), { eta, finalAlphaBar: model.finalAlphaBar })
}

/** Draws one image a request, in their order; `onBatch` hears how many are done. */
export function drawImages(
  model: GenerativeModel,
  requests: readonly DrawRequest[],
  sampling: Sampling,
  options: { readonly batchSize?: number; readonly onBatch?: (count: number) => void } = {},
): Picture[] {
  const { batchSize = 64, onBatch } = options
  const sampler = samplerOf(model, sampling)
  const pictures: Picture[] = []
  using _noGrad = noGrad()
  for (let from = 0; from < requests.length; from += batchSize) {
    using _scope = tensorScope()
    const batch = requests.slice(from, from + batchSize)
    const texts = batch.map(({ text }) => text)
    const prompts = encodePrompts(model, texts)
    const x0 = sampleImages({
      predict: (xt, t) => predictGuided(model, prompts, texts, xt, t, sampling.guidance),
      sampler,
      noise: stack(batch.map(({ seed, index }) => noiseFor([seed, index], model.stateShape, sampler.steps.length))),
    })
    pictures.push(...picturesOf(model.decode(x0)))
    onBatch?.(batch.length)
  }
  return pictures
}
