/** Labels about which raters differ so much that somebody else is to settle them. */
import { median } from 'simple-statistics'
import type { Judgment } from '../../records.ts'
import { questionOf } from '../raters/standing.ts'
import { answersOf } from './agreement-summary.ts'

/** The ways of asking about which one more rater can be asked; a ranking comes with ratings. */
export const settledKinds = ['good-bad-skip', 'pair', 'rating'] as const
export type SettledKind = (typeof settledKinds)[number]

/** What several raters said of the same images. */
export interface Label {
  /** `questionOf` its judgments. */
  readonly question: string
  readonly kind: SettledKind
  readonly images: readonly string[]
  /** One of each rater, skips left out, in order of arrival. */
  readonly judgments: readonly Judgment[]
  /**
   * Median over the pairs of raters of how far two agree, from 0 to 1: 1 less the distance of their answers on the scale of
   * the kind as a share of its length. Null where fewer than two have answered.
   */
  readonly agreement: number | null
}

/** Agreement of this or less is poor: good and bad, or two pairs of three that differ by a step. */
const poor = 0.5
/** From the lowest to the highest answer. */
const scaleLength: Readonly<Record<SettledKind, number>> = { 'good-bad-skip': 1, pair: 2, rating: 6 }

/**
 * Every label with an answer, by its question.
 *
 * @param judgments those that may train
 */
export function labelsOf(judgments: readonly Judgment[]): ReadonlyMap<string, Label> {
  const answered = judgments.filter(({ kind, answer }) => isSettled(kind) && answer !== 'skip')
  return new Map(
    [...Map.groupBy(answered, questionOf)].map(([question, own]) => [
      question,
      {
        question,
        kind: own[0].kind as SettledKind,
        images: own[0].images,
        judgments: own,
        agreement: agreementOf(own),
      },
    ]),
  )
}

/**
 * Whether a label is in dispute: its agreement is poor, and no answer has more than half of its raters behind it (of ratings: no
 * step and those next to it).
 */
export function isDisputed({ kind, judgments, agreement }: Label): boolean {
  if (agreement === null || agreement > poor) return false
  const answers = numbersOf(judgments)
  const reach = kind === 'rating' ? 1 : 0
  const most = Math.max(...answers.map((one) => answers.filter((other) => Math.abs(other - one) <= reach).length))
  return most * 2 <= answers.length
}

const isSettled = (kind: Judgment['kind']): kind is SettledKind => settledKinds.some((one) => one === kind)

const numbersOf = (judgments: readonly Judgment[]) =>
  judgments.flatMap((one) => answersOf(one).map(([, answer]) => answer))

function agreementOf(judgments: readonly Judgment[]): number | null {
  const answers = numbersOf(judgments)
  const length = scaleLength[judgments[0].kind as SettledKind]
  const pairs = answers.flatMap((a, i) => answers.slice(i + 1).map((b) => 1 - Math.abs(a - b) / length))
  return pairs.length === 0 ? null : median(pairs)
}
