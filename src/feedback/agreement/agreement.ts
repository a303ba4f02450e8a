/**
 * How far raters agree beyond chance. Undefined where it cannot be told: nothing was judged twice, or all answers are
 * equal. `times` says how often each item counts, once by default: a resample counts some often and some never.
 */
import { ShapeError } from '../../errors.ts'

/** What the raters said of one item, in any order; undefined where one did not answer. Numbers, their order is that of the scale. */
export type ItemAnswers = readonly (number | undefined)[]

/**
 * Krippendorff's α = 1 − D_o/D_e = 1 − (n − 1) Σ_{c<k} o_ck δ²_ck / Σ_{c<k} n_c n_k δ²_ck, with coincidences
 * o_ck = Σ_u (number of c-k pairs in item u)/(m_u − 1) over items that m_u ≥ 2 raters answered, n_c = Σ_k o_ck and
 * n = Σ_c n_c. Nominal: δ² = 1 for c ≠ k. Ordinal: δ_ck = Σ_{g=c}^{k} n_g − (n_c + n_k)/2.
 *
 * @param items  one list of answers an item; raters may be missing anywhere
 * @returns      α of the items, each of which counts as often as `times` says; undefined where nothing can differ
 * @see Krippendorff 2011, Computing Krippendorff's Alpha-Reliability
 */
export function krippendorffAlpha(
  items: readonly ItemAnswers[],
  metric: 'nominal' | 'ordinal',
): (times?: readonly number[]) => number | undefined {
  const answered = items.map((item) => item.filter((answer) => answer !== undefined))
  const scale = [...new Set(answered.flat())].sort((a, b) => a - b)
  const placeOf = new Map(scale.map((answer, place) => [answer, place]))
  /** Of each item, where in `coincidences` each of its pairs stands. */
  const cells = answered.map((item) => {
    const places = item.map((answer) => placeOf.get(answer)!)
    return places.flatMap((c, i) => places.flatMap((k, j) => (i === j ? [] : [c * scale.length + k])))
  })
  return (times) => {
    const coincidences = Array.from({ length: scale.length ** 2 }, () => 0)
    for (const [u, item] of cells.entries()) {
      const share = (times?.[u] ?? 1) / (answered[u].length - 1)
      for (const cell of item) coincidences[cell] += share
    }
    const at = (c: number, k: number) => coincidences[c * scale.length + k]
    const totals = scale.map((_, c) => sum(scale.map((_answer, k) => at(c, k))))
    const n = sum(totals)
    const upTo = totals.map((_, place) => sum(totals.slice(0, place + 1)))
    const squaredDifference = (c: number, k: number) =>
      metric === 'nominal' ? 1 : (upTo[k] - upTo[c] + totals[c] - (totals[c] + totals[k]) / 2) ** 2
    let observed = 0
    let expected = 0
    for (let k = 1; k < scale.length; k++) {
      for (let c = 0; c < k; c++) {
        observed += at(c, k) * squaredDifference(c, k)
        expected += totals[c] * totals[k] * squaredDifference(c, k)
      }
    }
    return expected === 0 ? undefined : 1 - ((n - 1) * observed) / expected
  }
}

/**
 * Cohen's κ = (p_o − p_e)/(1 − p_e) of two raters, or with weights of disagreement 1 − Σ w p_o / Σ w p_e: none: w = 1 for
 * different answers; linear: w = |i − j|; quadratic: w = (i − j)², where i and j are places on the scale.
 *
 * @param pairs  what the first and the second rater said of an item, one an item
 * @param scale  all answers that there are, in order; those that were given are enough without weights
 * @throws {ShapeError} an answer that is not on the scale
 * @see Cohen 1960; with weights Cohen 1968
 */
export function cohenKappa(
  pairs: readonly (readonly [number, number])[],
  weights: 'none' | 'linear' | 'quadratic' = 'none',
  scale: readonly number[] = [...new Set(pairs.flat())].sort((a, b) => a - b),
  times: readonly number[] = pairs.map(() => 1),
): number | undefined {
  const weight = (i: number, j: number) => {
    if (weights === 'none') return i === j ? 0 : 1
    return weights === 'linear' ? Math.abs(i - j) : (i - j) ** 2
  }
  const first = scale.map(() => 0)
  const second = scale.map(() => 0)
  let observed = 0
  for (const [u, pair] of pairs.entries()) {
    const i = scale.indexOf(pair[0])
    const j = scale.indexOf(pair[1])
    if (i < 0 || j < 0) {
      throw new ShapeError({
        where: 'cohenKappa pairs',
        expected: `answers of the scale ${scale.join(', ')}`,
        received: pair.join(' and '),
        remedy: 'give the whole scale',
      })
    }
    observed += times[u] * weight(i, j)
    first[i] += times[u]
    second[j] += times[u]
  }
  const expected = sum(first.flatMap((a, i) => second.map((b, j) => weight(i, j) * a * b)))
  return expected === 0 ? undefined : 1 - (observed * sum(times)) / expected
}

/**
 * Fleiss' κ = (P̄ − P̄_e)/(1 − P̄_e) with P_i = Σ_j n_ij (n_ij − 1)/(n (n − 1)) and P̄_e = Σ_j p_j². The raters of one
 * item need not be those of another.
 *
 * @param counts  [items, categories]: how many raters put the item into the category; of every item n ≥ 2 in all
 * @throws {ShapeError} items with different numbers of answers, or with fewer than two
 * @see Fleiss 1971
 */
export function fleissKappa(
  counts: readonly (readonly number[])[],
  times: readonly number[] = counts.map(() => 1),
): number | undefined {
  if (counts.length === 0) return undefined
  const n = sum(counts[0])
  const other = counts.find((row) => sum(row) !== n || row.length !== counts[0].length || n < 2)
  if (other !== undefined) {
    throw new ShapeError({
      where: 'fleissKappa counts',
      expected: `${Math.max(n, 2)} answers in ${counts[0].length} categories for every item`,
      received: `${sum(other)} answers in ${other.length} categories`,
      remedy: 'leave out the items with other numbers of answers',
    })
  }
  const total = n * sum(times)
  const agreement = sum(counts.map((row, i) => times[i] * sum(row.map((m) => m * (m - 1))))) / (total * (n - 1))
  const shares = counts[0].map((_, j) => sum(counts.map((row, i) => times[i] * row[j])) / total)
  const chance = sum(shares.map((share) => share ** 2))
  return 1 - chance < 1e-12 ? undefined : (agreement - chance) / (1 - chance)
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}
