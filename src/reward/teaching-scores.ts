import { RewardError } from '../errors.ts'

const refused = (name: string, received: string, remedy = 'check the labels that the reward was trained on') =>
  new RewardError({ where: name, expected: 'finite rewards that differ between images', received, remedy })

/** @param name of the reward @throws {RewardError} a score is not finite */
export function expectFiniteScores(name: string, scores: readonly number[]): void {
  const broken = scores.find((score) => !Number.isFinite(score))
  if (broken !== undefined) throw refused(name, String(broken))
}

/** Up to which share of the largest score differences are rounding. */
const rounding = 1e-6

/** Whether several scores are one, but for rounding. @param scores finite */
export function isConstant(scores: readonly number[]): boolean {
  const [low, high] = scores.reduce(
    ([low, high], one) => [Math.min(low, one), Math.max(high, one)],
    [Infinity, -Infinity],
  )
  return scores.length > 1 && high - low <= rounding * Math.max(Math.abs(low), Math.abs(high))
}

/** Whether scores differ nowhere within their groups: so many in a row each, all of them without a number. */
export function areConstant(scores: readonly number[], groupSize = scores.length): boolean {
  const groups = Array.from({ length: Math.ceil(scores.length / groupSize) }, (_, i) =>
    scores.slice(i * groupSize, (i + 1) * groupSize),
  )
  return groups.every(isConstant)
}

/**
 * A reward that is not finite, or the same for every image, teaches nothing and would waste the run.
 *
 * @param name      of the reward
 * @param scores    of images
 * @param remedy    where all are the same
 * @param groupSize images in a row that are compared with each other alone, where not all are
 * @throws {RewardError}
 */
export function expectTeaching(
  name: string,
  scores: readonly number[],
  { remedy, groupSize }: { readonly remedy?: string; readonly groupSize?: number | undefined } = {},
): void {
  expectFiniteScores(name, scores)
  if (isConstant(scores)) throw refused(name, `${scores[0]} for all ${scores.length} images`, remedy)
  if (!areConstant(scores, groupSize)) return
  throw refused(
    name,
    `the same for all ${groupSize} images of each prompt`,
    remedy ?? 'use a reward that sees the image, not the prompt alone',
  )
}
