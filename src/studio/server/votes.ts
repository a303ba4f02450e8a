/** Blind votes between two policies: what is asked of whom, and what came out. */
import { createHash } from 'node:crypto'
import type { FeedbackStore } from '../../feedback/store/store.ts'
import type { ImageRecord, Judgment } from '../../records.ts'
import type { Interval } from '../schemas/basics.ts'
import type { VoteForm, VoteQuestion, WinRate } from '../schemas/comparing.ts'
import type { z } from 'zod'
import type { ComparisonFile } from './comparison-files.ts'

type Form = z.infer<typeof VoteForm>
type Question = z.infer<typeof VoteQuestion>
type Vote = Extract<Judgment, { kind: 'vote' }>

/** What was asked, whichever side was which. */
const keyOf = ({ images, question }: Pick<Vote, 'images' | 'question'>) =>
  JSON.stringify([[...images].sort(), question])

/** Two policies on one prompt, in the order in which one rater sees them. */
export interface Duel {
  /** `compare-1.<hash>`: tells nobody which side is which. */
  readonly id: string
  readonly key: string
  readonly question: Question
  readonly prompt: string
  readonly first: string[]
  readonly second: string[]
  readonly policies: [string, string]
}

interface DuelOptions {
  readonly form: Form
  readonly question: Question
  readonly rater: string
  readonly secret: string
}

/**
 * Every pair of policies on every prompt: image by image, or all images of the prompt as a set. Sides and order are drawn
 * from the secret and the rater. What both policies drew alike is not asked.
 */
export function duelsOf(
  { id, prompts, perPrompt, policies }: ComparisonFile,
  drawn: readonly ReadonlyMap<number, ImageRecord>[],
  { form, question, rater, secret }: DuelOptions,
): Duel[] {
  const size = form === 'set' ? perPrompt : 1
  const pairs = policies.flatMap((_, a) => policies.slice(a + 1).map((_, i) => [a, a + 1 + i] as const))
  const duels = prompts.flatMap((prompt, p) =>
    Array.from({ length: perPrompt / size }, (_, k) => k).flatMap((k) =>
      pairs.flatMap(([a, b]): Duel[] => {
        const places = Array.from({ length: size }, (_, i) => p * perPrompt + k * size + i)
        const [left, right] = [a, b].map((policy) => places.flatMap((place) => drawn[policy].get(place)?.id ?? []))
        const isWhole = left.length === size && right.length === size
        if (!isWhole || left.every((image, i) => image === right[i])) return []
        const hash = createHash('sha256')
          .update(JSON.stringify([secret, rater, id, form, question, a, b, p, k]))
          .digest('hex')
        const isSwapped = parseInt(hash[63], 16) % 2 === 1
        const [first, second] = isSwapped ? [right, left] : [left, right]
        const names: [string, string] = isSwapped ? [policies[b], policies[a]] : [policies[a], policies[b]]
        return [
          {
            id: `${id}.${hash.slice(0, 24)}`,
            key: keyOf({ images: [...first, ...second], question }),
            question,
            prompt,
            first,
            second,
            policies: names,
          },
        ]
      }),
    ),
  )
  return duels.sort((x, y) => (x.id < y.id ? -1 : 1))
}

export const voteForms: readonly [Form, Question][] = [
  ['single', 'alignment'],
  ['single', 'fidelity'],
  ['set', 'alignment'],
  ['set', 'fidelity'],
]

/** The duel that an id names; only for the rater who was asked. */
export function duelOf(
  id: string,
  comparison: ComparisonFile,
  drawn: readonly ReadonlyMap<number, ImageRecord>[],
  who: Pick<DuelOptions, 'rater' | 'secret'>,
): Duel | undefined {
  for (const [form, question] of voteForms) {
    const found = duelsOf(comparison, drawn, { ...who, form, question }).find((duel) => duel.id === id)
    if (found !== undefined) return found
  }
  return undefined
}

/** The keys of what a rater has voted on. */
export async function standingDuels(store: FeedbackStore, rater: string): Promise<Set<string>> {
  const votes = (await store.judgments()).filter((one): one is Vote => one.kind === 'vote' && one.rater === rater)
  return new Set(votes.map(keyOf))
}

/**
 * Win rates of all pairs of policies that were voted on. Of single pairs it is the share of the votes, a tie counts half;
 * of sets, Lee et al.'s form, the share of the questions that were won, an undecided one counts half. Votes of several
 * raters on one question are no independent trials: the interval counts questions.
 */
export function winRates(judgments: readonly Judgment[]): WinRate[] {
  const votes = judgments.filter((one): one is Vote => one.kind === 'vote' && one.answer !== 'skip')
  const groups = Map.groupBy(votes, (vote) => JSON.stringify([[...vote.policies].sort(), formOf(vote), vote.question]))
  return [...groups].map(([key, group]) => {
    const [[first, second], form, question] = JSON.parse(key) as [[string, string], Form, Question]
    const count = (name: string | null) => group.filter((vote) => winnerOf(vote) === name).length
    const [wins, losses, ties] = [count(first), count(second), count(null)]
    const questions = [...Map.groupBy(group, keyOf).values()]
    const decided = form === 'set' ? decidedQuestions(questions, first, second) : null
    const won =
      decided === null ? (wins + ties / 2) / group.length : (decided.first + decided.undecided / 2) / questions.length
    return {
      first,
      second,
      form,
      question,
      votes: group.length,
      raters: new Set(group.map(({ rater }) => rater)).size,
      wins,
      losses,
      ties,
      rate: wilson(won, questions.length),
      decided,
    }
  })
}

const formOf = ({ images }: Vote): Form => (images.length === 2 ? 'single' : 'set')
const winnerOf = ({ answer, policies }: Vote): string | null =>
  answer === 'tie' ? null : policies[answer === 'first' ? 0 : 1]

/** Two sets of one prompt are a question; it is won with at least two thirds of its votes (Lee et al. 2023, §5.2). */
function decidedQuestions(
  questions: readonly (readonly Vote[])[],
  first: string,
  second: string,
): NonNullable<WinRate['decided']> {
  const decided = { first: 0, second: 0, undecided: 0 }
  for (const votes of questions) {
    const has = (name: string) => 3 * votes.filter((vote) => winnerOf(vote) === name).length >= 2 * votes.length
    decided[has(first) ? 'first' : has(second) ? 'second' : 'undecided']++
  }
  return decided
}

/** 97.5 % quantile of the normal distribution. */
const z975 = 1.959964

/** Wilson's score interval of a share: it stays sensible for few votes, and for all on one side. */
export function wilson(share: number, n: number): Interval | null {
  if (n === 0) return null
  const z2 = z975 ** 2
  const centre = (share + z2 / (2 * n)) / (1 + z2 / n)
  const half = (z975 / (1 + z2 / n)) * Math.sqrt((share * (1 - share)) / n + z2 / (4 * n * n))
  // Of none or all the end is the share itself, but for what rounding adds.
  return {
    value: share,
    low: Math.max(0, Math.min(share, centre - half)),
    high: Math.min(1, Math.max(share, centre + half)),
    n,
  }
}
