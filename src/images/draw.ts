/**
 * Draws images from a policy: all stages of its model in turn. The noise of an image is a function of (seed, index),
 * whatever its batch.
 */
import type { Sampler } from '../diffusion/process.ts'
import { noiseFor, sampleImages, sampleWithGradient, type Denoising, type Reached } from '../diffusion/sample.ts'
import {
  forDrawing,
  policyOf,
  type GenerativeModel,
  type ModelStage,
  type Sampling,
} from '../networks/generative-model.ts'
import { imageNoise, stageNoise, type StreamPath } from '../streams.ts'
import { noGrad, withoutGrad } from '../tensor/autograd.ts'
import { cat, stack, zeros } from '../tensor/create.ts'
import { tensorScope } from '../tensor/scope.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { expectFinitePixels, watchingStates } from './finite.ts'
import { encodePrompts, guidedPredictor, type EncodedPrompts, type SampleRows } from './guided.ts'
import { picturesOf, type Picture } from './png.ts'

/** An image that is asked for: the text of its prompt, and where its noise comes from. */
export interface DrawRequest {
  readonly text: string
  readonly seed: number
  readonly index: number
  /** What guidance leads away from; no prompt without it. */
  readonly negative?: string
}

/** Hears of each step of a stage when it is taken. */
export type OnStep = (reached: Pick<Reached, 'step' | 'steps'>) => void

/** B samples that are drawn, each from the streams of random numbers at its own path. */
export interface DrawnRows extends SampleRows {
  readonly prompts: EncodedPrompts
  readonly paths: readonly StreamPath[]
}

/** Whether a negative prompt has any influence: there is a branch that it takes the place of. */
export function usesNegatives(model: GenerativeModel, { guidance }: Sampling): boolean {
  return model.stages.some((stage, place) => {
    const scale = place === model.policyStage ? guidance : stage.sampling.guidance
    return scale > 1 && stage.tellGuidance === undefined
  })
}

/** Of the policy's stage. */
export function samplerOf(model: GenerativeModel, { steps, eta }: Sampling): Sampler {
  return policyOf(model).process.sampler({ steps, eta })
}

/**
 * All noise of a stage for a batch. The first stage has the streams at the paths themselves, every other one streams of
 * its own below them, by its name.
 *
 * @returns [B, steps + 1, …], on the model's device
 */
export function noiseOf(
  { stages, device }: GenerativeModel,
  stage: ModelStage,
  paths: readonly StreamPath[],
  steps: number,
): Tensor {
  // Nobody sees what is drawn of hollow networks.
  if (device === 'meta') return zeros([paths.length, steps + 1, ...stage.stateShape], 'float32', device)
  const own = (path: StreamPath) => (stage === stages[0] ? path : stageNoise(path, stage.name))
  return stack(paths.map((path) => noiseFor(own(path), stage.stateShape, steps))).to(device)
}

/**
 * x_0 of the stages that stand before the policy's, by their own sampling. They belong to the environment: no gradient
 * reaches them. The tensors belong to the caller's scope.
 *
 * @returns [B, …] each, on the model's device; none for a model of one stage
 * @throws {DivergenceError} a state is not finite
 */
export function drawEarlier(model: GenerativeModel, rows: DrawnRows): Tensor[] {
  return drawRange(model, rows, [], model.policyStage)
}

/**
 * Adds x_0 of the stages that stand after the policy's, as {@link drawEarlier}.
 *
 * @param samples of the stages up to the policy's
 * @returns       of all stages: what the model decodes
 * @throws {DivergenceError} a state is not finite
 */
export function drawLater(model: GenerativeModel, rows: DrawnRows, samples: readonly Tensor[]): Tensor[] {
  return drawRange(model, rows, samples, model.stages.length)
}

/**
 * As {@link drawLater}, with a graph to the samples through every step of these stages.
 *
 * @throws {DivergenceError} a state is not finite
 */
export function drawLaterWithGradient(model: GenerativeModel, rows: DrawnRows, samples: readonly Tensor[]): Tensor[] {
  return drawRange(model, rows, samples, model.stages.length, (denoising) =>
    sampleWithGradient(denoising, denoising.sampler.steps.length),
  )
}

