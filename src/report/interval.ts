/** 95 % intervals. Prompts are what the report generalises over, so prompts are what is resampled. */
import { mean, quantile, sampleStandardDeviation } from 'simple-statistics'
import { DivergenceError, ShapeError } from '../errors.ts'
import { random } from '../random.ts'
import { resamples as resamplesOf } from '../streams.ts'

/** A mean with the ends of its 95 % interval, all in the unit of the values. */
export interface Interval {
  readonly mean: number
  readonly low: number
  readonly high: number
}

/** One list of values per prompt, keyed by the prompt's id or in a fixed order of prompts. */
export type ValuesByPrompt = ReadonlyMap<string, readonly number[]> | readonly (readonly number[])[]

export interface BootstrapOptions {
  /** Equal seeds give equal intervals. */
  readonly seed: number
  /** Bootstrap samples drawn. */
  readonly resamples?: number
}

/**
 * Mean over prompts of each prompt's own mean, m = (1/K) Σ_k m_k with m_k = (1/n_k) Σ_i v_ki, so that every prompt
 * weighs the same however many images it has. The interval is the percentile bootstrap: K prompts are drawn with
 * replacement `resamples` times, and the 2.5 % and 97.5 % quantiles of the resampled means are its ends.
 * With a single prompt there is nothing to say about other prompts: its values are resampled instead, and the interval
 * speaks of further images of that one prompt.
 *
 * @param valuesByPrompt  K lists, K ≥ 1, each of at least one finite value
 * @throws {ShapeError} no prompt, or a prompt without values
 * @throws {DivergenceError} a value is NaN or infinite
 * @see Efron & Tibshirani 1993, An Introduction to the Bootstrap, §13.3
 */
export function bootstrapMean(valuesByPrompt: ValuesByPrompt, { seed, resamples = 2000 }: BootstrapOptions): Interval {
  const prompts = entriesOf('bootstrapMean', valuesByPrompt)
  const units = prompts.length === 1 ? prompts[0][1] : prompts.map(([, values]) => mean([...values]))
  const stream = random(...resamplesOf(seed))
  const means = Array.from({ length: resamples }, () => {
    const drawn = units.map(() => stream.pick(units))
    return mean(drawn)
  })
  const [low, high] = quantile(means, [0.025, 0.975])
  const centre = mean([...units])
  // Sums in another order may differ by a rounding error; the mean always lies within its interval.
  return { mean: centre, low: Math.min(low, centre), high: Math.max(high, centre) }
}

/**
 * Interval of a − b where both were measured on the same prompts with the same seeds: d_ki = a_ki − b_ki, then
 * {@link bootstrapMean} over prompts. What prompt and seed share cancels, so it is narrower than two intervals apart.
 *
 * @param a  values per prompt; the i-th value of a prompt belongs to the same seed in `a` and in `b`
 * @param b  the same prompts with equally many values
 * @throws {ShapeError} prompts or numbers of values differ
 * @throws {DivergenceError} a value is NaN or infinite
 */
export function pairedDifference(a: ValuesByPrompt, b: ValuesByPrompt, options: BootstrapOptions): Interval {
  const left = entriesOf('pairedDifference a', a)
  const right = new Map(entriesOf('pairedDifference b', b))
  if (left.length !== right.size) {
    throw unpaired('prompts', `${left.length} prompts in both`, `${left.length} and ${right.size}`)
  }
  const differences = left.map(([prompt, values]) => {
    const others = right.get(prompt)
    if (others?.length !== values.length) {
      throw unpaired(`prompt ${prompt}`, `${values.length} values in both`, `${others?.length ?? 'no'} in b`)
    }
    return values.map((value, i) => value - others[i])
  })
  return bootstrapMean(differences, options)
}

/**
 * Interval of a statistic that is not a mean over images (a Fréchet distance) from its values v_1 … v_m on m disjoint
 * subsets of equal size: mean ± t_{.975, m−1} s/√m with s the sample standard deviation. The values must come from
 * the same number of images wherever they are compared: a Fréchet distance falls with the number of images.
 *
 * @param values  [m], m ≥ 2, finite
 * @throws {ShapeError} fewer than two subsets
 * @throws {DivergenceError} a value is NaN or infinite
 * @see Student 1908, The Probable Error of a Mean
 */
