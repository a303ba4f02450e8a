import { ScheduleError } from '../errors.ts'
import { tensor } from '../tensor/create.ts'
import { expectShape } from '../tensor/shape.ts'
import type { Tensor } from '../tensor/tensor.ts'
import type { Sampler, Step } from './ddim.ts'

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
 * μ = meanPerState · xₜ + meanPerPrediction · prediction, with the coefficients of each row's step.
 * Differentiable in the prediction and in xₜ. A row's result does not depend on the other rows.
 *
 * @param prediction   [B, …], already guided, of the sampler's prediction type
 * @param xt           [B, …], latent units
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
  const gathered = (coefficient: (step: Step) => number, shape: readonly number[]): Tensor =>
    tensor(Float64Array.from(steps, coefficient), shape).to(xt.dtype).to(xt.device)
  const alongBatch = [steps.length, ...xt.shape.slice(1).fill(1)]
  const perState = gathered((step) => step.meanPerState, alongBatch)
  const perPrediction = gathered((step) => step.meanPerPrediction, alongBatch)
  return {
    mean: perState.mul(xt).add(perPrediction.mul(prediction)),
    sigma: gathered((step) => step.sigma, [steps.length]),
  }
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
