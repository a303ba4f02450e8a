/** Blind votes between two policies: what is asked of whom, and what came out. */
import { createHash } from 'node:crypto'
import type { Vote } from '../../feedback/counted-votes.ts'
import type { FeedbackStore } from '../../feedback/store/store.ts'
import type { ImageRecord, Judgment } from '../../records.ts'
import type { Interval as ReportInterval } from '../../report/interval.ts'
import { trialsWanted } from '../../report/votes/sign-test.ts'
import { duelKey, turned, winRates as ratesOf } from '../../report/votes/win-rates.ts'
import type { Interval } from '../schemas/basics.ts'
import type { VoteForm, VoteQuestion, VoteTasks, WinRate } from '../schemas/comparing.ts'
import type { z } from 'zod'
import type { ComparisonFile } from './comparison-files.ts'

type Form = z.infer<typeof VoteForm>
type Question = z.infer<typeof VoteQuestion>

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
  const pairs = pairsOf([...policies.keys()])
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
            key: duelKey({ images: [...first, ...second], question }),
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
  return new Set(votes.map(duelKey))
}

/** Win rates of all pairs of policies that were voted on, said of the trained one; what is asked first comes first. */
export const winRates = (judgments: readonly Judgment[]): WinRate[] =>
  ratesOf(judgments)
    .sort((a, b) => places.indexOf(placeOf(a)) - places.indexOf(placeOf(b)) || b.duels - a.duels)
    .map((pair) => {
      const { duels, rate, verdict, ...rest } = pair.first === 'pretrained' ? turned(pair) : pair
      const { share } = verdict
      const told = share && { value: share.mean, low: share.low, high: share.high }
      return { ...rest, rate: shown(rate, duels), verdict: { ...verdict, share: told } }
    })

const placeOf = ({ form, question }: Pick<DuelOptions, 'form' | 'question'>) => `${question} ${form}`
const places = ['alignment single', 'alignment set', 'fidelity single', 'fidelity set']

/**
 * How far a comparison is on one question in one form, without a word of who is ahead. Votes on other comparisons of the same
 * policies count too.
 */
export function standingOf(
  { policies }: Pick<ComparisonFile, 'policies'>,
  rates: readonly WinRate[],
  { form, question }: Pick<DuelOptions, 'form' | 'question'>,
): VoteTasks['standing'] {
  const asked = rates.filter((rate) => rate.form === form && rate.question === question)
  const wanted = pairsOf(policies).map(([a, b]) => {
    const rate = asked.find(({ first, second }) => (first === a && second === b) || (first === b && second === a))
    return rate === undefined ? trialsWanted(0, 0, 0) : rate.verdict.wanted
  })
  const open = wanted.filter((one) => one !== null)
  if (open.length === 0) return { decided: true, wanted: null }
  const about = open.map((one) => one.about)
  return {
    decided: false,
    wanted: {
      least: open.reduce((sum, one) => sum + one.least, 0),
      about: about.includes(null) ? null : about.reduce((sum: number, one) => sum + one!, 0),
    },
  }
}

const pairsOf = <T>(all: readonly T[]): (readonly [T, T])[] =>
  all.flatMap((one, i) => all.slice(i + 1).map((other) => [one, other] as const))

const shown = ({ mean, low, high }: ReportInterval, n: number): Interval => ({ value: mean, low, high, n })
