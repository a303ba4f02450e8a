import { RewardError } from '../errors.ts'

const refused = (name: string, received: string, remedy = 'check the labels that the reward was trained on') =>
  new RewardError({ where: name, expected: 'finite rewards that differ between images', received, remedy })

/** @param name of the reward @throws {RewardError} a score is not finite */
export function expectFiniteScores(name: string, scores: readonly number[]): void {
  const broken = scores.find((score) => !Number.isFinite(score))
  if (broken !== undefined) throw refused(name, String(broken))
}

/**
 * A reward that is not finite, or the same for every image, teaches nothing and would waste the run.
 *
 * @param name   of the reward
 * @param scores of images
 * @param remedy where all are the same
 * @throws {RewardError}
 */
export function expectTeaching(name: string, scores: readonly number[], remedy?: string): void {
  expectFiniteScores(name, scores)
  const isConstant = scores.length > 1 && scores.every((score) => score === scores[0])
  if (isConstant) throw refused(name, `${scores[0]} for all ${scores.length} images`, remedy)
}
