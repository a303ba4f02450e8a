/** What the results of Label Studio's choices, pairwise, ranker and rating say about the images of a task. */
import { z } from 'zod'
import { FormatError } from '../../errors.ts'
import { answerOf } from './answer-words.ts'
import type { LabelConfig } from './label-studio-config.ts'
import { sidesOf, type TaskImage } from './label-studio-sides.ts'

const Result = z.object({
  from_name: z.string().default(''),
  to_name: z.string().default(''),
  type: z.string(),
  value: z.record(z.string(), z.unknown()),
})
type Result = z.infer<typeof Result>

/** An answer about images by their paths. */
export type Answer =
  | { kind: 'good-bad-skip'; images: string[]; answer: 'good' | 'bad' | 'skip' }
  | { kind: 'pair'; images: string[]; answer: 'first' | 'second' | 'tie' | 'skip' }
  | { kind: 'ranking'; images: string[]; answer: 'ranked'; ranks: number[] }
  | { kind: 'ranking'; images: string[]; answer: 'skip' }

/** Stars that an image got for one question. */
export interface Stars {
  readonly question: string
  readonly image: string
  readonly stars: number
}

/** What an annotation says. */
export interface Answered {
  readonly answers: readonly Answer[]
  readonly stars: readonly Stars[]
  /** Types of results that are no judgments. */
  readonly others: readonly string[]
}

/** Of all images of a task. */
export function skipOf(shown: readonly TaskImage[]): Answer {
  const images = shown.map(({ path }) => path)
  const kind = images.length === 1 ? 'good-bad-skip' : images.length === 2 ? 'pair' : 'ranking'
  return { kind, images, answer: 'skip' }
}

/**
 * What each result says.
 *
 * @throws {FormatError} names the task, the type and the answer that makes no sense
 */
export function answered(
  result: readonly unknown[],
  shown: readonly TaskImage[],
  config: LabelConfig,
  where: string,
): Answered {
  const results = result.flatMap((given) => Result.safeParse(given).data ?? [])
  const imageOf = (one: Result) => imageAskedAbout(one, shown, config)
  const chosen =
    shown.length === 1
      ? choicesOf(results, shown[0].path, where)
      : results.flatMap((one): Answer[] => {
          // Beside several images, choices are another question, but where they name one of them.
          const image = one.type === 'choices' ? imageOf(one) : undefined
          return image === undefined || answersIn(one).length === 0 ? [] : choicesOf([one], image, where)
        })
  const compared = results.flatMap((one): Answer[] => {
    if (one.type === 'pairwise') return [pairOf(one, shown, config, where)]
    return one.type === 'ranker' ? rankingOf(one.value, shown, where) : []
  })
  const stars = results.flatMap((one): Stars[] => {
    const image = one.type === 'rating' ? imageOf(one) : undefined
    return image === undefined ? [] : [{ question: one.from_name, image, stars: starsIn(one, where) }]
  })
  const others = results.flatMap((one) => {
    if (one.type === 'rating') return imageOf(one) === undefined ? ['rating of several images'] : []
    return ['choices', 'pairwise', 'ranker'].includes(one.type) ? [] : [one.type]
  })
  return { answers: [...chosen, ...compared], stars, others }
}

function imageAskedAbout(
  { from_name, to_name }: Result,
  shown: readonly TaskImage[],
  config: LabelConfig,
): string | undefined {
  if (shown.length === 1) return shown[0].path
  const fields = config.fieldsOf(from_name) ?? [to_name]
  return fields.length === 1 ? shown.find(({ name }) => name === fields[0])?.path : undefined
}

function starsIn({ value }: Result, where: string): number {
  if (typeof value.rating === 'number' && value.rating >= 0) return value.rating
  throw refusal(`${where} rating`, 'a number of stars', JSON.stringify(value.rating) ?? 'nothing')
}

/** Of several questions about an image, the one that is answered by good or bad; the words of the others are no judgment. */
function choicesOf(results: readonly Result[], image: string, where: string): Answer[] {
  const asked = results.filter(({ type }) => type === 'choices')
  const said = asked.map((one) => ({ ...one, answers: answersIn(one) })).filter(({ answers }) => answers.length > 0)
  const questions = [...new Set(said.map(({ from_name: name }) => name || 'choices'))]
  if (questions.length > 1) {
    const received = `answers to ${questions.join(', ')}`
    throw refusal(`${where} choices`, 'one question of good or bad', received)
  }
  if (asked.length > 0 && said.length === 0) {
    const received = JSON.stringify(wordsIn(asked[0])[0]) ?? 'nothing'
    throw refusal(`${where} choices`, 'good, bad or skip (yes, no; true, false; 1, 0)', received)
  }
  return said.map(({ answers, ...one }) => {
    if (answers.length === 1) return { kind: 'good-bad-skip', images: [image], answer: answers[0] }
    throw refusal(
      `${where} choices`,
      'one of good, bad or skip',
      wordsIn(one)
        .map((word) => `"${word}"`)
        .join(', '),
    )
  })
}

