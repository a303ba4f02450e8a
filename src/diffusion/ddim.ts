/** DDIM(η) as a sampler of variance-preserving diffusion (Song et al. 2021, DDIM, arXiv:2010.02502). */
import { ScheduleError } from '../errors.ts'
import { expectShape } from '../tensor/shape.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { ddimStep, type DdimStep } from './ddim-step.ts'
import { alongBatch } from './per-sample.ts'
import { toX0AndEpsilon } from './prediction.ts'
import { rowsAt, type Parts, type Places, type Sampler, type Transition } from './process.ts'
import { expectTimesteps, type PredictionType, type Schedule } from './schedule.ts'
import type { StepRows } from './step-rows.ts'

export interface DdimOptions {
  /** 0 deterministic … 1 DDPM. */
  readonly eta?: number
  /** ᾱ after the last step: 1, a clean image; Stable Diffusion uses ᾱ of time 0, which keeps the last step stochastic. */
  readonly finalAlphaBar?: number
  /** Clamps x̂₀ to ±clipSample, in units of the state. */
  readonly clipSample?: number
}

export class DdimSampler implements Sampler {
  readonly name = 'ddim'
  readonly eta: number
  readonly steps: readonly DdimStep[]
  readonly predictionType: PredictionType
  /** Range ±c to which x̂₀ is clamped; undefined: it is not. */
  readonly clipSample: number | undefined

  constructor(steps: readonly DdimStep[], eta: number, predictionType: PredictionType, clipSample: number | undefined) {
    this.steps = Object.freeze(steps)
    this.eta = eta
    this.predictionType = predictionType
    this.clipSample = clipSample
  }

  stochasticWithin(from: number, to: number): DdimSampler {
    const steps = this.steps.map((step) =>
      step.index >= from && step.index < to
        ? step
        : ddimStep(step.index, step.t, step.alphaBar, step.alphaBarPrev, 0, this.predictionType),
    )
    return new DdimSampler(steps, this.eta, this.predictionType, this.clipSample)
  }

  start(noise: Tensor): Tensor {
    return noise
  }

  place(at: readonly number[], device: string): StepRows<DdimStep> {
    return rowsAt(this.steps, at, device)
  }

  times(at: Places, device: string): Tensor {
    return rowsAt(this.steps, at, device).of('t', 'int64')
  }

  transition(said: Tensor, xt: Tensor, at: Places): Transition {
    return ddimTransition(said, xt, at, this)
  }

  parts(said: Tensor, xt: Tensor, at: Places): Parts {
    const alphaBar = rowsAt(this.steps, at, xt.device).of('alphaBar', 'float32')
    return toX0AndEpsilon(said, xt, alphaBar, this.predictionType)
  }
}

/**
 * The sampler that visits these training times, from most to least noise.
 * @throws {ScheduleError} times not decreasing, η outside [0, 1], a final ᾱ that adds noise, a range to clamp to that is
 * not positive, or ᾱ = 0 with ε-prediction (the network's noise then says nothing about the image)
 */
export function ddimSampler(
  schedule: Schedule,
  timesteps: readonly number[],
  { eta = 1, finalAlphaBar = 1, clipSample }: DdimOptions = {},
): DdimSampler {
  const { alphaBar, predictionType } = schedule
  expectTimesteps(timesteps, alphaBar.length)
  if (!(eta >= 0 && eta <= 1)) {
    throw new ScheduleError({
      where: 'sampler, η',
      expected: 'a number from 0 (deterministic) to 1 (DDPM)',
      received: String(eta),
      remedy: 'choose η = 1 for a policy',
    })
  }
  const last = alphaBar[timesteps[timesteps.length - 1]]
  if (!(finalAlphaBar >= last && finalAlphaBar <= 1)) {
    throw new ScheduleError({
      where: 'sampler, final ᾱ',
      expected: `a number from ${last} to 1`,
      received: String(finalAlphaBar),
      remedy: 'use 1, or ᾱ of a time before the last sampling time',
    })
  }
  if (clipSample !== undefined && !(clipSample > 0)) {
    throw new ScheduleError({
      where: 'sampler, clipSample',
      expected: 'a number > 0',
      received: String(clipSample),
      remedy: 'leave it out where the predicted image is not clamped',
    })
  }
  if (predictionType === 'epsilon' && alphaBar[timesteps[0]] === 0) {
    throw new ScheduleError({
      where: `sampler, ᾱ at time ${timesteps[0]}`,
      expected: 'ᾱ > 0 with ε-prediction',
      received: '0',
      remedy: 'begin at an earlier time, or use a network with v- or x0-prediction',
    })
  }
  const steps = timesteps.map((t, index) =>
    ddimStep(index, t, alphaBar[t], alphaBar[timesteps[index + 1]] ?? finalAlphaBar, eta, predictionType),
  )
  return new DdimSampler(steps, eta, predictionType, clipSample)
}

/**
 * μ and σ of DDIM(η) for a batch whose rows may stand at different steps:
 * μ = meanPerState · xₜ + meanPerPrediction · prediction, with the coefficients of each row's step, and with
 * `sampler.clipSample` = c: μ = √ᾱ₋ clamp(x̂₀, −c, c) + direction · ε̂.
 * Differentiable in the prediction and in xₜ (a clamped x̂₀ passes nothing on). A row's result does not depend on the
 * other rows. Mean and sigma are on the device of xₜ and in its element type: with float32 states they are float32 even
 * where a network says bfloat16, but a prediction that was rounded before it was guided stays so (see `guide`).
 *
 * @param prediction   [B, …], already guided, of the sampler's prediction type
 * @param xt           [B, …], latent units, float32 or float64
 * @param at           steps of the B rows
 * @throws {ShapeError} where shapes differ
 * @throws {ScheduleError} where the sampler has no such step
 * @see Song et al. 2021 (DDIM, arXiv:2010.02502), Eq. 12
 */
export function ddimTransition(prediction: Tensor, xt: Tensor, at: Places, sampler: DdimSampler): Transition {
  expectShape('prediction', prediction, xt.shape)
  const steps = rowsAt(sampler.steps, at, xt.device)
  expectShape('xt', xt, [steps.count, ...xt.shape.slice(1)])
  const sigma = steps.of('sigma', xt.dtype)
  if (sampler.clipSample === undefined) {
    const fromState = steps.times('meanPerState', xt, xt)
    return { mean: fromState.add(steps.times('meanPerPrediction', prediction, xt)), sigma }
  }
  const { x0, epsilon } = toX0AndEpsilon(prediction, xt, steps.of('alphaBar', 'float64'), sampler.predictionType)
  const clamped = x0.clamp(-sampler.clipSample, sampler.clipSample)
  const fromImage = alongBatch('coefficient', steps.of('alphaBarPrev', 'float64').sqrt(), xt).mul(clamped)
  return { mean: fromImage.add(steps.times('direction', epsilon, xt)), sigma }
}
