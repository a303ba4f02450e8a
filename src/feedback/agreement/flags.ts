/**
 * Answers of one rater that somebody should look at: given faster than a person can look, against a known answer, or at odds
 * with another answer of the same rater; blind votes too, by their speed. A flag takes nothing out of training, and no vote out of the
 * count: that is for an admin to decide.
 */
import { createHash } from 'node:crypto'
import type { Judgment } from '../../records.ts'
import type { Gold } from '../queue/gold.ts'
import { questionOf, standing } from '../raters/standing.ts'
import { preferenceCycles, type Preference } from './preference-cycles.ts'

/**
 * `fast`: in less than {@link shortestLookMs}; `gold`: against a known answer; `changed`: the same question answered
 * differently; `cycle`: A over B, B over C, C over A; `against`: good, bad or stars against which of two was called better.
 */
export const flagKinds = ['fast', 'gold', 'changed', 'cycle', 'against'] as const
type FlagKind = (typeof flagKinds)[number]

export interface Flag {
  /** The same for the same kind and judgments. */
  readonly id: string
  readonly kind: FlagKind
  readonly rater: string
  /** All that are at odds. */
  readonly judgments: readonly Judgment[]
}

/**
 * From the picture to the key, milliseconds. Told to press where there is an animal, people do after 445 ms (median), and
 * hardly ever before 300 ms (Thorpe, Fize and Marlot 1996, Nature 381).
 */
export const shortestLookMs = 300
/** Stars of seven by which two ratings differ that do not fit together: one is what the same person varies by. */
const farApart = 2

/**
 * @param rows   all of one rater, in order of arrival, those too that were taken back
 * @param leftOut ids of judgments that an admin has left out: nothing is at odds with them any more
 */
export function flagsOf(
  rows: readonly Judgment[],
  { gold, leftOut }: { readonly gold: Gold; readonly leftOut: ReadonlySet<string> },
): Flag[] {
  const all = standing(rows).filter(({ id, answer }) => !leftOut.has(id) && answer !== 'skip')
  const counted = all.filter(({ kind }) => kind !== 'vote')
  const looks = looksOf(rows)
  const single = (kind: FlagKind, judgments: readonly Judgment[]) => judgments.map((one) => flagOf(kind, [one]))
  return [
    ...single(
      'fast',
      all.filter(({ id, raterKind }) => raterKind === 'person' && (looks.get(id) ?? shortestLookMs) < shortestLookMs),
    ),
    ...single(
      'gold',
      counted.filter(
        ({ kind, images, answer }) => kind === 'good-bad-skip' && (gold.get(images[0]) ?? answer) !== answer,
      ),
    ),
    ...changedAnswers(inForce(rows).filter(({ id }) => !leftOut.has(id))),
    ...contradictions(counted),
  ]
}

function flagOf(kind: FlagKind, judgments: readonly Judgment[]): Flag {
  const key = JSON.stringify([kind, judgments.map(({ id }) => id)])
  const id = createHash('sha256').update(key).digest('hex').slice(0, 16)
  return { id, kind, rater: judgments[0].rater, judgments }
}

/**
 * Milliseconds from when the images were shown to the answer. Of several side by side, of which each is answered in turn, a
 * time is counted from the answer before: they add up. Times that are not known are not there.
 */
export function looksOf(rows: readonly Judgment[]): ReadonlyMap<string, number> {
  const looks = new Map<string, number>()
  let before: Judgment | undefined
  for (const row of rows) {
    const { id, kind, durationMs, undoes } = row
    if (undoes !== undefined || durationMs === undefined) continue
    const isOnScreen =
      kind === 'good-bad-skip' && before?.shown !== undefined && before.shown.join() === (row.shown ?? []).join()
    // The same answer again comes with reasons, and not later.
    const added = isOnScreen && before!.images[0] === row.images[0] ? 0 : durationMs
    looks.set(id, isOnScreen ? looks.get(before!.id)! + added : durationMs)
    before = row
  }
  return looks
}

