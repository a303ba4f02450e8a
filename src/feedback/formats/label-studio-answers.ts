/** What the results of Label Studio's choices, pairwise and ranker say about the images of a task. */
import { z } from 'zod'
import { FormatError } from '../../errors.ts'

const Result = z.object({
  from_name: z.string().optional(),
  type: z.string(),
  value: z.record(z.string(), z.unknown()),
})
type Result = z.infer<typeof Result>
/** An image of a task and what results call it. */
export interface TaskImage {
  readonly name: string
  readonly path: string
}

/** An answer about images by their paths. */
export type Answer =
  | { kind: 'good-bad-skip'; images: string[]; answer: 'good' | 'bad' | 'skip' }
  | { kind: 'pair'; images: string[]; answer: 'first' | 'second' | 'tie' | 'skip' }
  | { kind: 'ranking'; images: string[]; answer: 'ranked'; ranks: number[] }
  | { kind: 'ranking'; images: string[]; answer: 'skip' }

/** Of all images of a task. */
export function skipOf(shown: readonly TaskImage[]): Answer {
  const images = shown.map(({ path }) => path)
  const kind = images.length === 1 ? 'good-bad-skip' : images.length === 2 ? 'pair' : 'ranking'
  return { kind, images, answer: 'skip' }
}

/**
 * What each result says; results of other types are none.
 *
 * @throws {FormatError} names the task, the type and the answer that makes no sense
 */
export function answersOf(result: readonly unknown[], shown: readonly TaskImage[], where: string): Answer[] {
  const results = result.flatMap((given) => Result.safeParse(given).data ?? [])
  // Beside several images, choices are another question.
  const chosen = shown.length === 1 ? choicesOf(results, shown[0].path, where) : []
  const compared = results.flatMap(({ type, value }): Answer[] => {
    if (type === 'pairwise') return [pairOf(value, shown, where)]
    return type === 'ranker' ? rankingOf(value, shown, where) : []
  })
  return [...chosen, ...compared]
}

/** Of several questions about an image, the one that is answered by good or bad; the words of the others are no judgment. */
function choicesOf(results: readonly Result[], image: string, where: string): Answer[] {
  const asked = results.filter(({ type }) => type === 'choices')
  const answered = asked.filter(({ value }) => Object.hasOwn(choices, wordOf(value)))
  const questions = [...new Set(answered.map(({ from_name: name = 'choices' }) => name))]
  if (questions.length > 1) {
    const received = `answers to ${questions.join(', ')}`
    throw refusal(`${where} choices`, 'one question of good or bad', received)
  }
  if (asked.length > 0 && answered.length === 0) {
    const received = JSON.stringify((asked[0].value.choices as unknown[] | undefined)?.[0]) ?? 'nothing'
    throw refusal(`${where} choices`, 'good, bad or skip (yes, no; 1, 0)', received)
  }
  return answered.map(({ value }) => ({ kind: 'good-bad-skip', images: [image], answer: choices[wordOf(value)] }))
}

const wordOf = ({ choices: given }: Readonly<Record<string, unknown>>): string =>
  Array.isArray(given)
    ? String((given as unknown[])[0])
        .trim()
        .toLowerCase()
    : ''

const choices: Readonly<Record<string, 'good' | 'bad' | 'skip'>> = {
  good: 'good',
  yes: 'good',
  '1': 'good',
  bad: 'bad',
  no: 'bad',
  '0': 'bad',
  skip: 'skip',
}

function pairOf({ selected }: Readonly<Record<string, unknown>>, shown: readonly TaskImage[], where: string): Answer {
  if (shown.length !== 2) throw refusal(`${where} pairwise`, 'a task of two images', `${shown.length}`)
  const images = shown.map(({ path }) => path)
  if (selected === undefined || selected === null || selected === 'none') return { kind: 'pair', images, answer: 'tie' }
  if (selected !== 'left' && selected !== 'right') {
    throw refusal(`${where} pairwise selected`, 'left, right or nothing', JSON.stringify(selected))
  }
  return { kind: 'pair', images, answer: selected === 'left' ? 'first' : 'second' }
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
  if (filled.every(({ name }) => Object.hasOwn(choices, name.trim().toLowerCase()))) {
    return filled.flatMap(({ name, ids }) =>
      ids.map((id): Answer => ({
        kind: 'good-bad-skip',
        images: [pathOf(id)],
        answer: choices[name.trim().toLowerCase()],
      })),
    )
  }
  const numbers = filled.map(({ name }) => Number(/\d+$/.exec(name.trim())?.[0] ?? NaN))
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
