/** A verdict in words, the same in the studio, in a report and in a file of its own. Free of everything: pages read it too. */
import { errorRate, mostTold, type TrialsWanted } from './trials-wanted.ts'

/** What was said of `first`; each thing that was compared counts once. */
export interface SaidVerdict {
  readonly better: 'first' | 'second' | null
  readonly won: number
  readonly tied: number
  readonly lost: number
  /** Shares. */
  readonly interval: { readonly low: number; readonly high: number } | null
  readonly wanted: TrialsWanted | null
}

/** `dpok-1 is clearly better than the pre-trained model` */
export function verdictSentence({ better }: Pick<SaidVerdict, 'better'>, first: string, second: string): string {
  switch (better) {
    case 'first':
      return `${first} is clearly better than ${second}`
    case 'second':
      return `${first} is clearly worse than ${second}`
    case null:
      return `No clear difference between ${first} and ${second} so far`
  }
}

const whole = (share: number) => `${(100 * share).toFixed(0)}`

/**
 * Beside several verdicts. Each is a test of its own that errs in 5 % of cases at the most; that one of them errs is no more
 * likely than the sum of these (Bonferroni's inequality; Dunn 1961, J. Amer. Statist. Assoc. 56). They are not made stricter, so
 * that a verdict does not change when another question is asked.
 *
 * @param verdicts 2 or more
 */
export const severalSentence = (verdicts: number): string =>
  `Each of these ${verdicts} verdicts is a test of its own, wrong in at most 5 % of cases; that one of them is wrong is up to ${mostWrong(verdicts)} % likely.`

/** Percent. */
export const mostWrong = (verdicts: number): number => Math.min(100, Math.round(100 * errorRate * verdicts))

/** What the interval is of, and that it may be looked at after every vote. */
export function intervalSentence({ won, lost, interval }: SaidVerdict): string {
  if (interval === null || won + lost === 0) return 'Nothing but ties so far.'
  return `Of those that were no ties, ${whole(won / (won + lost))} % were won; the 95 % interval, ${whole(interval.low)} to ${whole(interval.high)} %, holds however often one looks.`
}

const counted = (count: number) =>
  `${count.toLocaleString('en-US')} more ${count === 1 ? 'vote is' : 'votes are'} needed`

/** How many more votes a decision takes. */
export function wantedSentence({ wanted, won, lost, tied }: SaidVerdict): string {
  if (wanted === null) return 'Enough votes are in; more may be given.'
  const { about, least } = wanted
  if (about !== null) return `About ${counted(about)}, ${least} at the least.`
  const isClose = won + lost + tied >= 20
  return `At least ${counted(least)}${isClose ? `, and more than ${mostTold.toLocaleString('en-US')} if they stay as close` : ''}.`
}
