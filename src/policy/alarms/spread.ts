/** When a mean of few images is too far from where the base model's images are to be chance. */
import { mean } from 'simple-statistics'

/** What one statistic is on the images of each prompt: P lists. */
export type ByPrompt = readonly (readonly number[])[]

/** Where the base model's images are, and how far apart those of one prompt are. */
export interface Spread {
  /** Of the images of each prompt. */
  readonly means: number[]
  /** Standard deviation between images of one prompt, pooled over prompts; never below what the statistic resolves. */
  readonly deviation: number
  /** Images (or pairs of them) behind the mean, and degrees of freedom behind the deviation. */
  readonly count: number
  readonly freedom: number
}

/** Mean over prompts of their means. */
export const meanOf = (values: ByPrompt): number => mean(values.map((one) => mean([...one])))

/**
 * @param values     of the base model's images, at least two of one prompt
 * @param resolution a deviation below which differences are nothing that anybody could see
 */
export function spreadOf(values: ByPrompt, resolution: number): Spread {
  const squares = values.flatMap((one) => one.map((value) => (value - mean([...one])) ** 2))
  const freedom = squares.length - values.length
  const deviation = Math.sqrt(squares.reduce((sum, one) => sum + one, 0) / freedom)
  const means = values.map((one) => mean([...one]))
  return { means, deviation: Math.max(deviation, resolution), count: squares.length, freedom }
}

/** Deviations beyond which an image is no further away: one that is very odd is no alarm, many are. */
const furthest = 4

/**
 * How far the mean of other images of the same prompts is from the base's, in standard errors of such a difference:
 * z = (x̄ − x̄_base) / (s √(1/n + 1/n_base)). Of images of the base itself it has Student's t distribution. An image counts
 * as at most 4 s away from the mean of its prompt, so that heavy tails raise no alarm.
 */
export function departure({ means, deviation, count }: Spread, values: ByPrompt): number {
  const most = furthest * deviation
  const away = values.map((one, i) => one.map((value) => Math.min(most, Math.max(-most, value - means[i]))))
  return meanOf(away) / (deviation * Math.sqrt(1 / values.flat().length + 1 / count))
}

/**
 * A bound that Student's t exceeds with less than a probability: of the normal distribution by
 * P(Z > z) ≤ ½ exp(−z² / 2), carried over to ν degrees of freedom by Wallace's approximation (1959).
 *
 * @param chance  of one side, below ½
 * @param freedom ν, at least 1
 */
export function rareBound(chance: number, freedom: number): number {
  const normal = Math.sqrt(-2 * Math.log(2 * chance))
  const scaled = (normal * (8 * freedom + 3)) / (8 * freedom + 1)
  return Math.sqrt(freedom * (Math.exp(scaled ** 2 / freedom) - 1))
}

/**
 * How sure it is that values fell, in standard errors of the mean difference of the same prompts and noise: infinite where
 * all fell alike, 0 where nothing changed.
 */
export function fallOf(before: ByPrompt, after: ByPrompt): { readonly by: number; readonly errors: number } {
  const later = after.flat()
  const differences = before.flat().map((value, i) => value - later[i])
  const by = mean(differences)
  const squares = differences.reduce((sum, one) => sum + (one - by) ** 2, 0)
  const error = Math.sqrt(squares / (differences.length - 1) / differences.length)
  return { by, errors: by === 0 ? 0 : by / error }
}
