/**
 * The value function V(x_t, t, z): the expected reward of a state before its action is drawn (Fan et al. 2023, §4.4).
 *
 * It reads the state through what the reward would see in the clean image that the policy predicts at x_t, beside the
 * prompt and the step. (The public code reads x_t itself, which takes far more roll-outs to say anything.)
 */
import { z } from 'zod'
import type { Sampler } from '../../diffusion/process.ts'
import { DivergenceError, FormatError } from '../../errors.ts'
import type { GenerativeModel } from '../../networks/generative-model.ts'
import { Weights } from '../../networks/weights.ts'
import { random, seedOf } from '../../random.ts'
import type { Reward } from '../../reward/reward.ts'
import { policyStreams } from '../../streams.ts'
import { AdamW } from '../../tensor/adamw.ts'
import { noGrad } from '../../tensor/autograd.ts'
import { cat, tensor, zeros } from '../../tensor/create.ts'
import { embedding } from '../../tensor/functional.ts'
import { copyState, startUpdate, type Update } from '../../tensor/optimise.ts'
import { readTogether } from '../../tensor/read-together.ts'
import { tensorScope, unscoped } from '../../tensor/scope.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { below, numbersOf, under, type TrainingState } from '../../tensor/training-state.ts'
import type { Observer, Rollouts } from '../rollout.ts'

const hidden = 128
const stepWidth = 32

export interface ValueOptions {
  readonly learningRate: number
  /** Updates after each batch of roll-outs. */
  readonly updates: number
  readonly batchSize: number
  /** Batches of roll-outs that are remembered for fitting. */
  readonly memory: number
}

/** What a saved state holds beside its tensors. */
export const ValueNumbers = z.object({
  fits: z.int().nonnegative(),
  /** Batches of roll-outs that it remembers. */
  memory: z.int().nonnegative(),
  featureWidth: z.int().positive(),
})

/** What the reward would see in the clean image that a policy predicts at a state: [B, f]. */
export const predictedFeatures =
  (policy: GenerativeModel, reward: Reward, sampler: Sampler): Observer =>
  ({ texts, earlier, xt, prediction, at }) =>
    reward.features(policy.preview([...earlier, sampler.parts(prediction, xt, at).x0]), texts)

/** Roll-outs as V sees them: what {@link predictedFeatures} observed of every step, [N, f] each, and N rewards. */
export type SeenRollouts = Pick<Rollouts, 'observed' | 'rewards'>

/** How complaints about the value function begin, which has a learning rate of its own. */
export const valueName = 'value function'

interface Remembered {
  readonly features: readonly Tensor[] // steps of [N, f]
  readonly rewards: Tensor // [N]
}

export class ValueFunction {
  readonly #weights: Weights
  readonly #optimiser: AdamW
  readonly #options: ValueOptions
  readonly #width: number
  readonly #stepCount: number
  readonly #seed: number
  readonly #memory: Remembered[] = []
  #fits = 0

