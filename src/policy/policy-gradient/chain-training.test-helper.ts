/** Online trainings of Gaussian chains whose gradients and optimum are known. */
import assert from 'node:assert/strict'
import { FlowMatching, shiftedSigmas, type FlowSampler } from '../../diffusion/flow-matching.ts'
import { objective, optimum, shifted, type GaussianChain } from '../../diffusion/gaussian-chain.test-helper.ts'
import { noiseFor } from '../../diffusion/sample.ts'
import type { GenerativeModel, ModelStage } from '../../networks/generative-model.ts'
import type { Change, Weights } from '../../networks/weights.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import {
  chainFor,
  elements,
  fullSampler,
  meanShifts,
  noShifts,
  offset,
  predict,
  ShiftedModel,
  slope,
} from '../gaussian-model.test-helper.ts'
import type { Trainer } from '../training-run.ts'

/** Shifts to begin with, of the prompt `low`, by time. */
export const start = [0.3, -0.2, 0.4, 0.1]
export const startShifts = [[0, 0, 0, 0], start, [0, 0, 0, 0]]
/** Of the full sampler. */
export const stochasticSteps = 3
/** Every transition of every roll-out in one update, nothing clipped. */
export const oneFullUpdate = { gradientSteps: 1, transitionsPerRollout: stochasticSteps, maxGradNorm: 1e9 }

/** After one update with a full minibatch AdamW's first moment is (1 − β₁) times the gradient. */
export function gradientOf(algorithm: Trainer): number[][] {
  const moment = algorithm.state().tensors.get('optimiser.exp_avg.shift')!.mul(10).toArray()
  return [0, 1, 2].map((row) => moment.slice(4 * row, 4 * row + 4))
}

/** The sum over elements of every step's noise of roll-out i in iteration 0, and its reward under these shifts. */
export function handRollout(seed: number, i: number, shift: readonly number[], rewardSlope: number) {
  const sampler = fullSampler
  const noise = noiseFor([seed, 2, 0, i], [1, 2, 2], 4).flatten(1).sum(1).toArray()
  const chain = chainFor(sampler, { rewardSlope, klWeight: 1 })
  const means = meanShifts(sampler, shift)
  let sum = noise[0]
  chain.steps.forEach(({ a, b, sigma }, step) => {
    sum = a * sum + elements * (b + means[step]) + sigma * noise[step + 1]
  })
  return { noise: noise.slice(1), reward: rewardSlope * sum }
}

/** Trains to the end. @returns the shifts of `low`, by time */
export function trained(trainer: Trainer): number[] {
  while (trainer.done < trainer.total) trainer.step()
  return trainer.parameters.get('shift')!.toArray().slice(4, 8)
}

/** How much of the gain that is possible shifts of the means have reached, which must be near the best. */
export function assertGained(chain: GaussianChain, means: readonly number[], least: number): void {
  const best = optimum(chain)
  const [reached, untrained] = [shifted(chain, means), chain.steps].map((policy) => objective(chain, policy))
  const gained = (reached - untrained) / (best.value - untrained)
  assert.ok(gained > least, `${gained} of the possible gain, shifts ${means.join()}, best ${best.shifts.join()}`)
}

const flowSteps = 4
const flow = new FlowMatching({ sigmas: shiftedSigmas(1) })
/** All four steps are stochastic. */
export const flowSampler: FlowSampler = flow.sampler({ steps: flowSteps, eta: 0.7 })
/** Row of the shifts at a time of the flow: 250 to 1000. */
const rowAt = (t: Tensor) => t.mul(flowSteps / 1000).sub(1)

class FlowChain extends ShiftedModel {
  readonly name = 'flow chain'
  readonly sha256 = 'd'.repeat(64)
  readonly stages: readonly ModelStage[] = [
    {
      name: 'chain',
      process: flow,
      stateShape: [1, 2, 2],
      sampling: { steps: flowSteps, eta: 0.7, guidance: 1 },
      condition: (text) => text,
      predict: (xt, t, given) => predict(xt, rowAt(t).to('int64'), given),
    },
  ]

  constructor(weights: Weights) {
    super(weights, 0)
  }

  decode([x0]: readonly Tensor[]): Tensor {
    return x0.expand(-1, 3, -1, -1)
  }

  preview([x0]: readonly Tensor[]): Tensor {
    return x0
  }

  encode(pixels: Tensor) {
    return { x0: pixels.slice(1, 0, 1), earlier: [] }
  }

  with(change: Change): GenerativeModel {
    return new FlowChain(this.weights.with(change))
  }
}

/** The same chain as a model of flow matching: its velocity is slope · x + offset + a shift by text and time. */
export const flowChainModel = (): GenerativeModel => new FlowChain(noShifts())

/** One element of it. */
export const flowChain = (weights: Pick<GaussianChain, 'rewardSlope' | 'klWeight'>): GaussianChain => ({
  steps: flowSampler.steps.map(({ std, meanPerState, meanPerVelocity }) => ({
    ...{ a: meanPerState + meanPerVelocity * slope, b: meanPerVelocity * offset, sigma: std },
  })),
  start: { mean: 0, variance: 1 },
  ...weights,
})

/** The change of the mean of every step of it, in the order of sampling, by the shifts of one text. */
export const flowMeanShifts = (shift: readonly number[]): number[] =>
  flowSampler.steps.map(({ index, meanPerVelocity }) => meanPerVelocity * shift[flowSteps - 1 - index])
