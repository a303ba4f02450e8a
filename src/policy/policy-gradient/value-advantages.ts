/** Advantages by a learned value function (Fan et al. 2023, §4.4). */
import { z } from 'zod'
import type { Sampler } from '../../diffusion/process.ts'
import type { GenerativeModel } from '../../networks/generative-model.ts'
import type { Reward } from '../../reward/reward.ts'
import { explainedVariance } from '../../reward/training/classification.ts'
import { loweredRate } from '../../tensor/optimise.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { below, numbersOf, ofAnotherRun, under, type TrainingState } from '../../tensor/training-state.ts'
import type { Observer, Rollouts } from '../rollout.ts'
import { advantagesOf, type Advantages, type Figures, type Judged } from './advantages.ts'
import { predictedFeatures, valueName, ValueFunction, ValueNumbers } from './value.ts'

/** Config fields of a method that learns a value function. */
export const valueFields = {
  value: z.boolean().default(true).describe('Learns a value function and subtracts it from the reward.'),
  valueLearningRate: z.number().positive().default(1e-3).describe('Learning rate of the value function.'),
  advantageDecay: z
    .number()
    .min(0)
    .max(1)
    .default(0.5)
    .describe('λ of the advantage: 1 is reward − V of the state, 0 the change of V by the one action.'),
  valueUpdates: z.int().positive().max(10_000).default(10).describe('Updates of the value function per iteration.'),
}
type ValueSettings = z.infer<z.ZodObject<typeof valueFields>>

/** Rows of states in an update of V, and batches of roll-outs that it remembers. */
const [batchSize, memory] = [256, 4]

export interface ValueAdvantagesOptions {
  /** As it draws. */
  readonly policy: GenerativeModel
  readonly reward: Reward
  readonly sampler: Sampler
  readonly seed: number
  readonly settings: ValueSettings
}

const Numbers = z.object({
  promptMeans: z.array(z.tuple([z.string(), z.object({ sum: z.number(), count: z.int().positive() })])),
  value: ValueNumbers.optional(),
})

export class ValueAdvantages implements Advantages {
  readonly observer: Observer
  readonly #options: ValueAdvantagesOptions
  /** Made when the first roll-outs tell how wide their features are. */
  #value: ValueFunction | undefined
  /** What V has to beat: the mean reward that each prompt has had so far. */
  #promptMeans = new Map<string, { sum: number; count: number }>()

  constructor(options: ValueAdvantagesOptions) {
    const { policy, reward, sampler } = options
    this.#options = options
    this.observer = predictedFeatures(policy, reward, sampler)
  }

  judge(rollouts: Rollouts): Judged {
    this.#value ??= this.#newValue(rollouts.observed[0].shape[1])
    const values = this.#value.predict(rollouts)
    return {
      advantages: advantagesOf(rollouts.rewards, values, this.#options.settings.advantageDecay),
      figures: this.#explained(rollouts, values),
    }
  }

  learn(rollouts: Rollouts): Figures {
    rollouts.texts.forEach((text, i) => {
      const { sum, count } = this.#promptMeans.get(text) ?? { sum: 0, count: 0 }
      this.#promptMeans.set(text, { sum: sum + rollouts.rewards[i], count: count + 1 })
    })
    return { value_loss: this.#value!.fit(rollouts) }
  }

  /** How well V, and the mean reward of a prompt, foretell rewards that neither has seen; nothing of the first roll-outs. */
  #explained({ texts, rewards, sampler }: Rollouts, values: readonly Tensor[]): Figures {
    const overall = [...this.#promptMeans.values()].reduce(
      (a, b) => ({ sum: a.sum + b.sum, count: a.count + b.count }),
      { sum: 0, count: 0 },
    )
    if (overall.count === 0) return {}
    // V is measured where there is an action.
    const actionSteps = sampler.steps.filter(({ stochastic }) => stochastic).map(({ index }) => index)
    const promptMeans = texts.map((text) => {
      const { sum, count } = this.#promptMeans.get(text) ?? overall
      return sum / count
    })
    return {
      explained_variance: explainedVariance(
        actionSteps.flatMap((step) => values[step].toArray()),
        actionSteps.flatMap(() => rewards),
      ),
      explained_variance_prompt_mean: explainedVariance(promptMeans, rewards),
    }
  }

  #newValue(featureWidth: number): ValueFunction {
    const { sampler, seed, settings } = this.#options
    const { valueLearningRate: learningRate, valueUpdates: updates } = settings
    return new ValueFunction(featureWidth, sampler.steps.length, seed, { learningRate, updates, batchSize, memory })
  }

  lowerRates(where: string): { readonly valueLearningRate: number } | undefined {
    if (!where.startsWith(valueName)) return undefined
    const { valueLearningRate } = this.#options.settings
    return { valueLearningRate: loweredRate(valueLearningRate, valueFields.valueLearningRate.parse(undefined)) }
  }

  state(): TrainingState {
    const value = this.#value?.state()
    return {
      tensors: new Map(value === undefined ? [] : under('value', value.tensors)),
      numbers: { promptMeans: [...this.#promptMeans], ...(value && { value: value.numbers }) },
    }
  }

  load(state: TrainingState): void {
    const { promptMeans, value } = numbersOf(valueName, Numbers, state)
    if (value === undefined && promptMeans.length > 0) {
      throw ofAnotherRun(`${valueName} state`, 'a value function that has seen these prompts', 'none')
    }
    this.#promptMeans = new Map(promptMeans)
    if (value === undefined) return
    this.#value = this.#newValue(value.featureWidth)
    this.#value.load({ tensors: below('value', state.tensors), numbers: value })
  }
}
