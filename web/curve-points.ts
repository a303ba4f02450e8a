/** How a measured curve is drawn: what is said by a line, what only by points with their intervals, and within which range. */
import { isShare } from './format.ts'

export interface CurvePoint {
  readonly step: number
  readonly value: number
  /** Half of its 95 % interval; null where the row does not tell. */
  readonly error: number | null
}

type Row = Readonly<Record<string, number>>

/** Of a mean over the images that were drawn since the row before, by their standard deviation. */
export function pointsOf(name: string, rows: readonly Row[]): CurvePoint[] {
  const deviation = name.replace(/_mean$/, '_std')
  let before = 0
  return rows.flatMap((row) => {
    const images = row.images_drawn - before
    if (Number.isFinite(row.images_drawn)) before = row.images_drawn
    if (!Number.isFinite(row[name])) return []
    const has = deviation !== name && Number.isFinite(row[deviation]) && images > 1
    return [{ step: row.step, value: row[name], error: has ? (1.96 * row[deviation]) / Math.sqrt(images) : null }]
  })
}

/** Beyond so many points the eye sees the trend through the noise. */
const fewPoints = 24
/** Noise turns at two of three places, a curve seldom. */
const noisyTurns = 0.4

/** Few points that go up and down: a line through them would show a zigzag that nobody has measured. */
export function isZigzag(values: readonly number[]): boolean {
  if (values.length < 3 || values.length > fewPoints) return false
  const turns = values.slice(1, -1).filter((value, i) => (value - values[i]) * (values[i + 2] - value) < 0)
  return turns.length / (values.length - 2) > noisyTurns
}

/** What the axis upwards shows: all points with their intervals and a margin; of one value about a tenth to each side. */
export function rangeOf(name: string, points: readonly CurvePoint[]): [number, number] {
  const ends = points.flatMap(({ value, error }) => [value - (error ?? 0), value + (error ?? 0)])
  if (ends.length === 0) return [0, 1]
  const [least, most] = [Math.min(...ends), Math.max(...ends)]
  const margin = most > least ? (most - least) * 0.1 : Math.abs(most) * 0.1 || (isShare(name) ? 0.1 : 1)
  const [low, high] = [least - margin, most + margin]
  // A share or a loss that is not below 0 has no room there.
  const floor = least >= 0 && low < 0 ? 0 : low
  return isShare(name) ? [Math.max(0, floor), Math.min(1, high)] : [floor, high]
}

/** What the axis to the right shows: one step has one to each side. */
export function stepRange(points: readonly CurvePoint[]): [number, number] {
  const [first, last] = [points[0]?.step ?? 0, points.at(-1)?.step ?? 1]
  return first === last ? [Math.max(0, first - 1), last + 1] : [first, last]
}
