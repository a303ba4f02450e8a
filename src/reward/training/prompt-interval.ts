import { quantile } from 'simple-statistics'
import { random } from '../../random.ts'
import { rewardStreams } from '../../streams.ts'

/** Ends of a 95 % interval. */
export type Ends = readonly [low: number, high: number]

const resamples = 1000

/**
 * 95 % interval of a statistic of rows that hang together by prompt: prompts are drawn with replacement with all their
 * rows, the statistic is taken of the rows drawn, and the 2.5 % and 97.5 % quantiles are the ends. For statistics that
 * are no mean of the means of prompts, such as an AUC over all of them.
 *
 * @param statistic undefined where it does not exist, which leaves the draw out
 * @returns         null for a single prompt, which says nothing about others, or where no draw has the statistic
 * @see Efron & Tibshirani 1993, An Introduction to the Bootstrap, §13.3
 */
export function promptInterval<T extends { readonly text: string }>(
  rows: readonly T[],
  statistic: (rows: T[]) => number | undefined,
  seed: number,
): Ends | null {
  const groups = [...Map.groupBy(rows, ({ text }) => text).values()]
  if (groups.length < 2) return null
  const stream = random(...rewardStreams.interval(seed))
  const draws = Array.from({ length: resamples }, () => statistic(groups.flatMap(() => stream.pick(groups))))
  const values = draws.filter((value) => value !== undefined)
  if (values.length === 0) return null
  const [low, high] = quantile(values, [0.025, 0.975])
  return [low, high]
}
