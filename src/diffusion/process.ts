/**
 * What stages know of noise: how it is put into an image (a noise process) and how it is taken out again step by step (a
 * sampler of that process). Diffusion and flow matching are two such processes; nobody outside this folder computes with
 * their coefficients.
 */
import { ScheduleError } from '../errors.ts'
import type { Generator } from '../tensor/generator.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { StepRows } from './step-rows.ts'

/** The policy's action distribution: x_{t−1} ~ N(mean, diag(sigma²)). */
export interface Transition {
  /** [B, …], latent units. */
  readonly mean: Tensor
  /** [B], one a sample, or [B, …] as the mean, one an element; latent units; 0 where a step belongs to the environment. */
  readonly sigma: Tensor
}

/** The two parts of a noisy state that a prediction stands for, both [B, …]. */
export interface Parts {
  readonly x0: Tensor
  readonly epsilon: Tensor
}

/** One step of a sampler. */
export interface SamplerStep {
  /** Place in the order of sampling, from 0. */
  readonly index: number
  /** Time at which the network is asked; whole for diffusion. */
  readonly t: number
  /** σ > 0. Otherwise the step belongs to the environment: it is sampled, but has no log-density and no KL. */
  readonly stochastic: boolean
}

/** Steps of B samples whose numbers a sampler has put on a device. */
export interface PlacedSteps {
  /** B */
  readonly count: number
  /** Of samples [from, to). */
  slice(from: number, to: number): PlacedSteps
}

/** Steps of B samples: their places in the order of sampling, or what the sampler's `place` has made of these. */
export type Places = readonly number[] | PlacedSteps

/** A way from noise to an image in so many steps: the policy's decision process. */
export interface Sampler {
  /** As records name it. */
  readonly name: 'ddim' | 'flow-ode' | 'flow-sde' | 'flow-cps'
  /** How stochastic: 0 is deterministic. */
  readonly eta: number
  readonly steps: readonly SamplerStep[]
  /** The same way, but that steps outside [from, to) are deterministic, as at η = 0. */
  stochasticWithin(from: number, to: number): Sampler
  /** x_T from standard normal noise [B, …]. */
  start(noise: Tensor): Tensor
  /** Steps that are used more than once, on this device; tensors belong to the scope in force. */
  place(at: readonly number[], device: string): PlacedSteps
  /** The times of steps as the network is asked for them, [B], on this device. */
  times(at: Places, device: string): Tensor
  /**
   * Mean and deviation of the next state. Rows may stand at different steps; the result of a row does not depend on the
   * others. Differentiable in the prediction and in xt.
   * @param said what the network says of `xt`, already guided, [B, …]
   * @throws {ShapeError | ScheduleError}
   */
  transition(said: Tensor, xt: Tensor, at: Places): Transition
  /** The clean image and the noise that a prediction stands for. Differentiable. @throws {ShapeError} */
  parts(said: Tensor, xt: Tensor, at: Places): Parts
}

export interface SamplerOptions {
  readonly steps: number
  /** 0 deterministic … 1. */
  readonly eta: number
}

/** How noise is put into an image, and what the network is asked to say of the result. */
export interface NoiseProcess {
  /** As records name it. */
  readonly name: 'diffusion' | 'flow'
  /** What the network says; for the record. */
  readonly predictionType: string
  /** Training times of B samples, [B] on the CPU, as the functions below take them. */
  drawTimes(count: number, generator: Generator): Tensor
  /** Images with noise at times [B]: [B, …]. @throws {ShapeError} */
  noised(x0: Tensor, epsilon: Tensor, t: Tensor): Tensor
  /** What the network should say of that state, [B, …]. @throws {ShapeError} */
  target(x0: Tensor, epsilon: Tensor, t: Tensor): Tensor
  /** Weight of a sample's loss, [B]; none where all count the same. */
  weight(t: Tensor): Tensor | undefined
  /** |∂x̂₀/∂prediction|: by how much the clean image changes that a prediction stands for, [B] on the CPU. */
  imagePerPrediction(t: Tensor): Tensor
  /** @throws {ScheduleError} steps or η that this process cannot have */
  sampler(options: SamplerOptions): Sampler
}

/**
 * Checks that the sampler can be a policy: that at least one step is stochastic.
 * @throws {ScheduleError}
 */
export function expectPolicy(sampler: Sampler): void {
  if (sampler.steps.some((step) => step.stochastic)) return
  throw new ScheduleError({
    where: 'policy',
    expected: 'a sampler with at least one stochastic step',
    received: `η = ${sampler.eta} and ${sampler.steps.length} deterministic step${sampler.steps.length === 1 ? '' : 's'}`,
    remedy: 'use η > 0 and at least two steps (the step to the clean image is always deterministic)',
  })
}

/** The steps at these places. @throws {ScheduleError} the sampler has no such step */
function stepsAt<S extends SamplerStep>(steps: readonly S[], at: readonly number[]): S[] {
  return at.map((index) => {
    const step = steps[index]
    if (step !== undefined) return step
    throw new ScheduleError({
      where: 'step of the sampler',
      expected: `an index from 0 to ${steps.length - 1}`,
      received: String(index),
      remedy: 'pass places in the order of sampling, not training times',
    })
  })
}

/** The steps of a sampler at these places, or as it has placed them. @throws {ScheduleError} the sampler has no such step */
export function rowsAt<S extends SamplerStep>(steps: readonly S[], at: Places, device: string): StepRows<S> {
  return at instanceof StepRows ? (at as StepRows<S>) : new StepRows(stepsAt(steps, at as readonly number[]), device)
}

/**
 * Checks that all these steps have a density. To be called before log-densities and KLs are taken, which would be NaN
 * at σ = 0; costs no wait for the device.
 * @throws {ScheduleError}
 */
export function expectStochastic({ steps }: Sampler, at: readonly number[]): void {
  const environment = stepsAt(steps, at).find((step) => !step.stochastic)
  if (environment === undefined) return
  throw new ScheduleError({
    where: `step ${environment.index} of the sampler, time ${environment.t}`,
    expected: 'σ > 0',
    received: '0: the step belongs to the environment and has no log-density and no KL',
    remedy: 'leave it out of the transitions that train the policy',
  })
}