/** Those that nobody has taken back, also where a later one about the same question counts. */
function inForce(rows: readonly Judgment[]): Judgment[] {
  const undone = new Set<string>()
  for (const { id, undoes } of rows.toReversed()) if (undoes !== undefined && !undone.has(id)) undone.add(undoes)
  return rows.filter(({ id, undoes }) => undoes === undefined && !undone.has(id))
}

/** The last answer to a question and the one before it, where they differ. */
function changedAnswers(rows: readonly Judgment[]): Flag[] {
  const telling = rows.filter(({ answer, kind }) => answer !== 'skip' && kind !== 'vote')
  return [...Map.groupBy(telling, questionOf).values()].flatMap((own) => {
    const [before, last] = own.slice(-2)
    return last !== undefined && isOther(before, last) ? [flagOf('changed', [before, last])] : []
  })
}

function isOther(a: Judgment, b: Judgment): boolean {
  if (a.kind === 'rating' && b.kind === 'rating') {
    return Math.abs(a.ratings!.overall - b.ratings!.overall) >= farApart
  }
  if (a.kind === 'good-bad-skip') return a.answer !== b.answer
  const turned = new Set(preferencesOf(b).map(({ better, worse }) => `${worse} ${better}`))
  if (a.kind === 'ranking') return preferencesOf(a).some(({ better, worse }) => turned.has(`${better} ${worse}`))
  const own = preferencesOf(a)
  return own.length === turned.size ? own.some(({ better, worse }) => turned.has(`${better} ${worse}`)) : true
}

interface Said extends Preference {
  readonly judgment: Judgment
}

/** Which image a pair or a ranking calls better. */
function preferencesOf(judgment: Judgment): Said[] {
  const { images, answer } = judgment
  if (judgment.kind === 'pair') {
    if (answer !== 'first' && answer !== 'second') return []
    const [better, worse] = answer === 'first' ? images : images.toReversed()
    return [{ better, worse, judgment }]
  }
  if (judgment.kind !== 'ranking' || judgment.ranks === undefined) return []
  const { ranks } = judgment
  return images.flatMap((better, i) =>
    images.flatMap((worse, j) => (ranks[i] < ranks[j] ? [{ better, worse, judgment }] : [])),
  )
}

function contradictions(judgments: readonly Judgment[]): Flag[] {
  const said = judgments.flatMap(preferencesOf)
  // A ranking may close several circles with the same answer.
  const circles = new Map<string, readonly Judgment[]>()
  for (const cycle of preferenceCycles(said)) {
    const all = [...new Set(cycle.map(({ judgment }) => judgment))]
    circles.set(all.map(({ id }) => id).sort().join(' '), all) // prettier-ignore
  }
  const verdicts = new Map(
    judgments.flatMap((one) => (one.kind === 'good-bad-skip' ? [[one.images[0], one] as const] : [])),
  )
  const ratings = new Map(judgments.flatMap((one) => (one.kind === 'rating' ? [[one.images[0], one] as const] : [])))
  const against = new Map<string, readonly Judgment[]>()
  const note = (comparison: Judgment, others: readonly Judgment[]) => {
    if (!against.has(comparison.id)) against.set(comparison.id, [...others, comparison])
  }
  for (const { better, worse, judgment } of said) {
    const [up, down] = [verdicts.get(better), verdicts.get(worse)]
    if (up?.answer === 'bad' && down?.answer === 'good') note(judgment, [up, down])
    const [more, less] = [ratings.get(better), ratings.get(worse)]
    if (more !== undefined && less !== undefined && overallOf(less) - overallOf(more) >= farApart) {
      note(judgment, [more, less])
    }
  }
  for (const judgment of judgments) {
    if (judgment.kind !== 'pair' || judgment.answer !== 'both-bad') continue
    const good = judgment.images.flatMap((image) => verdicts.get(image) ?? []).filter(({ answer }) => answer === 'good')
    if (good.length > 0) note(judgment, good)
  }
  return [
    ...[...circles.values()].map((cycle) => flagOf('cycle', cycle)),
    ...[...against.values()].map((all) => flagOf('against', all)),
  ]
}

const overallOf = (judgment: Judgment) => (judgment.kind === 'rating' ? (judgment.ratings?.overall ?? 0) : 0)
