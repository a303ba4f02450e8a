/** Draws images from a policy. The noise of an image is a function of (seed, index), whatever its batch. */
import type { Sampler } from '../diffusion/process.ts'
import { noiseFor, sampleImages } from '../diffusion/sample.ts'
import type { GenerativeModel } from '../networks/generative-model.ts'
import { noGrad } from '../tensor/autograd.ts'
import { cat, stack } from '../tensor/create.ts'
import { tensorScope } from '../tensor/scope.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { expectFinitePixels, watchingStates } from './finite.ts'
import { encodePrompts, predictGuided } from './guided.ts'
import { picturesOf, type Picture } from './png.ts'

/** How a policy is sampled. */
export interface Sampling {
  readonly steps: number
  /** 0 deterministic … 1 as noisy as DDPM. */
  readonly eta: number
  /** Scale of classifier-free guidance; 1 and less are without. */
  readonly guidance: number
}

export interface DrawRequest {
  readonly text: string
  readonly seed: number
  readonly index: number
  /** What guidance leads away from; no prompt without it. */
  readonly negative?: string
}

/** Whether a negative prompt has any influence: there is a branch that it takes the place of. */
export function usesNegatives(model: GenerativeModel, { guidance }: Sampling): boolean {
  return guidance > 1 && model.tellGuidance === undefined
}

export function samplerOf(model: GenerativeModel, { steps, eta }: Sampling): Sampler {
  return model.process.sampler({ steps, eta })
}

/**
 * Draws x_0 of a batch, one a request.
 * @param start x_T [B, C, h, w] to begin with; without it, the first part of each image's noise
 * @returns     [B, C, h, w], float32, on the model's device
 * @throws {DivergenceError} a state is not finite
 */
export function drawStates(
  model: GenerativeModel,
  requests: readonly DrawRequest[],
  sampling: Sampling,
  start?: Tensor,
): Tensor {
  using scope = tensorScope()
  using _noGrad = noGrad()
  const sampler = samplerOf(model, sampling)
  const texts = requests.map(({ text }) => text)
  const negatives = requests.map(({ negative = '' }) => negative)
  const prompts = encodePrompts(model, [...texts, ...negatives])
  const own = stack(requests.map(({ seed, index }) => noiseFor([seed, index], model.stateShape, sampler.steps.length)))
  const noise = start === undefined ? own : cat([start.unsqueeze(1), own.slice(1, 1, own.shape[1])], 1)
  const predict = (xt: Tensor, t: Tensor) => predictGuided(model, prompts, texts, xt, t, sampling.guidance, negatives)
  return scope.keep(watchingStates((watch) => sampleImages({ predict, sampler, noise: noise.to(model.device), watch })))
}

/**
 * Pixels of drawn states.
 *
 * @param x0 [B, C, h, w]
 * @returns  [B, 3, H, W] in [-1, 1]
 * @throws {DivergenceError} the decoder leaves the finite numbers
 */
export function decodeStates(model: GenerativeModel, x0: Tensor): Tensor {
  const pixels = model.decode(x0)
  expectFinitePixels(pixels)
  return pixels
}

/** Draws one image a request, in their order; `onBatch` hears how many are done. */
export function drawImages(
  model: GenerativeModel,
  requests: readonly DrawRequest[],
  sampling: Sampling,
  options: { readonly batchSize?: number; readonly onBatch?: (count: number) => void } = {},
): Picture[] {
  const { batchSize = 64, onBatch } = options
  const pictures: Picture[] = []
  using _noGrad = noGrad()
  for (let from = 0; from < requests.length; from += batchSize) {
    using _scope = tensorScope()
    const batch = requests.slice(from, from + batchSize)
    pictures.push(...picturesOf(decodeStates(model, drawStates(model, batch, sampling))))
    onBatch?.(batch.length)
  }
  return pictures
}
