/** What people's blind votes between policies came to. Free of tensors: the studio's server reads it too. */
import { wilsonInterval, type Interval } from '../interval.ts'
import type { Judgment } from '../../records.ts'

export type Vote = Extract<Judgment, { kind: 'vote' }>
type Question = Vote['question']
/** A policy is shown by one image, or by a set (Lee et al. 2023). */
type Form = 'single' | 'set'

/** Votes between two policies on one question, asked in one form. */
export interface WinRate {
  readonly first: string
  readonly second: string
  readonly form: Form
  readonly question: Question
  readonly votes: number
  readonly raters: number
  /** Images, or sets of them, that were compared. */
  readonly duels: number
  readonly wins: number
  readonly losses: number
  readonly ties: number
  /** Of sets, duels on which one side has at least two thirds of the votes; null for single pairs. */
  readonly decided: { readonly first: number; readonly second: number; readonly undecided: number } | null
  readonly rate: Interval
}

/** What was asked, whichever side was which. */
export const duelKey = ({ images, question }: Pick<Vote, 'images' | 'question'>): string =>
  JSON.stringify([[...images].sort(), question])

/**
 * Win rates of all pairs of policies that were voted on. Of single pairs it is the share of the votes, a tie counts half;
 * of sets, Lee et al.'s form, the share of the duels that were won, an undecided one counts half. Votes of several
 * raters on one duel are no independent trials: the interval counts duels.
 */
export function winRates(judgments: readonly Judgment[]): WinRate[] {
  const votes = judgments.filter((one): one is Vote => one.kind === 'vote' && one.answer !== 'skip')
  const groups = Map.groupBy(votes, (vote) => JSON.stringify([[...vote.policies].sort(), formOf(vote), vote.question]))
  return [...groups].map(([key, group]) => {
    const [[first, second], form, question] = JSON.parse(key) as [[string, string], Form, Question]
    const count = (name: string | null) => group.filter((vote) => winnerOf(vote) === name).length
    const [wins, losses, ties] = [count(first), count(second), count(null)]
    const duels = [...Map.groupBy(group, duelKey).values()]
    const decided = form === 'set' ? decidedDuels(duels, first, second) : null
    const won =
      decided === null ? (wins + ties / 2) / group.length : (decided.first + decided.undecided / 2) / duels.length
    return {
      first,
      second,
      form,
      question,
      votes: group.length,
      raters: new Set(group.map(({ rater }) => rater)).size,
      duels: duels.length,
      wins,
      losses,
      ties,
      decided,
      rate: wilsonInterval(won, duels.length),
    }
  })
}

const formOf = ({ images }: Vote): Form => (images.length === 2 ? 'single' : 'set')
export const winnerOf = ({ answer, policies }: Vote): string | null =>
  answer === 'tie' ? null : policies[answer === 'first' ? 0 : 1]

/** Two sets of one prompt are a duel; it is won with at least two thirds of its votes (Lee et al. 2023, §5.2). */
function decidedDuels(
  duels: readonly (readonly Vote[])[],
  first: string,
  second: string,
): NonNullable<WinRate['decided']> {
  const decided = { first: 0, second: 0, undecided: 0 }
  for (const votes of duels) {
    const has = (name: string) => 3 * votes.filter((vote) => winnerOf(vote) === name).length >= 2 * votes.length
    decided[has(first) ? 'first' : has(second) ? 'second' : 'undecided']++
  }
  return decided
}
