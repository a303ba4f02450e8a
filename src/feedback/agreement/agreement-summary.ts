/** What the raters' page shows: agreement by the way of asking, and each rater's speed, care and agreement. */
import { median } from 'simple-statistics'
import { getOrAdd } from '../../get-or-add.ts'
import type { Judgment } from '../../records.ts'
import { bootstrapInterval, type AgreementInterval } from './agreement-interval.ts'
import { cohenKappa, fleissKappa, krippendorffAlpha, type ItemAnswers } from './agreement.ts'
import type { Gold } from '../queue/gold.ts'

type AgreementKind = Exclude<Judgment['kind'], 'vote'>

export interface KindAgreement {
  readonly kind: AgreementKind
  /** Items that at least two raters judged. A ranking counts as the pairs that it orders. */
  readonly items: number
  readonly raters: number
  readonly alphaNominal: AgreementInterval | null
  readonly alphaOrdinal: AgreementInterval | null
  /** Of the items with the number of answers that is most frequent. */
  readonly fleissKappa: AgreementInterval | null
  /** Cohen's κ (of ratings with quadratic weights) of the pairs of raters that share most items, at most thirty. */
  readonly pairs: readonly { readonly first: string; readonly second: string; readonly kappa: AgreementInterval }[]
}

export interface RaterSummary {
  readonly name: string
  readonly kind: Judgment['raterKind']
  /** That stand, skips too. */
  readonly judgments: number
  readonly skips: number
  /** Median of the times that are known. */
  readonly secondsPerAnswer: number | null
  /** Cohen's κ with all others together, on the way of asking of which most is shared. */
  readonly agreement: AgreementInterval | null
  readonly gold: { readonly asked: number; readonly right: number }
  readonly lastAt: string | null
}

const kinds: readonly AgreementKind[] = ['good-bad-skip', 'pair', 'rating', 'ranking']
const mostPairs = 30

/** What each rater said of one item, as a number on the scale of its kind. */
type Item = ReadonlyMap<string, number>

/**
 * {@link bootstrapInterval} of a measure, which depends on the items alone: who asks again after some answers more can keep
 * what is the same.
 */
export type Interval = <T>(
  measure: string,
  items: readonly T[],
  figure: (items: readonly T[], times: readonly number[]) => number | undefined,
) => AgreementInterval | null

const computed: Interval = (_measure, items, figure) => bootstrapInterval(items, figure)

/** Agreement of every way of asking that two raters or more have answered. */
export function agreementByKind(judgments: readonly Judgment[], interval: Interval = computed): KindAgreement[] {
  return kinds.flatMap((kind) => {
    const items = sharedItems(judgments).get(kind)!
    if (items.length === 0) return []
    const answers = items.map((item) => [...item.values()].sort((a, b) => a - b))
    return [
      {
        kind,
        items: items.length,
        raters: new Set(items.flatMap((item) => [...item.keys()])).size,
        alphaNominal: interval('nominal', answers, alpha('nominal')),
        alphaOrdinal: interval('ordinal', answers, alpha('ordinal')),
        fleissKappa: interval('fleiss', countsOf(answers), fleissKappa),
        pairs: pairsOf(items, kind, interval),
      },
    ]
  })
}

/** α of items that stay the same while their `times` change. */
function alpha(metric: 'nominal' | 'ordinal') {
  const of = ofSame((items: readonly ItemAnswers[]) => krippendorffAlpha(items, metric))
  return (items: readonly ItemAnswers[], times: readonly number[]) => of(items)(times)
}

/** Every rater, by name. Votes count among the judgments and for the speed. */
export function raterSummaries(
  judgments: readonly Judgment[],
  gold: Gold,
  interval: Interval = computed,
): RaterSummary[] {
  const byRater = Map.groupBy(judgments, ({ rater }) => rater)
  const shared = kinds.map((kind) => ({ kind, items: itemsByRater(sharedItems(judgments).get(kind)!) }))
  return [...byRater.keys()].sort().map((name) => {
    const own = byRater.get(name)!
    const times = own.flatMap(({ durationMs }) => (durationMs === undefined ? [] : [durationMs / 1000]))
    const tested = own.flatMap((judgment) => {
      const right = gold.get(judgment.images[0])
      return judgment.kind === 'good-bad-skip' && right !== undefined && judgment.answer !== 'skip'
        ? [judgment.answer === right]
        : []
    })
    return {
      name,
      kind: own[0].raterKind,
      judgments: own.length,
      skips: own.filter(({ answer }) => answer === 'skip').length,
      secondsPerAnswer: times.length === 0 ? null : median(times),
      agreement: agreementWithOthers(name, shared, interval),
      gold: { asked: tested.length, right: tested.filter(Boolean).length },
      lastAt: own.reduce((last: string | null, { at }) => (last === null || at > last ? at : last), null),
    }
  })
}

function agreementWithOthers(
  name: string,
  shared: readonly { readonly kind: AgreementKind; readonly items: ReadonlyMap<string, readonly Item[]> }[],
  interval: Interval,
): AgreementInterval | null {
  const [{ kind, items }] = shared
    .map((each) => ({ kind: each.kind, items: each.items.get(name) ?? [] }))
    .sort((a, b) => b.items.length - a.items.length)
  const pairs = items.map((item) =>
    [...item].flatMap(([other, answer]): [number, number][] => (other === name ? [] : [[item.get(name)!, answer]])),
  )
  const counted = pairCounts()
  return interval(`kappa of ${kind}`, pairs, (some, times) => kappaOf(kind, ...counted(some, times)))
}

