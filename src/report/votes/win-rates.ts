/** What people's blind votes between policies came to. Free of tensors: the studio's server reads it too. */
import { wilsonInterval, type Interval } from '../interval.ts'
import type { Vote } from '../../feedback/counted-votes.ts'
import type { Judgment } from '../../records.ts'
import { isDecided, sequentialInterval, trialsWanted } from './sign-test.ts'
import type { TrialsWanted } from './trials-wanted.ts'

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
  readonly verdict: Verdict
}

/** What can be said of two policies, however often one has looked while votes came in. */
interface Verdict {
  /** Which policy is clearly better; null as long as no difference is proven. */
  readonly better: 'first' | 'second' | null
  /** Duels, by the greater number of their votes; as many for each is a tie. */
  readonly won: number
  readonly tied: number
  readonly lost: number
  /** Of the duels that were not tied, the share that `first` won, with the interval that holds at all looks; null without any. */
  readonly share: Interval | null
  /** Votes on duels that nobody has voted on; null where it is decided. */
  readonly wanted: TrialsWanted | null
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
      verdict: verdictOf(duels, first, second),
    }
  })
}

/**
 * The sequential sign test over duels. Votes on one duel depend on each other, so each duel is one trial: the first vote on it
 * that is no tie, which of two equal policies is for either with probability one half whatever came before. Where the votes
 * that came later turn the duels around, nothing is decided.
 *
 * @param duels the votes on each, in the order of their arrival
 */
function verdictOf(duels: readonly (readonly Vote[])[], first: string, second: string): Verdict {
  const trials = duels.flatMap((votes) => votes.map(winnerOf).find((winner) => winner !== null) ?? [])
  const wins = trials.filter((winner) => winner === first).length
  const losses = trials.length - wins
  const leads = duels.map((votes) => {
    const won = votes.filter((vote) => winnerOf(vote) === first).length
    return won - votes.filter((vote) => winnerOf(vote) === second).length
  })
  const [won, lost] = [leads.filter((lead) => lead > 0).length, leads.filter((lead) => lead < 0).length]
  const ahead = wins > losses && won > lost ? 'first' : losses > wins && lost > won ? 'second' : null
  const better = isDecided(wins, losses) ? ahead : null
  const tied = duels.length - won - lost
  return {
    better,
    won,
    tied,
    lost,
    share: trials.length === 0 ? null : { mean: wins / trials.length, ...sequentialInterval(wins, losses) },
    wanted: better !== null ? null : (trialsWanted(wins, losses, duels.length - trials.length) ?? turnedAround),
  }
}

/** Raters who contradict each other about the same duels: no number of further votes is told. */
const turnedAround: TrialsWanted = { least: 1, about: null }

/** The same, said of the other policy. */
export const turned = ({ first, second, wins, losses, decided, rate, verdict, ...pair }: WinRate): WinRate => ({
  ...pair,
  first: second,
  second: first,
  wins: losses,
  losses: wins,
  decided: decided && { first: decided.second, second: decided.first, undecided: decided.undecided },
  rate: flipped(rate),
  verdict: {
    ...verdict,
    better: verdict.better && (verdict.better === 'first' ? 'second' : 'first'),
    won: verdict.lost,
    lost: verdict.won,
    share: verdict.share && flipped(verdict.share),
  },
})
const flipped = ({ mean, low, high }: Interval): Interval => ({ mean: 1 - mean, low: 1 - high, high: 1 - low })

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
