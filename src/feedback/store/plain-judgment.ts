/**
 * Judgments as nearly all are, told at a glance: the schema takes ten times as long, which a start with many judgments and
 * each answer would wait for. What is not plain is no mistake; the schema has the word on it.
 */
import { z } from 'zod'
import type { Judgment } from '../../records.ts'

type Fields = Readonly<Record<string, unknown>>

const isText = (value: unknown): value is string =>
  typeof value === 'string' && value.isWellFormed() && !value.includes('\0')
const isName = (value: unknown): value is string => isText(value) && value !== ''
const isNames = (value: unknown): value is string[] => Array.isArray(value) && value.every(isName)
const isFew = ({ length }: readonly unknown[]) => length >= 2 && length <= 16
const time = z.regexes.datetime({})

interface Check {
  readonly holds: (value: unknown) => boolean
  readonly isNeeded?: true
}

/** Of every kind. */
const common: ReadonlyMap<string, Check> = new Map<string, Check>([
  ['id', { holds: isName, isNeeded: true }],
  ['rater', { holds: (value) => isName(value) && value.length <= 10_000, isNeeded: true }],
  ['raterKind', { holds: (value) => value === 'person' || value === 'simulated', isNeeded: true }],
  ['at', { holds: (value) => typeof value === 'string' && time.test(value), isNeeded: true }],
  ['durationMs', { holds: (value) => Number.isFinite(value) && (value as number) >= 0 }],
  ['undoes', { holds: isName }],
  ['reasons', { holds: (value) => isNames(value) && value.length <= 20 && value.every(({ length }) => length <= 60) }],
  ['shown', { holds: isNames }],
  ['kind', { holds: () => true, isNeeded: true }],
  ['images', { holds: isNames, isNeeded: true }],
  ['answer', { holds: () => true, isNeeded: true }],
])
const neededCount = [...common.values()].filter(({ isNeeded }) => isNeeded).length

interface Kind {
  readonly answers: readonly unknown[]
  /** Fields of this kind alone. */
  readonly own: readonly string[]
  /** Whether the fields fit; what takes another judgment back needs no answer. */
  readonly fits: (fields: Fields, images: readonly string[]) => boolean
}

const kinds: ReadonlyMap<unknown, Kind> = new Map<unknown, Kind>([
  ['good-bad-skip', { answers: ['good', 'bad', 'skip'], own: [], fits: (_, images) => images.length === 1 }],
  [
    'pair',
    {
      answers: ['first', 'second', 'tie', 'both-bad', 'skip'],
      own: [],
      fits: (_, images) => images.length === 2,
    },
  ],
  [
    'rating',
    {
      answers: ['rated', 'skip'],
      own: ['ratings'],
      fits: ({ answer, ratings }, images) =>
        images.length === 1 && (answer === 'rated' ? isRatings(ratings) : ratings === undefined),
    },
  ],
  [
    'ranking',
    {
      answers: ['ranked', 'skip'],
      own: ['ranks'],
      fits: ({ answer, ranks }, images) =>
        isFew(images) && (answer === 'ranked' ? isRanks(ranks, images.length) : ranks === undefined),
    },
  ],
  [
    'vote',
    {
      answers: ['first', 'second', 'tie', 'skip'],
      own: ['policies', 'question'],
      fits: ({ policies, question }, images) =>
        isFew(images) &&
        images.length % 2 === 0 &&
        Array.isArray(policies) &&
        policies.length === 2 &&
        policies.every(isText) &&
        (question === 'alignment' || question === 'fidelity'),
    },
  ],
])

/** Of what it says yes, the schema would, and leave it as it is. */
export function isPlainJudgment(judgment: object): judgment is Judgment {
  const fields = judgment as Fields
  const kind = kinds.get(fields.kind)
  if (kind === undefined) return false
  let missing = neededCount
  for (const field in fields) {
    const check = common.get(field)
    if (check === undefined) {
      if (!kind.own.includes(field)) return false
    } else {
      if (!check.holds(fields[field])) return false
      if (check.isNeeded) missing--
    }
  }
  const images = fields.images as string[]
  if (missing > 0 || !kind.answers.includes(fields.answer) || !kind.fits(fields, images)) return false
  return fields.kind === 'vote' || areDifferent(images)
}

const areDifferent = (images: readonly string[]): boolean =>
  images.length === 1 || new Set(images).size === images.length

const steps: readonly unknown[] = [1, 2, 3, 4, 5, 6, 7]
function isRatings(ratings: unknown): boolean {
  if (typeof ratings !== 'object' || ratings === null || Object.keys(ratings).length !== 3) return false
  const { overall, alignment, fidelity } = ratings as Fields
  return steps.includes(overall) && steps.includes(alignment) && steps.includes(fidelity)
}

const isRanks = (ranks: unknown, length: number): boolean =>
  Array.isArray(ranks) && ranks.length === length && ranks.every((rank) => Number.isSafeInteger(rank) && rank > 0)