export function subsetInterval(values: readonly number[]): Interval {
  if (values.length < 2) {
    throw new ShapeError({
      where: 'subsetInterval values',
      expected: 'at least 2 subsets',
      received: `${values.length}`,
      remedy: 'split the images into more subsets',
    })
  }
  expectFinite('subsetInterval', values)
  const centre = mean([...values])
  const half = (studentQuantile975(values.length - 1) * sampleStandardDeviation([...values])) / Math.sqrt(values.length)
  return { mean: centre, low: centre - half, high: centre + half }
}

/** 97.5 % quantile of the normal distribution. */
export const normal975 = 1.959963984540054

/**
 * Wilson's score interval of a share: it stays sensible for few trials, and for all on one side.
 *
 * @param share of n independent trials, n ≥ 1
 * @see Wilson 1927 (JASA 22)
 */
export function wilsonInterval(share: number, n: number): Interval {
  const z2 = normal975 ** 2
  const centre = (share + z2 / (2 * n)) / (1 + z2 / n)
  const half = (normal975 / (1 + z2 / n)) * Math.sqrt((share * (1 - share)) / n + z2 / (4 * n * n))
  // Of none or all the end is the share itself, but for what rounding adds.
  return {
    mean: share,
    low: Math.max(0, Math.min(share, centre - half)),
    high: Math.min(1, Math.max(share, centre + half)),
  }
}

const student975 = [12.7062, 4.3027, 3.1824, 2.7764, 2.5706, 2.4469, 2.3646, 2.306, 2.2622, 2.2281]

/**
 * 97.5 % quantile of Student's t: tabulated to 10 degrees of freedom, above that expanded around the normal quantile
 * (error below 2e-4).
 *
 * @param degrees  degrees of freedom, a positive integer
 * @see Abramowitz & Stegun 1964, 26.7.5
 */
export function studentQuantile975(degrees: number): number {
  if (degrees <= student975.length) return student975[degrees - 1]
  const z = normal975
  return (
    z +
    (z ** 3 + z) / (4 * degrees) +
    (5 * z ** 5 + 16 * z ** 3 + 3 * z) / (96 * degrees ** 2) +
    (3 * z ** 7 + 19 * z ** 5 + 17 * z ** 3 - 15 * z) / (384 * degrees ** 3)
  )
}

function entriesOf(where: string, valuesByPrompt: ValuesByPrompt): [string, readonly number[]][] {
  const entries: [string, readonly number[]][] = Array.isArray(valuesByPrompt)
    ? valuesByPrompt.map((values, k) => [`${k}`, values])
    : [...(valuesByPrompt as ReadonlyMap<string, readonly number[]>)]
  if (entries.length === 0) {
    throw new ShapeError({
      where,
      expected: 'at least one prompt',
      received: 'none',
      remedy: 'pass the measured values',
    })
  }
  for (const [prompt, values] of entries) {
    if (values.length === 0) {
      throw new ShapeError({
        where: `${where} prompt ${prompt}`,
        expected: 'at least one value',
        received: 'none',
        remedy: 'leave out prompts without images',
      })
    }
    expectFinite(`${where} prompt ${prompt}`, values)
  }
  return entries
}

function expectFinite(where: string, values: readonly number[]): void {
  const at = values.findIndex((value) => !Number.isFinite(value))
  if (at >= 0) {
    throw new DivergenceError({
      where: `${where} value ${at}`,
      expected: 'a finite number',
      received: `${values[at]}`,
      remedy: 'look for the first non-finite number in the metrics of the run that was measured',
    })
  }
}

function unpaired(what: string, expected: string, received: string): ShapeError {
  return new ShapeError({
    where: `pairedDifference ${what}`,
    expected,
    received,
    remedy: 'measure both policies on the same prompts and seeds',
  })
}
