/** Curves of several runs on the same axes. */
import type { MetricRow } from '../train/metrics.ts'

export const axes = ['step', 'images_drawn', 'seconds'] as const
export type AxisName = (typeof axes)[number]

/** Steps before what was drawn has been written down have none of it. */
const placeOf = (row: MetricRow, axis: AxisName): number | undefined => (axis === 'step' ? row.step : row[axis])

/** The points of one run, each place once, from the left to the right. */
export function pointsOf(rows: readonly MetricRow[], metric: string, axis: AxisName): [number[], number[]] {
  const byPlace = new Map<number, number>()
  for (const row of rows) {
    const x = placeOf(row, axis)
    const y = row[metric]
    if (x !== undefined && Number.isFinite(x) && Number.isFinite(y)) byPlace.set(x, y)
  }
  const points = [...byPlace].sort(([a], [b]) => a - b)
  return [points.map(([x]) => x), points.map(([, y]) => y)]
}

/** All runs below each other: the places of all of them, and of each run its values there, `null` where it has none. */
export function aligned(runs: readonly [number[], number[]][]): [number[], ...(number | null)[][]] {
  const places = [...new Set(runs.flatMap(([xs]) => xs))].sort((a, b) => a - b)
  const rows = runs.map(([xs, ys]) => {
    const values = new Map(xs.map((x, i) => [x, ys[i]]))
    return places.map((x) => values.get(x) ?? null)
  })
  return [places, ...rows]
}

/** The value of a run that is nearest to a place; undefined of a run without points. */
export function nearest([xs, ys]: [number[], number[]], x: number): number | undefined {
  let best: number | undefined
  for (const [i, one] of xs.entries()) if (best === undefined || Math.abs(one - x) < Math.abs(xs[best] - x)) best = i
  return best === undefined ? undefined : ys[best]
}
