/** How good an action was, beside what was to be expected before it: the part in which policy gradients differ most. */
import type { Tensor } from '../../tensor/tensor.ts'
import { ofAnotherRun, type TrainingState } from '../../tensor/training-state.ts'
import { groupAdvantages, type AdvantageDeviation } from '../group-advantages.ts'
import type { Observer, Rollouts } from '../rollout.ts'

/** Figures by their names in `metrics.jsonl`. */
export type Figures = Readonly<Record<string, number>>

export interface Judged {
  /** Advantage of every action: N numbers a step of sampling. */
  readonly advantages: readonly (readonly number[])[]
  readonly figures: Figures
}

/** A source of advantages. What it has learned is part of a training's state. */
export interface Advantages {
  /** What it wants to know of the states that are rolled out. */
  readonly observer: Observer | undefined
  /** Judges roll-outs. What is learned of states is what was known before they were drawn. */
  judge(rollouts: Rollouts): Judged
  /** Learns from roll-outs that have been judged. */
  learn(rollouts: Rollouts): Figures
  state(): TrainingState
  /** @throws {FormatError} the state of another source */
  load(state: TrainingState): void
  /** Settings with which a training may go well that diverged where its error says; nothing where that is not of these. */
  lowerRates?(where: string): Readonly<Record<string, number>> | undefined
}

/** Of a source that looks at no states and learns nothing. */
const learnsNothing = {
  observer: undefined,
  learn: () => ({}),
  state: () => ({ tensors: new Map(), numbers: {} }),
  load({ numbers }: TrainingState) {
    if (!('value' in numbers)) return
    throw ofAnotherRun('training state', 'one without a value function', 'one with one')
  },
} as const

/** Of every action of a roll-out the same. */
const ofEvery = ({ sigmas }: Rollouts, advantages: readonly number[]) => sigmas.map(() => advantages)

/** Every action is as good as the reward at its end: without a baseline. */
export const rewardAdvantages: Advantages = {
  ...learnsNothing,
  judge: (rollouts) => ({ advantages: ofEvery(rollouts, rollouts.rewards), figures: {} }),
}

/** Every action is as good as its image beside the others of its prompt. */
export const relativeAdvantages = (deviation: AdvantageDeviation): Advantages => ({
  ...learnsNothing,
  judge(rollouts) {
    const advantages = groupAdvantages(rollouts.rewards, rollouts.texts, deviation)
    const idle = advantages.filter((advantage) => advantage === 0).length / advantages.length
    return { advantages: ofEvery(rollouts, advantages), figures: { idle_share: idle } }
  },
})

/**
 * Advantages of every action: A_s = Σ_{k ≥ s} λ^{k−s} (V_{k+1} − V_k), with the reward as the value of the end. λ = 1 is the
 * paper's r − V_s; below 1 an action is credited less for what later noise did, at the price of trusting V.
 *
 * @param rewards N numbers
 * @param values  V of each step's state before its action, [N] a step
 * @returns       N numbers a step
 * @see Schulman et al. 2016 (arXiv:1506.02438), Eq. 16, without discount and with a reward at the end only
 */
export function advantagesOf(rewards: readonly number[], values: readonly Tensor[], lambda: number): number[][] {
  const advantages: number[][] = []
  let next: readonly number[] = rewards
  for (const value of values.map((each) => each.toArray()).reverse()) {
    const later = advantages.at(0)
    advantages.unshift(value.map((v, i) => next[i] - v + lambda * (later?.[i] ?? 0)))
    next = value
  }
  return advantages
}
