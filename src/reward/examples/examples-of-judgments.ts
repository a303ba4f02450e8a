/**
 * What judgments of each kind teach a reward: labels (an image is good or bad) and comparisons (of two images of one
 * prompt one is better, or they are equal). Skips teach nothing, and votes measure policies.
 *
 * | judgment           | labels                | comparisons                                                        |
 * | ------------------ | --------------------- | ------------------------------------------------------------------ |
 * | good, bad          | one                   |                                                                    |
 * | pair               |                       | one; a tie is one too                                              |
 * | pair: both bad     | two bad ones          | a tie: neither was preferred                                       |
 * | ranking of n       |                       | every two of its images, 2/n each; equal ranks are ties            |
 * | overall ratings, n |                       | every two by one rater of one prompt, 2/n each; equal ones are ties |
 *
 * A ranking of n images is n − 1 choices, the best of what is left (Plackett 1975, Luce 1959), so its n(n − 1)/2 pairs
 * weigh n − 1 together. Ratings are read in the same way. Where a rater has ranked two images, that ranking is taken and
 * the ratings that led to it are not, so that nothing counts twice. Stars are not labels: what one rater calls 4 of 7
 * another one calls 5, but within one rater and prompt their order holds.
 */
import type { Judgment } from '../../records.ts'
import type { Comparison, Label, RewardExamples } from './reward-examples.ts'

/**
 * @param judgments those that may train, each of them standing
 * @param textOf    prompt of an image, undefined of one that is left out; images of different prompts are not compared,
 *   since nobody was asked to
 * @returns         labels and comparisons in the order of the judgments, those of ratings last
 */
export function examplesOfJudgments(
  judgments: readonly Judgment[],
  textOf: (image: string) => string | undefined,
): RewardExamples<string> {
  const labels: Omit<Label<string>, 'text'>[] = []
  const comparisons: Compared[] = []
  const ranked = new Set<string>()
  const ratings = new Map<string, Scored[]>()
  for (const judgment of judgments) {
    const { kind, rater, images } = judgment
    if (kind === 'good-bad-skip') {
      if (judgment.answer !== 'skip') labels.push({ image: images[0], good: judgment.answer === 'good' })
    } else if (kind === 'pair') {
      const [first, second] = images
      const { answer } = judgment
      if (answer === 'skip') continue
      if (answer === 'both-bad') labels.push(...images.map((image) => ({ image, good: false })))
      const [better, worse] = answer === 'second' ? [second, first] : [first, second]
      comparisons.push({ better, worse, isTie: answer === 'tie' || answer === 'both-bad', weight: 1 })
    } else if (kind === 'ranking' && judgment.ranks !== undefined) {
      comparisons.push(...compared(images.map((image, i) => ({ image, level: -judgment.ranks![i] }))))
      for (const [a, b] of pairsOf(images)) ranked.add(pairKey(rater, a, b))
    } else if (kind === 'rating' && judgment.ratings !== undefined) {
      const group = JSON.stringify([rater, textOf(images[0])])
      const rated = ratings.get(group) ?? []
      rated.push({ image: images[0], level: judgment.ratings.overall, rater })
      ratings.set(group, rated)
    }
  }
  for (const rated of ratings.values()) {
    const [{ rater }] = rated
    comparisons.push(...compared(rated).filter(({ better, worse }) => !ranked.has(pairKey(rater!, better, worse))))
  }
  return {
    labels: labels.flatMap((label) => {
      const text = textOf(label.image)
      return text === undefined ? [] : [{ ...label, text }]
    }),
    comparisons: comparisons.flatMap((comparison) => {
      const text = textOf(comparison.better)
      return text === undefined || text !== textOf(comparison.worse) ? [] : [{ ...comparison, text }]
    }),
  }
}

type Compared = Omit<Comparison<string>, 'text'>

/** An image and where it was placed: higher is better. */
interface Scored {
  readonly image: string
  readonly level: number
  readonly rater?: string
}

/** Every two of n images, weighing 2/n each: n − 1 together. */
function compared(images: readonly Scored[]): Compared[] {
  return pairsOf(images).map(([a, b]) => {
    const [better, worse] = a.level >= b.level ? [a, b] : [b, a]
    return { better: better.image, worse: worse.image, isTie: a.level === b.level, weight: 2 / images.length }
  })
}

const pairsOf = <T>(all: readonly T[]): [T, T][] => all.flatMap((a, i) => all.slice(i + 1).map((b): [T, T] => [a, b]))

const pairKey = (rater: string, a: string, b: string) => JSON.stringify([rater, ...[a, b].sort()])