function drawRange(
  model: GenerativeModel,
  rows: DrawnRows,
  samples: readonly Tensor[],
  end: number,
  sample = withoutGradients,
): Tensor[] {
  const drawn = [...samples]
  for (const stage of model.stages.slice(samples.length, end)) {
    drawn.push(drawStage(model, stage, { ...rows, earlier: drawn }, stage.sampling, undefined, sample))
  }
  return drawn
}

const withoutGradients = (denoising: Denoising): Tensor => withoutGrad(() => sampleImages(denoising))

function drawStage(
  model: GenerativeModel,
  stage: ModelStage,
  rows: DrawnRows,
  { steps, eta, guidance }: Sampling,
  start?: Tensor,
  sample = withoutGradients,
  onStep?: OnStep,
): Tensor {
  using scope = tensorScope()
  const sampler = stage.process.sampler({ steps, eta })
  const predict = guidedPredictor(stage, rows.prompts, rows, guidance)
  const own = noiseOf(model, stage, rows.paths, sampler.steps.length)
  const noise = start === undefined ? own : cat([start.to(model.device).unsqueeze(1), own.slice(1, 1, own.shape[1])], 1)
  const name = stage === policyOf(model) ? undefined : stage.name
  const drawn = watchingStates((look) => {
    const watch: Denoising['watch'] = (state, reached) => {
      look(state, reached)
      onStep?.(reached)
    }
    return sample({ predict, sampler, noise, watch })
  }, name)
  return scope.keep(drawn)
}

/**
 * Draws a batch, one image a request.
 *
 * @param starts x_T [B, …] to begin with, by the names of stages; without one, the first part of each image's noise
 * @returns      x_0 of every stage, [B, …] each, float32, on the model's device
 * @throws {DivergenceError} a state is not finite
 */
export function drawStages(
  model: GenerativeModel,
  requests: readonly DrawRequest[],
  sampling: Sampling,
  starts?: ReadonlyMap<string, Tensor>,
  onStep?: OnStep,
): Tensor[] {
  using scope = tensorScope()
  using _noGrad = noGrad()
  const texts = requests.map(({ text }) => text)
  const negatives = requests.map(({ negative = '' }) => negative)
  const drawing = forDrawing(model)
  const prompts = encodePrompts(drawing, [...texts, ...negatives])
  const rows = { prompts, texts, negatives, paths: requests.map(({ seed, index }) => imageNoise(seed, index)) }
  const samples: Tensor[] = []
  drawing.stages.forEach((stage, place) => {
    const how = place === drawing.policyStage ? sampling : stage.sampling
    samples.push(
      drawStage(drawing, stage, { ...rows, earlier: samples }, how, starts?.get(stage.name), withoutGradients, onStep),
    )
  })
  return samples.map((sample) => scope.keep(sample))
}

/**
 * Pixels of drawn samples.
 *
 * @param samples x_0 of all stages, [B, …] each
 * @returns       [B, 3, H, W] in [-1, 1]
 * @throws {DivergenceError} the decoder leaves the finite numbers
 */
export function decodeStages(model: GenerativeModel, samples: readonly Tensor[]): Tensor {
  const pixels = model.decode(samples)
  expectFinitePixels(pixels)
  return pixels
}

/** Draws one image a request, in their order; `onBatch` hears how many are done, `onStep` of the steps of each batch. */
export function drawImages(
  model: GenerativeModel,
  requests: readonly DrawRequest[],
  sampling: Sampling,
  options: {
    readonly batchSize?: number
    readonly onBatch?: (count: number) => void
    readonly onStep?: OnStep
  } = {},
): Picture[] {
  const { batchSize = 64, onBatch, onStep } = options
  const pictures: Picture[] = []
  using _noGrad = noGrad()
  for (let from = 0; from < requests.length; from += batchSize) {
    using _scope = tensorScope()
    const batch = requests.slice(from, from + batchSize)
    pictures.push(...picturesOf(decodeStages(model, drawStages(model, batch, sampling, undefined, onStep))))
    onBatch?.(batch.length)
  }
  return pictures
}
