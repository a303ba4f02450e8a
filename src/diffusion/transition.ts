import { ScheduleError } from '../errors.ts'
import { tensor } from '../tensor/create.ts'
import { expectShape } from '../tensor/shape.ts'
import type { Tensor } from '../tensor/tensor.ts'
import type { Sampler, Step } from './ddim.ts'
import { alongBatch } from './per-sample.ts'
import { toX0AndEpsilon } from './prediction.ts'

/** The policy's action distribution: xₜ₋₁ ~ N(mean, sigma² I). */
export interface Transition {
  /** [B, …], latent units. */
  readonly mean: Tensor
  /** [B], latent units; 0 for steps that belong to the environment. */
  readonly sigma: Tensor
}

function stepsAt(sampler: Sampler, stepIndices: readonly number[]): Step[] {
  return stepIndices.map((index) => {
    const step = sampler.steps[index]
    if (step !== undefined) return step
    throw new ScheduleError({
      where: 'step of the sampler',
      expected: `an index from 0 to ${sampler.steps.length - 1}`,
      received: String(index),
      remedy: 'pass places in the order of sampling, not training times',
    })
  })
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
 * @param stepIndices  B places in the order of sampling
 * @throws {ShapeError} where shapes differ
 * @throws {ScheduleError} where the sampler has no such step
 * @see Song et al. 2021 (DDIM, arXiv:2010.02502), Eq. 12
 */
export function ddimTransition(
  prediction: Tensor,
  xt: Tensor,
  stepIndices: readonly number[],
  sampler: Sampler,
): Transition {
  expectShape('prediction', prediction, xt.shape)
  expectShape('xt', xt, [stepIndices.length, ...xt.shape.slice(1)])
  const steps = stepsAt(sampler, stepIndices)
  const gathered = (coefficient: (step: Step) => number): Tensor => tensor(Float64Array.from(steps, coefficient))
  const times = (coefficient: (step: Step) => number, states: Tensor): Tensor =>
    alongBatch('coefficient', gathered(coefficient), xt).mul(states)
  const sigma = gathered((step) => step.sigma)
    .to(xt.dtype)
    .to(xt.device)
  if (sampler.clipSample === undefined) {
    const fromState = times((step) => step.meanPerState, xt)
    return { mean: fromState.add(times((step) => step.meanPerPrediction, prediction)), sigma }
  }
  const alphaBar = gathered((step) => step.alphaBar)
  const { x0, epsilon } = toX0AndEpsilon(prediction, xt, alphaBar, sampler.predictionType)
  const clamped = x0.clamp(-sampler.clipSample, sampler.clipSample)
  const fromImage = times((step) => Math.sqrt(step.alphaBarPrev), clamped)
  return { mean: fromImage.add(times((step) => step.direction, epsilon)), sigma }
}

/**
 * Checks that all these steps have a density. To be called before log-densities and KLs are taken, which would be NaN
 * at σ = 0; costs no wait for the device.
 * @throws {ScheduleError}
 */
export function expectStochastic(sampler: Sampler, stepIndices: readonly number[]): void {
  const environment = stepsAt(sampler, stepIndices).find((step) => !step.stochastic)
  if (environment === undefined) return
  throw new ScheduleError({
    where: `step ${environment.index} of the sampler, time ${environment.t}`,
    expected: 'σ > 0',
    received: '0: the step belongs to the environment and has no log-density and no KL',
    remedy: 'leave it out of the transitions that train the policy',
  })
}
