/** Numbers as reports write them, and the units of measures. */
import type { Interval } from './interval.ts'

/** A real minus sign, and no minus before a zero. */
const signed = (text: string) => (/^-[0.]+$/.test(text) ? text.slice(1) : text.replace('-', '−'))

/** Fixed decimals: `0.42`. */
export const decimal = (value: number, digits = 2) => signed(value.toFixed(digits))

/** A share in percent, without the sign: `58.1`. */
export const percent = (value: number, digits = 1) => decimal(100 * value, digits)

/** A difference of shares in percentage points, always with its sign: `+16.2`. */
export function points(value: number, digits = 1): string {
  const text = percent(value, digits)
  return text.startsWith('−') || Number(text) === 0 ? text : `+${text}`
}

/** A tick of an axis, without digits that say nothing: `0.45`, `40`. */
export const tickText = (value: number) => signed(`${Number(value.toPrecision(6))}`)

/** Three significant digits, and no digit after the point from 100 on: `152`, `18.4`, `3.52`. */
export function compact(value: number): string {
  const size = Math.abs(value)
  return decimal(value, size >= 100 ? 0 : size >= 10 ? 1 : 2)
}

/** Thousands apart: `14,600`. */
export const whole = (value: number) => value.toLocaleString('en-US', { maximumFractionDigits: 0 })

/** `4 min 10 s`; below a minute one decimal, `8.4 s`. */
export function duration(seconds: number): string {
  if (seconds === 0) return '0 s'
  if (seconds < 60) return `${decimal(seconds, seconds < 10 ? 1 : 0)} s`
  const total = Math.round(seconds)
  const [hours, minutes, rest] = [Math.floor(total / 3600), Math.floor(total / 60) % 60, total % 60]
  return hours > 0 ? `${hours} h ${minutes} min` : `${minutes} min ${rest} s`
}

/** `+12.0 to +20.4`. */
export const pointsRange = ({ low, high }: Interval) => `${points(low)} to ${points(high)}`

/** How values are written, and what stands beside the title. */
export interface Unit {
  /** `%`; empty where a number says it alone. */
  readonly text: string
  write(value: number): string
}
/** Of shares. */
export const percentage: Unit = { text: '%', write: percent }
/** Of differences between shares. */
export const percentagePoints: Unit = { text: 'points', write: points }
export const nats: Unit = { text: 'nats', write: compact }
export const distance: Unit = { text: '', write: compact }
export const plainNumber: Unit = { text: '', write: decimal }

/** `57.0 to 63.4`, or nothing of a number that is exact. */
export const rangeIn = ({ write }: Unit, { low, high }: Interval): string | undefined =>
  low === high ? undefined : `${write(low)} to ${write(high)}`
