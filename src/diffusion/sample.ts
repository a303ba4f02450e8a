/**
 * Drawing images: x_T ~ N(0, I), then xₜ₋₁ = μ + σ·noise, step by step. The noise of an image comes from a stream of its
 * own, so an image does not depend on its batch.
 */
import { ShapeError } from '../errors.ts'
import { seedOf } from '../random.ts'
import { noGrad } from '../tensor/autograd.ts'
import { randn } from '../tensor/create.ts'
import { Generator } from '../tensor/generator.ts'
import { checkpointedAlike } from '../tensor/gradient-checkpoints.ts'
import { tensorScope, type TensorScope } from '../tensor/scope.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { alongBatch } from './per-sample.ts'
import type { Sampler } from './process.ts'

/** The network with its conditioning and guidance. */
export interface Predictor {
  /** xₜ [B, …] and times [B] to a prediction [B, …]. @param given in the place of its own: see below */
  (xt: Tensor, t: Tensor, ...given: Tensor[]): Tensor
  /** What it is told beside: gradients through checkpointed steps reach these tensors and parameters alone. */
  readonly given?: readonly Tensor[]
}

/** How states are drawn. */
export interface Denoising {
  readonly predict: Predictor
  readonly sampler: Sampler
  /** [B, steps + 1, …]: x_T, then the noise of each step in the order of sampling; that of a step with σ = 0 is not used. */
  readonly noise: Tensor
  /** Sees every state but x_T as it is reached, and may throw. */
  readonly watch?: (state: Tensor, reached: Reached) => void
}

/** How a state was reached. */
export interface Reached {
  /** 1 … `steps`. */
  readonly step: number
  readonly steps: number
  /** Training time from which the step went. */
  readonly t: number
  /** Not of a step that is recorded for gradients. */
  readonly prediction?: Tensor
}

/**
 * All noise of one image, from the stream at `path` (run seed, iteration, image index). Always drawn on the CPU: every
 * device draws the same image.
 * @param shape  of one image's state, without batch
 * @returns      [stepCount + 1, …shape], float32
 */
export function noiseFor(path: readonly number[], shape: readonly number[], stepCount: number): Tensor {
  return randn([stepCount + 1, ...shape], new Generator(seedOf(...path)))
}

/** Receives a state, to keep or dispose, and what led to it, which ends with `scope` unless kept. */
type Visit = (state: Tensor, step?: { prediction: Tensor; sigma: Tensor; scope: TensorScope }) => void

/** Which steps of a sampler are taken. */
interface Way {
  /** How many, from the first one; all without it. */
  readonly until?: number
  /** How many of the last ones are recorded for gradients. */
  readonly recorded?: number
}

/** Draws and hands every state in turn, x_T first and alone, to `visit`. */
function denoise(
  { predict, sampler, noise, watch }: Denoising,
  visit: Visit,
  { until = sampler.steps.length, recorded = 0 }: Way = {},
): void {
  const { steps } = sampler
  if (noise.shape.length < 3 || noise.shape[1] !== steps.length + 1) {
    throw new ShapeError({
      where: 'noise',
      expected: `shape [B, ${steps.length + 1}, …]: x_T and one noise a step`,
      received: `[${noise.shape.join(', ')}]`,
      remedy: 'stack noiseFor(path, shape, sampler.steps.length) over the batch',
    })
  }
  const batch = noise.shape[0]
  let xt = sampler.start(noise.select(1, 0)).clone()
  visit(xt)
  for (const { index, t, stochastic } of steps.slice(0, until)) {
    using scope = tensorScope()
    // A recorded step may be taken again when this scope and that of the noise have ended.
    const stepFrom = (from: Tensor, added: Tensor, ...given: Tensor[]) => {
      const at = sampler.place(new Array<number>(batch).fill(index), from.device)
      const prediction = predict(from, sampler.times(at, from.device), ...given)
      const { mean, sigma } = sampler.transition(prediction, from, at)
      const deviation = sigma.shape.length === 1 ? alongBatch('sigma', sigma, mean) : sigma
      const next = stochastic ? mean.add(added.mul(deviation)) : mean
      return { next, prediction, sigma }
    }
    const reached = { step: index + 1, steps: steps.length, t }
    const added = noise.select(1, index + 1)
    if (index >= until - recorded) {
      const next = checkpointedAlike(
        (from, own, ...given) => stepFrom(from, own, ...given).next,
        xt,
        added,
        ...(predict.given ?? []),
      )
      watch?.(next, reached)
      visit((xt = scope.keep(next)))
      continue
    }
    using _noGrad = noGrad()
    const { next, prediction, sigma } = stepFrom(xt, added)
    watch?.(next, { ...reached, prediction })
    visit((xt = scope.keep(next)), { prediction, sigma, scope })
  }
}

