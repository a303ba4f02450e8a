/** Whether figures bear a claim out. */
import { subsetInterval, type Interval } from '../report/interval.ts'

export type Verdict = 'supported' | 'not supported' | 'inconclusive'

/**
 * A part of a claim as one number, measured once a seed: it holds where the number is above a bound.
 * Over seeds: supported where the 95 % interval lies above the bound, not supported where it lies below, else inconclusive.
 *
 * @param values one a seed, at least two
 */
export function judge(values: readonly number[], bound: number): { verdict: Verdict; interval: Interval } {
  const interval = subsetInterval(values)
  if (interval.low > bound) return { verdict: 'supported', interval }
  if (interval.high < bound) return { verdict: 'not supported', interval }
  return { verdict: 'inconclusive', interval }
}

/**
 * Of a claim that says all of its parts: an intersection-union test, so each part is held to 5 % and needs no correction for
 * their number (Berger 1982).
 */
export function verdictOfAll(parts: readonly Verdict[]): Verdict {
  if (parts.includes('not supported')) return 'not supported'
  return parts.includes('inconclusive') || parts.length === 0 ? 'inconclusive' : 'supported'
}
