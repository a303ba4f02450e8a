/** Whether figures bear a claim out. */
import { subsetInterval, type Interval } from '../report/interval.ts'

export const allVerdicts = ['supported', 'not supported', 'inconclusive', 'not measured'] as const
export type Verdict = (typeof allVerdicts)[number]

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
 * their number (Berger 1982). Not measured is one of whose parts none is.
 */
export function verdictOfAll(parts: readonly Verdict[]): Verdict {
  if (parts.includes('not supported')) return 'not supported'
  if (parts.every((part) => part === 'not measured')) return 'not measured'
  return parts.every((part) => part === 'supported') ? 'supported' : 'inconclusive'
}
