/**
 * Flow matching on straight paths as a noise process: x_σ = (1 − σ) x₀ + σ ε with σ from 1, noise, to 0, the image; the
 * network says the velocity v = ε − x₀ (Lipman et al. 2023, arXiv:2210.02747; Liu et al. 2023, arXiv:2209.03003).
 *
 * A step goes from σ to σ' with dt = σ' − σ < 0. At η = 0 it is Euler's step of the ODE dx = v dσ. A policy needs noise:
 *
 * - `flow-sde` (Flow-GRPO, Liu et al. 2025, arXiv:2505.05470): with s = η √(σ/(1 − σ)),
 *   μ = x (1 + s² dt/(2σ)) + v (1 + s² (1 − σ)/(2σ)) dt,  std = s √(−dt).
 *   At σ = 1, where s is infinite, the 1 − σ under the root is that of the next σ. The last step is stochastic as well: its
 *   noise stays in the image.
 * - `flow-cps` (coefficients preserved, Wang & Yu 2025, arXiv:2509.05952): std = σ' sin(ηπ/2) and, with x̂₀ = x − σv and
 *   ε̂ = x + (1 − σ)v,  μ = (1 − σ') x̂₀ + √(σ'² − std²) ε̂.
 *   What is added never exceeds σ', so the last step, to σ' = 0, is deterministic. std does not shrink with the length of a
 *   step: at many steps and η > 0 images lose variance (the tests have by how much).
 *
 * Coefficients are in float64.
 */
import { ScheduleError } from '../errors.ts'
import { rand } from '../tensor/create.ts'
import type { Generator } from '../tensor/generator.ts'
import { expectShape } from '../tensor/shape.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { alongBatch } from './per-sample.ts'
import {
  rowsAt,
  type NoiseProcess,
  type Parts,
  type Places,
  type Sampler,
  type SamplerOptions,
  type SamplerStep,
  type Transition,
} from './process.ts'
import type { StepRows } from './step-rows.ts'

/** How a stochastic step is taken. */
export type FlowTransition = 'flow-sde' | 'flow-cps'

/** One step; μ = meanPerState · x + meanPerVelocity · v. */
export interface FlowStep extends SamplerStep {
  readonly sigma: number
  readonly sigmaNext: number
  /** Deviation of the next state. */
  readonly std: number
  readonly meanPerState: number
  readonly meanPerVelocity: number
}

/** What a flow-matching process is made of. */
export interface FlowSetup {
  /** σ of sampling with n steps: n numbers, falling, in (0, 1]. */
  readonly sigmas: (steps: number) => number[]
  /** σ after the last step; 0, a clean image, without it. */
  readonly finalSigma?: number
  /** Times that the network counts from the image to noise. */
  readonly trainSteps?: number
  readonly transition?: FlowTransition
}

/**
 * n numbers from 1, evenly spaced to 1/n and then shifted to more noise: s·u / (1 + (s − 1)·u).
 * @param shift s; 1 leaves them even
 * @see Esser et al. 2024 (Stable Diffusion 3, arXiv:2403.03206), Eq. 23
 */
export function shiftedSigmas(shift: number): (steps: number) => number[] {
  return (steps) =>
    Array.from({ length: steps }, (_, i) => {
      const u = 1 - i / steps
      return (shift * u) / (1 + (shift - 1) * u)
    })
}

/**
 * The step from σ to σ'.
 */
function flowStep(index: number, t: number, from: number, to: number, eta: number, kind: FlowTransition): FlowStep {
  const dt = to - from
  const step = { index, t, sigma: from, sigmaNext: to }
  if (kind === 'flow-cps') {
    const std = to * Math.sin((eta * Math.PI) / 2)
    const direction = to * Math.cos((eta * Math.PI) / 2)
    return {
      ...step,
      std,
      stochastic: std > 0,
      meanPerState: 1 - to + direction,
      // At η = 0 this is dt to the last digit.
      meanPerVelocity: eta === 0 ? dt : direction * (1 - from) - from * (1 - to),
    }
  }
  const s = eta * Math.sqrt(from / (1 - (from === 1 ? to : from)))
  const std = s * Math.sqrt(-dt)
  return {
    ...step,
    std,
    stochastic: std > 0,
    meanPerState: 1 + (s * s * dt) / (2 * from),
    meanPerVelocity: (1 + (s * s * (1 - from)) / (2 * from)) * dt,
  }
}

export class FlowSampler implements Sampler {
  readonly name: FlowTransition | 'flow-ode'
  readonly eta: number
  readonly steps: readonly FlowStep[]
  readonly #transition: FlowTransition