type Pair = readonly [number, number]

/** Of lists of pairs, each of which counts so many times: the different pairs, and how often each of them counts. */
function pairCounts() {
  const of = ofSame((lists: readonly (readonly Pair[])[]) => {
    const places = new Map<string, number>()
    const pairs: Pair[] = []
    const placesOf = lists.map((list) => list.map((pair) => getOrAdd(places, pair.join(), () => pairs.push(pair) - 1)))
    return { pairs, placesOf }
  })
  return (lists: readonly (readonly Pair[])[], times: readonly number[]): [Pair[], number[]] => {
    const { pairs, placesOf } = of(lists)
    const counts = pairs.map(() => 0)
    for (const [list, places] of placesOf.entries()) for (const place of places) counts[place] += times[list]
    return [pairs, counts]
  }
}

/** What is made of a thing once, for as long as it is the same thing. */
function ofSame<T extends object, U>(make: (thing: T) => U): (thing: T) => U {
  let known: { readonly thing: T; readonly made: U } | undefined
  return (thing) => {
    if (known?.thing !== thing) known = { thing, made: make(thing) }
    return known.made
  }
}

/** Ratings are seven steps, of which a near one is nearly right. */
const kappaOf = (kind: AgreementKind, pairs: readonly (readonly [number, number])[], times: readonly number[]) =>
  kind === 'rating'
    ? cohenKappa(pairs, 'quadratic', [1, 2, 3, 4, 5, 6, 7], times)
    : cohenKappa(pairs, 'none', [0, 1, 2], times)

/** Of each rater the items that this one has judged. */
function itemsByRater(items: readonly Item[]): ReadonlyMap<string, readonly Item[]> {
  const byRater = new Map<string, Item[]>()
  for (const item of items) for (const rater of item.keys()) getOrAdd(byRater, rater, () => []).push(item)
  return byRater
}

type SharedItems = ReadonlyMap<AgreementKind, readonly Item[]>
/** Of lists of judgments, which are not changed. */
const sharedOf = new WeakMap<readonly Judgment[], SharedItems>()

/** What at least two raters judged, skips left out. */
function sharedItems(judgments: readonly Judgment[]): SharedItems {
  const known = sharedOf.get(judgments)
  if (known !== undefined) return known
  const byKind = new Map(kinds.map((kind) => [kind, new Map<string, Map<string, number>>()]))
  for (const judgment of judgments) {
    if (judgment.kind === 'vote') continue
    const items = byKind.get(judgment.kind)!
    for (const [item, answer] of answersOf(judgment)) {
      getOrAdd(items, item, () => new Map<string, number>()).set(judgment.rater, answer)
    }
  }
  const shared = new Map([...byKind].map(([kind, items]) => [kind, [...items.values()].filter(({ size }) => size > 1)]))
  sharedOf.set(judgments, shared)
  return shared
}

/**
 * Items of a judgment with the answer as a number: bad 0, good 1; overall ratings 1 … 7; of two images in the order of
 * their ids, which is better: 0 the first, 1 neither (a tie, or both bad), 2 the second.
 */
export function answersOf(judgment: Judgment): [item: string, answer: number][] {
  const { kind, images, answer } = judgment
  if (kind === 'vote' || answer === 'skip') return []
  if (kind === 'good-bad-skip') return [[images[0], answer === 'good' ? 1 : 0]]
  if (kind === 'rating') return judgment.ratings === undefined ? [] : [[images[0], judgment.ratings.overall]]
  if (kind === 'pair') {
    const better = { first: -1, second: 1 }[answer as string] ?? 0
    return [betterOf(images[0], images[1], better)]
  }
  const { ranks } = judgment
  if (ranks === undefined) return []
  return images.flatMap((first, i) =>
    images.slice(i + 1).map((second, j) => betterOf(first, second, Math.sign(ranks[i] - ranks[i + 1 + j]))),
  )
}

/** @param better  −1 the first, 0 neither, 1 the second */
function betterOf(first: string, second: string, better: number): [item: string, answer: number] {
  return first < second ? [`${first} ${second}`, 1 + better] : [`${second} ${first}`, 1 - better]
}

/** [items, answers on the scale] of the items with the most frequent number of answers. */
function countsOf(answers: readonly (readonly number[])[]): number[][] {
  const bySize = [...Map.groupBy(answers, ({ length }) => length).values()].sort((a, b) => b.length - a.length)
  const scale = [...new Set(bySize[0].flat())]
  return bySize[0].map((item) => scale.map((answer) => item.filter((given) => given === answer).length))
}

function pairsOf(items: readonly Item[], kind: AgreementKind, interval: Interval): KindAgreement['pairs'] {
  const pairs = new Map<string, { first: string; second: string; answers: [number, number][] }>()
  for (const item of items) {
    const names = [...item.keys()].sort()
    for (const [i, first] of names.entries()) {
      for (const second of names.slice(i + 1)) {
        const key = JSON.stringify([first, second])
        const pair = pairs.get(key) ?? { first, second, answers: [] }
        pair.answers.push([item.get(first)!, item.get(second)!])
        pairs.set(key, pair)
      }
    }
  }
  return [...pairs.values()]
    .sort((a, b) => b.answers.length - a.answers.length)
    .slice(0, mostPairs)
    .flatMap(({ first, second, answers }) => {
      const kappa = interval(`kappa of ${kind}`, answers, (some, times) => kappaOf(kind, some, times))
      return kappa === null ? [] : [{ first, second, kappa }]
    })
}
