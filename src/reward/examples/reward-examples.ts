/** What a reward is fitted to and measured on: labels and comparisons of images. */
import { RewardError } from '../../errors.ts'

/** A good or bad answer about an image; skips teach nothing. Several may be of one image. */
export interface Label<Image = number> {
  readonly image: Image
  readonly text: string
  readonly good: boolean
}

/** Of two images of one prompt one is better, or neither. */
export interface Comparison<Image = number> {
  /** Of a tie: in the order in which they were judged. */
  readonly better: Image
  readonly worse: Image
  readonly text: string
  readonly isTie: boolean
  /** How many independent choices it counts as: 1 of a pair. */
  readonly weight: number
}

/** Their images are rows of embeddings; ids as long as there are none. */
export interface RewardExamples<Image = number> {
  readonly labels: readonly Label<Image>[]
  readonly comparisons: readonly Comparison<Image>[]
}

export const hasBothClasses = (labels: readonly Label[]) => new Set(labels.map(({ good }) => good)).size === 2

/** Labels of both classes, or a comparison that is no tie: without either nothing tells images apart. */
export const tellsApart = ({ labels, comparisons }: RewardExamples): boolean =>
  hasBothClasses(labels) || comparisons.some(({ isTie }) => !isTie)

export function expectTellsApart(examples: RewardExamples): void {
  if (tellsApart(examples)) return
  const { labels, comparisons } = examples
  const good = labels.filter((label) => label.good).length
  throw new RewardError({
    where: 'labels',
    expected: 'both good and bad ones, or comparisons with a better image',
    received: `${good} good and ${labels.length - good} bad${comparisons.length === 0 ? '' : `, ${comparisons.length} ties`}`,
    remedy: 'a reward can only be learned from a difference: judge more images',
  })
}

/** The examples of some prompts. */
export function examplesOf({ labels, comparisons }: RewardExamples, wanted: (text: string) => boolean): RewardExamples {
  return {
    labels: labels.filter(({ text }) => wanted(text)),
    comparisons: comparisons.filter(({ text }) => wanted(text)),
  }
}

/** Their distinct prompts, in order of appearance. */
export const promptsOf = ({ labels, comparisons }: RewardExamples): string[] => [
  ...new Set([...labels, ...comparisons].map(({ text }) => text)),
]
