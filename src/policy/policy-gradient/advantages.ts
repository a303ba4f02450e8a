/** How good an action was, beside what was to be expected before it: the part in which policy gradients differ most. */
import type { Tensor } from '../../tensor/tensor.ts'
import type { TrainingState } from '../../tensor/training-state.ts'
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
  /** Judges roll-outs by what was known before they were drawn. */
  judge(rollouts: Rollouts): Judged
  /** Learns from roll-outs that have been judged. */
  learn(rollouts: Rollouts): Figures
  state(): TrainingState
  /** @throws {FormatError} the state of another source */
  load(state: TrainingState): void
}

/** Every action is as good as the reward at its end: without a baseline. */
export const rewardAdvantages: Advantages = {
  observer: undefined,
  judge: ({ rewards, sigmas }) => ({ advantages: sigmas.map(() => rewards), figures: {} }),
  learn: () => ({}),
  state: () => ({ tensors: new Map(), numbers: {} }),
  load: () => undefined,
}

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
