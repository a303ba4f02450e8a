/** What becomes of scores that compare images of one prompt alone, where images of several prompts are weighed together. */
import { mean } from 'simple-statistics'
import { RewardError } from '../errors.ts'
import type { Reward } from './reward.ts'

/** How far the scores of a reward compare, as manifests say it. */
export const comparableOf = ({ isWithinPrompt }: Pick<Reward, 'isWithinPrompt'>) =>
  isWithinPrompt ? 'within a prompt' : 'across prompts'

/** Scores that compare images of all prompts, with the range that they may have. */
export interface ComparableScores {
  readonly scores: readonly number[]
  readonly range: Reward['range']
  /** Prompts of a single image, which is the mean of itself and has nothing to be compared with; undefined where nothing was centred. */
  readonly singles: number | undefined
}

/**
 * Scores less the mean score of their prompt where the reward compares images of a prompt only; of any other reward as they
 * are.
 *
 * @param texts  the prompt of each score
 * @throws {RewardError} no prompt has two images: nothing is left to compare
 */
export function acrossPrompts(
  { name, range, isWithinPrompt }: Pick<Reward, 'name' | 'range' | 'isWithinPrompt'>,
  scores: readonly number[],
  texts: readonly string[],
): ComparableScores {
  if (!isWithinPrompt) return { scores, range, singles: undefined }
  const byPrompt = Map.groupBy(scores, (_, i) => texts[i])
  const singles = [...byPrompt.values()].filter(({ length }) => length === 1).length
  if (singles === byPrompt.size) {
    throw new RewardError({
      where: name,
      expected: 'several images of a prompt, since it compares images of one prompt only',
      received: `one image of each of ${singles} prompts`,
      remedy: 'draw more images per prompt, or give a reward that learned from good and bad labels',
    })
  }
  return { scores: centredByPrompt(scores, texts), range: undefined, singles }
}

/** Scores less the mean of their prompt. @param texts the prompt of each */
export function centredByPrompt(scores: readonly number[], texts: readonly string[]): number[] {
  const means = new Map([...Map.groupBy(scores, (_, i) => texts[i])].map(([text, own]) => [text, mean(own)]))
  return scores.map((score, i) => score - means.get(texts[i])!)
}

/** What a training tells of it. */
export function centredWords({ name }: Pick<Reward, 'name'>, singles: number): string {
  const left = singles === 0 ? '' : `; ${singles} prompts have one image, which counts as average`
  return `${name} compares images of one prompt only: its scores are taken from the mean of their prompt${left}`
}