  constructor(steps: readonly FlowStep[], eta: number, transition: FlowTransition) {
    this.name = eta === 0 ? 'flow-ode' : transition
    this.eta = eta
    this.steps = Object.freeze(steps)
    this.#transition = transition
  }

  stochasticWithin(from: number, to: number): FlowSampler {
    const steps = this.steps.map((step) =>
      step.index >= from && step.index < to
        ? step
        : Object.freeze(flowStep(step.index, step.t, step.sigma, step.sigmaNext, 0, this.#transition)),
    )
    return new FlowSampler(steps, this.eta, this.#transition)
  }

  /** Where sampling begins below σ = 1, noise is scaled to the deviation that states of images of unit variance have. */
  start(noise: Tensor): Tensor {
    const { sigma } = this.steps[0]
    return sigma === 1 ? noise : noise.mul(Math.hypot(1 - sigma, sigma))
  }

  place(at: readonly number[], device: string): StepRows<FlowStep> {
    return rowsAt(this.steps, at, device)
  }

  times(at: Places, device: string): Tensor {
    return rowsAt(this.steps, at, device).of('t', 'float32')
  }

  transition(said: Tensor, xt: Tensor, at: Places): Transition {
    expectShape('prediction', said, xt.shape)
    const steps = rowsAt(this.steps, at, xt.device)
    expectShape('xt', xt, [steps.count, ...xt.shape.slice(1)])
    return {
      mean: steps.times('meanPerState', xt, xt).add(steps.times('meanPerVelocity', said, xt)),
      sigma: steps.of('std', xt.dtype),
    }
  }

  parts(said: Tensor, xt: Tensor, at: Places): Parts {
    return partsOf(said, xt, rowsAt(this.steps, at, xt.device).of('sigma', 'float64'))
  }
}

/** x̂₀ = x − σv and ε̂ = x + (1 − σ)v. */
function partsOf(velocity: Tensor, xt: Tensor, sigma: Tensor): Parts {
  expectShape('prediction', velocity, xt.shape)
  const along = alongBatch('sigma', sigma, xt)
  return { x0: xt.sub(along.mul(velocity)), epsilon: xt.add(along.neg().add(1).mul(velocity)) }
}

export class FlowMatching implements NoiseProcess {
  readonly name = 'flow'
  readonly predictionType = 'velocity'
  readonly #setup: Required<FlowSetup>

  constructor({ sigmas, finalSigma = 0, trainSteps = 1000, transition = 'flow-sde' }: FlowSetup) {
    this.#setup = { sigmas, finalSigma, trainSteps, transition }
  }

  /** Uniform in σ. */
  drawTimes(count: number, generator: Generator): Tensor {
    return rand([count], generator).mul(this.#setup.trainSteps)
  }

  noised(x0: Tensor, epsilon: Tensor, t: Tensor): Tensor {
    expectShape('epsilon', epsilon, x0.shape)
    const sigma = alongBatch('t', t.div(this.#setup.trainSteps), x0)
    return x0.mul(sigma.neg().add(1)).add(epsilon.mul(sigma))
  }

  target(x0: Tensor, epsilon: Tensor): Tensor {
    expectShape('epsilon', epsilon, x0.shape)
    return epsilon.sub(x0)
  }

  /** All times count the same. */
  weight(): undefined {
    return undefined
  }

  /** σ, of x̂₀ = x − σv. */
  imagePerPrediction(t: Tensor): Tensor {
    return t.div(this.#setup.trainSteps)
  }

  sampler({ steps, eta }: SamplerOptions): FlowSampler {
    const { sigmas, finalSigma, trainSteps, transition } = this.#setup
    if (!(eta >= 0 && eta <= 1)) {
      throw new ScheduleError({
        where: 'sampler, η',
        expected: 'a number from 0 (deterministic) to 1',
        received: String(eta),
        remedy: 'choose η = 0.7 for a policy',
      })
    }
    const all = [...sigmas(steps), finalSigma]
    const wrong = all.findIndex((sigma, i) => !(sigma >= 0 && (i === 0 ? sigma <= 1 : sigma < all[i - 1])))
    if (all.length < 2 || wrong >= 0) {
      throw new ScheduleError({
        where: 'sampler, σ',
        expected: 'at least one step, all σ falling within [0, 1]',
        received: all.slice(Math.max(0, wrong - 1), wrong + 1).join(', ') || 'none',
        remedy: 'sample with at least one step',
      })
    }
    const made = all
      .slice(0, -1)
      .map((sigma, i) => Object.freeze(flowStep(i, sigma * trainSteps, sigma, all[i + 1], eta, transition)))
    return new FlowSampler(made, eta, transition)
  }
}
