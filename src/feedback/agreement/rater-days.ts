/** How a rater did, day by day. */
import { median } from 'simple-statistics'
import { getOrAdd } from '../../get-or-add.ts'
import type { Judgment } from '../../records.ts'
import type { Gold } from '../queue/gold.ts'
import { answersOf } from './agreement-summary.ts'

export interface RaterDay {
  /** `2026-01-31`, UTC. */
  readonly day: string
  readonly answers: number
  readonly skips: number
  /** Median from when images were shown to the answer; null where no time is known. */
  readonly seconds: number | null
  /** How many answers of others there are about the same, and how many of them say the same. */
  readonly compared: number
  readonly agreed: number
  readonly gold: { readonly asked: number; readonly right: number }
}

/**
 * @param standing the judgments that stand, of all raters
 * @param looks    milliseconds of each judgment of this rater: see `looksOf`
 * @returns the last day first
 */
export function raterDays(
  rater: string,
  standing: readonly Judgment[],
  { gold, looks }: { readonly gold: Gold; readonly looks: ReadonlyMap<string, number> },
): RaterDay[] {
  const own = standing.filter((one) => one.rater === rater)
  const said = new Map(
    own.flatMap((one) => answersOf(one).map(([item]) => [keyOf(one, item), [] as number[]] as const)),
  )
  for (const one of standing) {
    if (one.rater === rater) continue
    for (const [item, answer] of answersOf(one)) said.get(keyOf(one, item))?.push(answer)
  }
  const days = new Map<string, Judgment[]>()
  for (const one of own) getOrAdd(days, one.at.slice(0, 10), () => []).push(one)
  return [...days]
    .sort(([a], [b]) => (a < b ? 1 : -1))
    .map(([day, all]) => {
      const times = all.flatMap(({ id }) => looks.get(id) ?? [])
      const pairs = all.flatMap((one) =>
        answersOf(one).flatMap(([item, answer]) => said.get(keyOf(one, item))!.map((other) => other === answer)),
      )
      const tested = all.flatMap(({ kind, images, answer }) => {
        const right = kind === 'good-bad-skip' && answer !== 'skip' ? gold.get(images[0]) : undefined
        return right === undefined ? [] : [right === answer]
      })
      return {
        day,
        answers: all.length,
        skips: all.filter(({ answer }) => answer === 'skip').length,
        seconds: times.length === 0 ? null : median(times) / 1000,
        compared: pairs.length,
        agreed: pairs.filter(Boolean).length,
        gold: { asked: tested.length, right: tested.filter(Boolean).length },
      }
    })
}

/** Comparisons and rankings order the same pairs, and are two ways of asking all the same. */
const keyOf = ({ kind }: Judgment, item: string) => `${kind} ${item}`
