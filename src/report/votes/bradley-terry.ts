/**
 * Strengths of several policies from paired comparisons with ties (Davidson 1970, On Extending the Bradley–Terry Model to
 * Accommodate Ties in Paired Comparison Experiments, JASA 65), with u the logarithm of a strength:
 *
 *   P(i ≻ j) = e^{(uᵢ − uⱼ)/2}/S,   P(j ≻ i) = e^{(uⱼ − uᵢ)/2}/S,   P(tie) = ν/S,   S the sum of the three numerators
 */
import { tensor } from '../../tensor/create.ts'
import { noGrad } from '../../tensor/autograd.ts'
import { tensorScope } from '../../tensor/scope.ts'
import { operator, type Tensor } from '../../tensor/tensor.ts'
import { normal975, type Interval } from '../interval.ts'

/** Of a matrix that has none, numbers that are not finite. */
const inverse = operator<[self: Tensor], [inverse: Tensor, info: Tensor]>('linalg_inv_ex')

/** How often each side of a pair was the better one; numbers need not be whole. */
export interface PairCounts {
  readonly first: string
  readonly second: string
  readonly wins: number
  readonly losses: number
  readonly ties: number
}

export interface Strengths {
  /** uᵢ − u of the reference: logarithm of the odds that i is called better than it, ties left out. */
  readonly ofEach: ReadonlyMap<string, Interval>
  /** ν: two that are equally strong tie with probability ν/(2 + ν). */
  readonly nu: number
}

const mostSteps = 200
/** Of a logarithm of odds; a larger one says that the likelihood has no maximum but at infinity. */
const largestError = 100

/**
 * Maximum likelihood by Newton's method, intervals ±1.96 standard errors of the inverse information matrix. Only policies
 * that are tied to the reference by wins or ties in both directions, on whatever way, have a finite strength; what was
 * compared with others stays out.
 *
 * @returns undefined where no other policy has a finite strength: one of two that wins everything has none
 */
export function bradleyTerry(pairs: readonly PairCounts[], reference: string): Strengths | undefined {
  const names = [...comparable(pairs, reference)]
  if (names.length < 2) return undefined
  const place = (name: string) => names.indexOf(name) - 1
  const counts = pairs
    .map((pair) => ({ ...pair, i: place(pair.first), j: place(pair.second) }))
    .filter(({ i, j }) => i > -2 && j > -2)
  const hasTies = counts.some(({ ties }) => ties > 0)
  const size = names.length - 1 + (hasTies ? 1 : 0)
  const x = new Array<number>(size).fill(0)
  const total = counts.reduce((sum, { wins, losses, ties }) => sum + wins + losses + ties, 0)
  let last: ReturnType<typeof likelihood> = likelihood(counts, x, hasTies)
  for (let step = 0; step < mostSteps && Math.max(...last.gradient.map(Math.abs)) > 1e-12 * total; step++) {
    const move = times(inverseOf(last.information), last.gradient)
    const next = better(counts, x, move, last.value, hasTies)
    if (next === undefined) break
    x.splice(0, size, ...next.x)
    last = next
  }
  const covariance = inverseOf(last.information)
  const errors = covariance.map((row, p) => Math.sqrt(Math.max(0, row[p])))
  if (!errors.every((error) => error < largestError)) return undefined
  return {
    nu: hasTies ? Math.exp(x[size - 1]) : 0,
    ofEach: new Map(
      names.map((name, p) => {
        const mean = p === 0 ? 0 : x[p - 1]
        const half = p === 0 ? 0 : normal975 * errors[p - 1]
        return [name, { mean, low: mean - half, high: mean + half }]
      }),
    ),
  }
}

/** The first of x + move, x + move/2 … that is no less likely; undefined where none is. */
function better(
  counts: readonly Placed[],
  x: readonly number[],
  move: readonly number[],
  than: number,
  hasTies: boolean,
) {
  for (let share = 1; share > 1e-9; share /= 2) {
    const tried = x.map((value, p) => value + share * move[p])
    const found = likelihood(counts, tried, hasTies)
    if (found.value >= than) return { ...found, x: tried }
  }
  return undefined
}

/** The reference, and those from which a way of wins or ties leads to it and back. */
function comparable(pairs: readonly PairCounts[], reference: string): Set<string> {
  const reach = (isOver: (pair: PairCounts, name: string) => string | undefined) => {
    const found = new Set([reference])
    for (const name of found) {
      for (const pair of pairs) {
        const next = isOver(pair, name)
        if (next !== undefined) found.add(next)
      }
    }
    return found
  }
  const below = reach(({ first, second, wins, losses, ties }, name) =>
    first === name && wins + ties > 0 ? second : second === name && losses + ties > 0 ? first : undefined,
  )
  const above = reach(({ first, second, wins, losses, ties }, name) =>
    first === name && losses + ties > 0 ? second : second === name && wins + ties > 0 ? first : undefined,
  )
  return below.intersection(above)
}

interface Placed extends PairCounts {
  /** Places among the parameters; −1 of the reference, whose u is 0. */
  readonly i: number
  readonly j: number
}

/** Log-likelihood at (u, log ν), with its gradient and the negative of its second derivatives. */
function likelihood(counts: readonly Placed[], x: readonly number[], hasTies: boolean) {
  const size = x.length
  const gradient = new Array<number>(size).fill(0)
  const information = Array.from({ length: size }, () => new Array<number>(size).fill(0))
  let value = 0
  for (const { i, j, wins, losses, ties } of counts) {
    const half = ((i < 0 ? 0 : x[i]) - (j < 0 ? 0 : x[j])) / 2
    const logits = hasTies ? [half, -half, x[size - 1]] : [half, -half]
    const most = Math.max(...logits)
    const logSum = most + Math.log(logits.reduce((sum, logit) => sum + Math.exp(logit - most), 0))
    const shares = logits.map((logit) => Math.exp(logit - logSum))
    const seen = hasTies ? [wins, losses, ties] : [wins, losses]
    const n = wins + losses + ties
    value += seen.reduce((sum, count, k) => sum + count * (logits[k] - logSum), 0)
    /** Of each parameter that this pair has: what the three logits change by. */
    const slopes: [place: number, ...slope: number[]][] = [
      [i, 0.5, -0.5, 0],
      [j, -0.5, 0.5, 0],
      [hasTies ? size - 1 : -1, 0, 0, 1],
    ]
    const own = slopes.filter(([place]) => place >= 0)
    const expected = own.map(([, ...slope]) => shares.reduce((sum, share, k) => sum + share * slope[k], 0))
    own.forEach(([p, ...slope], a) => {
      gradient[p] += seen.reduce((sum, count, k) => sum + count * slope[k], 0) - n * expected[a]
      own.forEach(([q, ...other], b) => {
        const product = shares.reduce((sum, share, k) => sum + share * slope[k] * other[k], 0)
        information[p][q] += n * (product - expected[a] * expected[b])
      })
    })
  }
  return { value, gradient, information }
}

function inverseOf(matrix: readonly (readonly number[])[]): number[][] {
  using _scope = tensorScope()
  using _noGrad = noGrad()
  const { length } = matrix
  const found = inverse(tensor(Float64Array.from(matrix.flat()), [length, length]))[0].toArray()
  return matrix.map((_, p) => found.slice(p * length, (p + 1) * length))
}

const times = (matrix: readonly (readonly number[])[], vector: readonly number[]) =>
  matrix.map((row) => row.reduce((sum, one, q) => sum + one * vector[q], 0))
