/** What a reward is fitted to and measured on: labels and comparisons of images that are rows of embeddings. */
import { RewardError } from '../../errors.ts'

/** A label that entered training; skips never get here. */
export interface LabelledImage {
  /** Row of the image among the embeddings; several labels may be of one image. */
  readonly image: number
  readonly text: string
  readonly good: boolean
}

/** Two images of one prompt, of which one is better, or neither. */
export interface ComparedImages {
  /** Rows among the embeddings. */
  readonly better: number
  readonly worse: number
  readonly text: string
  readonly isTie: boolean
  /** How many independent choices it counts as. */
  readonly weight: number
}

/** What a reward learns from: labelled and compared images, of distinct prompts. */
export interface RewardExamples {
  readonly labels: readonly LabelledImage[]
  readonly comparisons: readonly ComparedImages[]
}

export const hasBothClasses = (labels: readonly LabelledImage[]) => new Set(labels.map(({ good }) => good)).size === 2

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
