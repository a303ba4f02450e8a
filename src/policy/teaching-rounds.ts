/** Whether the rewards of what a training draws still tell images apart, over its rounds. */
import { expectFiniteScores, expectTeaching, isConstant } from '../reward/teaching-scores.ts'

/** Rounds in a row in which a reward that is the same for all images is no chance any more. */
const mostConstant = 3

export class TeachingRounds {
  readonly #name: string
  /** Rounds up to now in which all images had one reward; a part of a training's state. */
  constant = 0

  /** @param name of the reward */
  constructor(name: string) {
    this.#name = name
  }

  /**
   * All images of a round may have the same reward by chance, but for the first one: nothing has come of it yet.
   *
   * @param round from 0
   * @throws {RewardError} a reward is not finite, or has been the same for all images too often
   */
  expect(rewards: readonly number[], round: number): void {
    expectFiniteScores(this.#name, rewards)
    this.constant = isConstant(rewards) ? this.constant + 1 : 0
    if (this.constant === (round === 0 ? 1 : mostConstant)) expectTeaching(this.#name, rewards)
  }
}
