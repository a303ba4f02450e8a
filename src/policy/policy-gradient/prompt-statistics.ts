/** Advantages by what each prompt's images have been worth lately (Black et al. 2023, DDPO, §5.2 and its public code). */
import { z } from 'zod'
import { numbersOf, type TrainingState } from '../../tensor/training-state.ts'
import { boundedAdvantage, momentsOf } from '../group-advantages.ts'
import type { Rollouts } from '../rollout.ts'
import type { Advantages, Judged } from './advantages.ts'

/** Config field of a method that remembers rewards by their prompts. */
export const promptStatisticsFields = {
  promptMemory: z
    .int()
    .min(2)
    .max(10_000)
    .default(16)
    .describe(
      'Latest rewards of each prompt that its mean and deviation are of; until a prompt has as many, those of the whole iteration are used.',
    ),
}

/** Added to a deviation. */
const leastDeviation = 1e-6

const Numbers = z.object({ latestRewards: z.array(z.tuple([z.string(), z.array(z.number())])) })

/**
 * A = (r − mean)/(deviation + 1e-6), within ±5, with mean and deviation of the latest rewards of the prompt, the new ones
 * included, or of all of the iteration where the prompt has had too few. They are part of a training's state.
 */
export class PromptStatistics implements Advantages {
  readonly observer = undefined
  readonly #memory: number
  /** At most `memory` of each prompt, the oldest first. */
  #latest = new Map<string, readonly number[]>()

  constructor({ promptMemory }: { readonly promptMemory: number }) {
    this.#memory = promptMemory
  }

  judge({ texts, rewards, sigmas }: Pick<Rollouts, 'texts' | 'rewards' | 'sigmas'>): Judged {
    for (const [i, text] of texts.entries()) {
      this.#latest.set(text, [...(this.#latest.get(text) ?? []), rewards[i]].slice(-this.#memory))
    }
    const overall = momentsOf(rewards)
    const known = new Map(
      [...new Set(texts)].map((text) => {
        const latest = this.#latest.get(text)!
        return [text, latest.length < this.#memory ? undefined : momentsOf(latest)]
      }),
    )
    const advantages = texts.map((text, i) => {
      const { mean, deviation } = known.get(text) ?? overall
      return boundedAdvantage((rewards[i] - mean) / (deviation + leastDeviation))
    })
    const own = texts.filter((text) => known.get(text) !== undefined).length / texts.length
    return { advantages: sigmas.map(() => advantages), figures: { own_statistics: own } }
  }

  learn(): Record<string, never> {
    return {}
  }

  state(): TrainingState {
    return { tensors: new Map(), numbers: { latestRewards: [...this.#latest] } }
  }

  load(state: TrainingState): void {
    this.#latest = new Map(numbersOf('prompt statistics', Numbers, state).latestRewards)
  }
}