/**
 * Draws one image per row of noise.
 * @returns x₀ [B, …], latent units
 * @throws {ShapeError}
 */
export function sampleImages(denoising: Denoising): Tensor {
  return lastState(denoising)
}

/**
 * Draws one image per row of noise with a graph through the last steps, for gradients of a reward (DRaFT-K, Clark et
 * al. 2023, arXiv:2309.17400). States before them count as given. With `gradientCheckpoints` each of these steps is a
 * block, of which the state alone is kept until the way back.
 *
 * @param last K, 1 … steps
 * @returns x₀ [B, …], latent units; a graph to whatever `predict` computes with in the last K steps
 * @throws {ShapeError}
 */
export function sampleWithGradient(denoising: Denoising, last: number): Tensor {
  const { length } = denoising.sampler.steps
  if (!(Number.isInteger(last) && last >= 1 && last <= length)) {
    throw new ShapeError({
      where: 'last steps',
      expected: `a whole number from 1 to ${length}, the steps of the sampler`,
      received: String(last),
      remedy: 'record fewer steps, or sample with more',
    })
  }
  return lastState(denoising, { recorded: last })
}

/**
 * Takes the first steps alone, without gradients.
 * @param steps 0 … all of the sampler
 * @returns x_t [B, …], from which step `steps` goes
 * @throws {ShapeError}
 */
export function sampleUntil(denoising: Denoising, steps: number): Tensor {
  return lastState(denoising, { until: steps })
}

/**
 * The clean image that a network predicts where a step begins, with a graph to whatever `predict` computes with: what ReFL
 * decodes at its random stop, and DRaFT-LV after every new noise.
 *
 * @param step place of the step in the order of sampling
 * @returns    x̂₀ [B, …], latent units
 * @see Xu et al. 2023 (ImageReward, arXiv:2304.05977), Algorithm 1
 */
export function predictImage({ predict, sampler }: Omit<Denoising, 'noise'>, xt: Tensor, step: number): Tensor {
  const at = new Array<number>(xt.shape[0]).fill(step)
  const predicted = (from: Tensor, ...given: Tensor[]) =>
    sampler.parts(predict(from, sampler.times(at, xt.device), ...given), from, at).x0
  return checkpointedAlike(predicted, xt, ...(predict.given ?? []))
}

function lastState(denoising: Denoising, way?: Way): Tensor {
  using scope = tensorScope()
  let latest: Tensor | undefined
  const keepLatest = (state: Tensor) => {
    latest?.dispose()
    latest = state
  }
  denoise(denoising, keepLatest, way)
  return scope.keep(latest!)
}

/**
 * Draws one image per row of noise and returns the whole way to it.
 * @returns states x_T … x₀, steps + 1 tensors [B, …]: `states[i]` is where step i begins, `states[i + 1]` where it ends
 * @returns predictions, one [B, …] a step: what `predict` said of `states[i]`
 * @returns sigmas, one a step, [B] or [B, …]: see `Transition`
 * @throws {ShapeError}
 */
export function sampleTrajectories(denoising: Denoising): {
  states: Tensor[]
  predictions: Tensor[]
  sigmas: Tensor[]
} {
  using scope = tensorScope()
  const states: Tensor[] = []
  const predictions: Tensor[] = []
  const sigmas: Tensor[] = []
  denoise(denoising, (state, step) => {
    states.push(state)
    if (step === undefined) return
    predictions.push(step.scope.keep(step.prediction))
    sigmas.push(step.scope.keep(step.sigma))
  })
  for (const drawn of [...states, ...predictions, ...sigmas]) scope.keep(drawn)
  return { states, predictions, sigmas }
}