  constructor(featureWidth: number, stepCount: number, seed: number, options: ValueOptions) {
    this.#width = featureWidth
    this.#stepCount = stepCount
    this.#seed = seed
    this.#options = options
    this.#weights = Weights.fresh(seedOf(...policyStreams.valueWeights(seed)))
    // A value function outlives the scope in which it is first needed.
    unscoped(() => {
      using scope = tensorScope()
      this.#evaluate(zeros([1, featureWidth]), zeros([1], 'int64'))
      for (const parameter of this.#weights.tensors().values()) scope.keep(parameter.requireGrad())
    })
    const { learningRate } = options
    this.#optimiser = unscoped(() => new AdamW(this.#weights.tensors(), { learningRate, weightDecay: 0.01 }))
  }

  #evaluate(features: Tensor, steps: Tensor): Tensor {
    const weights = this.#weights
    const step = embedding(
      weights.parameter('step', [this.#stepCount, stepWidth], { gain: Math.sqrt(stepWidth) }),
      steps,
    )
    const h = weights.linear('first', cat([features, step], 1), this.#width + stepWidth, hidden).gelu()
    return weights.linear('out', weights.linear('second', h, hidden, hidden).gelu(), hidden, 1, 0.1).squeeze(1)
  }

  /**
   * V of all states of roll-outs, as fitted before these roll-outs were seen.
   * @returns one tensor [N] a step
   */
  predict({ observed, rewards }: SeenRollouts): Tensor[] {
    using scope = tensorScope()
    using _noGrad = noGrad()
    const count = rewards.length
    return observed.map((features, step) =>
      scope.keep(this.#evaluate(features, tensor(new Array<number>(count).fill(step), [count], 'int64'))),
    )
  }

  /**
   * Fits V to the rewards of these and the last few batches of roll-outs by squared error.
   * @returns the mean loss
   * @throws {DivergenceError}
   */
  fit(rollouts: SeenRollouts): number {
    try {
      return this.#fit(rollouts)
    } catch (error) {
      if (!(error instanceof DivergenceError)) throw error
      const { where, expected, received, remedy } = error
      throw new DivergenceError({ where: `${valueName}, ${where}`, expected, received, remedy, cause: error })
    }
  }

  #fit(rollouts: SeenRollouts): number {
    const { updates, batchSize, learningRate } = this.#options
    this.#remember(rollouts)
    const stream = random(...policyStreams.valueRows(this.#seed, this.#fits++))
    using _all = tensorScope()
    const weights = this.#weights.tensors()
    const done: { loss: Tensor; update: Update }[] = []
    for (let i = 0; i < updates; i++) {
      using scope = tensorScope()
      const part = stream.pick(this.#memory)
      const count = part.rewards.shape[0]
      const rows = Array.from({ length: batchSize }, () => stream.integer(0, count * this.#stepCount - 1))
      const index = (values: number[]) => tensor(values, [values.length], 'int64')
      const all = cat(part.features)
      const targets = part.rewards.indexSelect(0, index(rows.map((row) => row % count)))
      const values = this.#evaluate(all.indexSelect(0, index(rows)), index(rows.map((row) => Math.floor(row / count))))
      const loss = values.sub(targets).square().mean()
      loss.backward()
      const update = startUpdate([this.#optimiser], weights, { maxGradNorm: 1, learningRates: [learningRate] })
      done.push({ loss: scope.keep(loss.detach()), update })
      scope.keep(update.measured)
    }
    const read = readTogether(done.flatMap(({ loss, update }) => [loss, update.measured]))
    let total = 0
    for (const { update } of done) {
      total += read.shift()![0]
      update.check(read.shift()!)
    }
    return total / updates
  }

  #remember(rollouts: SeenRollouts): void {
    this.#memory.push(
      unscoped(() => ({
        features: rollouts.observed.map((features) => features.clone()),
        rewards: tensor(rollouts.rewards),
      })),
    )
    if (this.#memory.length <= this.#options.memory) return
    const oldest = this.#memory.shift()!
    for (const each of [...oldest.features, oldest.rewards]) each.dispose()
  }

  state(): TrainingState {
    const remembered = this.#memory.flatMap(({ features, rewards }, i): [string, Tensor][] => [
      [`memory.${i}.rewards`, rewards],
      ...features.map((each, step): [string, Tensor] => [`memory.${i}.features.${step}`, each]),
    ])
    const tensors = new Map([
      ...under('weights', this.#weights.tensors()),
      ...under('optimiser', this.#optimiser.state()),
      ...remembered,
    ])
    return { tensors, numbers: { fits: this.#fits, memory: this.#memory.length, featureWidth: this.#width } }
  }

  /** @throws {FormatError} the state of another value function, or something is missing */
  load(state: TrainingState): void {
    const { tensors } = state
    const { fits, memory } = numbersOf(valueName, ValueNumbers, state)
    copyState(valueName, new Map(this.#weights.tensors()), below('weights', tensors))
    this.#optimiser.load(below('optimiser', tensors))
    this.#fits = fits
    for (const { features, rewards } of this.#memory.splice(0))
      for (const each of [...features, rewards]) each.dispose()
    const copy = (name: string) => {
      const saved = tensors.get(name)
      if (saved !== undefined) return unscoped(() => saved.clone())
      const remedy = 'was this state saved for another network?'
      throw new FormatError({ where: valueName, expected: name, received: 'nothing of this name', remedy })
    }
    for (let i = 0; i < memory; i++) {
      const features = Array.from({ length: this.#stepCount }, (_, step) => copy(`memory.${i}.features.${step}`))
      this.#memory.push({ features, rewards: copy(`memory.${i}.rewards`) })
    }
  }
}
