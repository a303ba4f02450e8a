/** Intervals of measures of agreement. */
import { quantile } from 'simple-statistics'
import { random } from '../../random.ts'
import { resamples as resamplesOf } from '../../streams.ts'

/** A figure with its 95 % interval; null bounds where there are too few items for one. */
export interface AgreementInterval {
  readonly value: number
  readonly low: number | null
  readonly high: number | null
  /** Items. */
  readonly n: number
}

/** Fewer items tell nothing about others. */
const fewestItems = 5
/** Of the resamples, those for which the figure must exist. */
const enoughShare = 0.9

/**
 * A figure of a list of items, each of which counts so many times, with the percentile bootstrap over items: the 2.5 % and 97.5 % quantiles of the figure of
 * as many items drawn with replacement. Resamples in which the figure does not exist are left out; where they are more
 * than one in ten, or where there are fewer than five items, there are no bounds.
 *
 * @param figure  of different items and how often each counts
 * @returns       null where the figure does not exist
 * @see Efron & Tibshirani 1993, §13.3
 */
export function bootstrapInterval<T>(
  items: readonly T[],
  figure: (items: readonly T[], times: readonly number[]) => number | undefined,
  { seed = 0, resamples = 300 }: { readonly seed?: number; readonly resamples?: number } = {},
): AgreementInterval | null {
  // thousands of items are a few different ones
  const places = new Map<string, number>()
  const kinds: T[] = []
  const kindOf = items.map((item) => {
    const key = JSON.stringify(item)
    const place = places.get(key) ?? kinds.push(item) - 1
    places.set(key, place)
    return place
  })
  const timesOf = (next: (place: number) => number) => {
    const times = kinds.map(() => 0)
    for (let place = 0; place < items.length; place++) times[next(place)]++
    return times
  }
  const value = figure(
    kinds,
    timesOf((place) => kindOf[place]),
  )
  if (value === undefined) return null
  const none = { value, low: null, high: null, n: items.length }
  if (items.length < fewestItems) return none
  const stream = random(...resamplesOf(seed))
  const drawn = Array.from({ length: resamples }, () =>
    figure(
      kinds,
      timesOf(() => stream.pick(kindOf)),
    ),
  )
  const values = drawn.filter((one) => one !== undefined)
  if (values.length < enoughShare * resamples) return none
  const [low, high] = quantile(values, [0.025, 0.975])
  return { value, low: Math.min(low, value), high: Math.max(high, value), n: items.length }
}
