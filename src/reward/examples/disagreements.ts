/** On which images people and a reward disagree. */
import { mean } from 'simple-statistics'
import type { Comparison, RewardExamples } from './reward-examples.ts'

/** Both sides on one scale from 0 to 1. */
export interface Disagreement {
  /** Row of the image among the embeddings. */
  readonly image: number
  /** Of labels: the reward. Of comparisons: the share that it expects the image to win, a tie being half a win. */
  readonly score: number
  /** Of labels: share of good. Of comparisons: share won, a tie being half a win. */
  readonly people: number
  /** Labels, or comparisons. */
  readonly judgments: number
  readonly by: 'labels' | 'comparisons'
}

/**
 * What people say of every judged image, and what the reward does. Labels count where an image has any; comparisons
 * otherwise, which say how it stands among the images that it was compared with.
 *
 * @param scores of the judged images by their rows, in (0, 1)
 * @param nu     Davidson's ν of the fit; null without comparisons
 */
export function disagreements(
  { labels, comparisons }: RewardExamples,
  scores: readonly number[],
  nu: number | null,
): Disagreement[] {
  const labelled = Map.groupBy(labels, ({ image }) => image)
  const sides = comparisons.flatMap((comparison) =>
    [comparison.better, comparison.worse].map((image) => ({ image, comparison })),
  )
  const compared = Map.groupBy(
    sides.filter(({ image }) => !labelled.has(image)),
    ({ image }) => image,
  )
  return [
    ...[...labelled].map(([image, own]): Disagreement => {
      const good = own.filter((label) => label.good).length
      return { image, score: scores[image], people: good / own.length, judgments: own.length, by: 'labels' }
    }),
    ...[...compared].map(([image, sidesOfOne]): Disagreement => {
      const own = sidesOfOne.map(({ comparison }) => comparison)
      const total = own.reduce((sum, { weight }) => sum + weight, 0)
      const average = (of: (one: Comparison) => number) =>
        own.reduce((sum, one) => sum + one.weight * of(one), 0) / total
      return {
        image,
        score: average(({ better, worse }) =>
          expectedShare(scores[image], scores[better === image ? worse : better], nu ?? 0),
        ),
        people: average(({ better, isTie }) => (isTie ? 0.5 : better === image ? 1 : 0)),
        judgments: own.length,
        by: 'comparisons',
      }
    }),
  ]
}

/** P(win) + P(tie)/2 of an image against another one by Davidson, whose strengths are the odds of their scores. */
function expectedShare(score: number, other: number, nu: number): number {
  const [own, others] = [score / (1 - score), other / (1 - other)]
  const tie = nu * Math.sqrt(own * others)
  return (own + tie / 2) / (own + others + tie)
}

/** A fit's scores of the judged images, and the prompts of which it has seen judgments. */
export interface SeeingFit {
  readonly seen: ReadonlySet<string>
  readonly scores: readonly number[]
}

/**
 * Scores that foretell judgments instead of remembering them: of each image the mean of the fits that have seen no
 * judgment of its prompt, and where all have, the score of the reward itself.
 */
export function foretold(
  images: readonly { readonly text: string }[],
  fits: readonly SeeingFit[],
  own: readonly number[],
): number[] {
  return images.map(({ text }, i) => {
    const unseen = fits.filter(({ seen }) => !seen.has(text))
    return unseen.length === 0 ? own[i] : mean(unseen.map(({ scores }) => scores[i]))
  })
}

/** The images on which both differ most, the largest difference first; of equal ones, those judged more often. */
export function largestDifferences<T extends Disagreement>(all: readonly T[], most: number): T[] {
  const difference = ({ score, people }: Disagreement) => Math.abs(score - people)
  return all.toSorted((a, b) => difference(b) - difference(a) || b.judgments - a.judgments).slice(0, most)
}