const wordsIn = ({ value: { choices: given } }: Result): string[] => (Array.isArray(given) ? given.map(String) : [])

/** Each answer once. */
const answersIn = (one: Result) => [
  ...new Set(wordsIn(one).flatMap((word) => (word.trim() === '' ? [] : (answerOf(word) ?? [])))),
]

function pairOf(
  { value: { selected }, from_name, to_name }: Result,
  shown: readonly TaskImage[],
  config: LabelConfig,
  where: string,
): Answer {
  if (shown.length !== 2) throw refusal(`${where} pairwise`, 'a task of two images', `${shown.length}`)
  const isTie = selected === undefined || selected === null || selected === 'none'
  if (!isTie && selected !== 'left' && selected !== 'right') {
    throw refusal(`${where} pairwise selected`, 'left, right or nothing', JSON.stringify(selected))
  }
  const sides = sidesOf(shown, config.fieldsOf(from_name) ?? to_name.split(',').map((name) => name.trim()))
  if (sides === undefined && !isTie) {
    throw new FormatError({
      where: `${where} pairwise`,
      expected: 'fields of which it is certain which image was on the left',
      received: shown.map(({ name }) => name).join(', '),
      remedy: 'name them left and right, or lay the labelling configuration beside the file as config.xml',
    })
  }
  const images = (sides ?? shown).map(({ path }) => path)
  return { kind: 'pair', images, answer: isTie ? 'tie' : selected === 'left' ? 'first' : 'second' }
}

/** Where Label Studio keeps the images that are in no bucket; the order there is not an answer. */
const rest = '_'

/**
 * The ids from best to worst, under `rank` or under the name of the tag; or ids by buckets. Of buckets the order in the
 * file says nothing, their names do: good, bad and skip are answers about each image, and numbers at the end are ranks
 * (`tier 1` is best, images of one bucket are ties).
 */
function rankingOf(value: Readonly<Record<string, unknown>>, shown: readonly TaskImage[], where: string): Answer[] {
  const unranked: Answer = { kind: 'ranking', images: shown.map(({ path }) => path), answer: 'skip' }
  const inner = value.ranker ?? value.rank ?? value
  const lists = Array.isArray(inner) ? { rank: inner as unknown[] } : (Object(inner) as Record<string, unknown>)
  const buckets = Object.entries(lists).flatMap(([name, ids]) =>
    name === rest || !Array.isArray(ids) ? [] : [{ name, ids: ids.map(String) }],
  )
  const unknown = buckets.flatMap(({ ids }) => ids).find((id) => !shown.some(({ name }) => name === id))
  const names = shown.map(({ name }) => name).join(', ')
  if (unknown !== undefined) throw refusal(`${where} ranker`, `ids of its images (${names})`, JSON.stringify(unknown))
  const filled = buckets.filter(({ ids }) => ids.length > 0)
  if (filled.length === 0) {
    if (Object.hasOwn(lists, rest) || buckets.length > 0) return [unranked]
    throw refusal(`${where} ranker`, `the ids ${names}, best first`, 'none')
  }
  const pathOf = (id: string) => shown.find(({ name }) => name === id)!.path
  const named = filled.map(({ name, ids }) => ({ answer: name.trim() === '' ? undefined : answerOf(name), ids }))
  if (named.every(({ answer }) => answer !== undefined)) {
    return named.flatMap(({ answer, ids }) =>
      ids.map((id): Answer => ({ kind: 'good-bad-skip', images: [pathOf(id)], answer: answer! })),
    )
  }
  const numbers = filled.map(({ name }) => Number(/(?<!\d)\d+$/.exec(name.trim())?.[0] ?? NaN))
  const [only] = filled
  if (buckets.length > 1 && !numbers.includes(NaN)) {
    const tiers = [...new Set(numbers)].sort((a, b) => a - b)
    const placed = filled.flatMap(({ ids }, i) => ids.map((id) => ({ id, rank: 1 + tiers.indexOf(numbers[i]) })))
    if (placed.length < 2) return [unranked]
    return [
      {
        kind: 'ranking',
        images: placed.map(({ id }) => pathOf(id)),
        answer: 'ranked',
        ranks: placed.map(({ rank }) => rank),
      },
    ]
  }
  if (buckets.length > 1 || Object.hasOwn(lists, rest)) {
    throw refusal(
      `${where} ranker`,
      'buckets named good and bad (skip), or with a rank at the end (tier 1 is best)',
      filled.map(({ name }) => JSON.stringify(name)).join(', '),
    )
  }
  const ranks = shown.map(({ name }) => 1 + only.ids.indexOf(name))
  if (only.ids.length !== shown.length || ranks.includes(0)) {
    throw refusal(`${where} ranker`, `the ids ${names}, best first`, JSON.stringify(only.ids))
  }
  return [{ kind: 'ranking', images: shown.map(({ path }) => path), answer: 'ranked', ranks }]
}

export const refusal = (where: string, expected: string, received: string) =>
  new FormatError({ where, expected, received, remedy: 'correct the task, or leave it out' })
