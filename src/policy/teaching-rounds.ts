/** Whether the rewards of what a training draws still tell images apart, over its rounds. */
import { areConstant, expectFiniteScores, expectTeaching } from '../reward/teaching-scores.ts'

/** Rounds in a row in which a reward that is the same for all images is no chance any more. */
const mostConstant = 3

export class TeachingRounds {
  readonly #name: string
  readonly #groupSize: number | undefined
  /** Rounds up to now in which all images had one reward; a part of a training's state. */
  constant = 0

  /**
   * @param name      of the reward
   * @param groupSize images in a row that are compared with each other alone
   */
  constructor(name: string, groupSize?: number) {
    this.#name = name
    this.#groupSize = groupSize
  }

  /**
   * All images of a round, or of each of its groups, may have the same reward by chance, but for the first one: nothing has come of it yet.
   *
   * @param round from 0
   * @throws {RewardError} a reward is not finite, or has been the same for all of them too often
   */
  expect(rewards: readonly number[], round: number): void {
    expectFiniteScores(this.#name, rewards)
    this.constant = areConstant(rewards, this.#groupSize) ? this.constant + 1 : 0
    if (this.constant !== (round === 0 ? 1 : mostConstant)) return
    expectTeaching(this.#name, rewards, { groupSize: this.#groupSize })
  }
}
