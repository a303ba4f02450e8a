/** Rows of features, one an image, as measures of fidelity and diversity take them. */
import { DivergenceError, ShapeError } from '../errors.ts'
import { tensor } from '../tensor/create.ts'
import type { Tensor } from '../tensor/tensor.ts'

/**
 * The features in float64.
 *
 * @param features [n, d], n ≥ least
 * @throws {ShapeError} fewer rows, or something else than rows
 * @throws {DivergenceError} a feature is NaN or infinite
 */
export function featureRows(where: string, features: Tensor, least: number): Tensor {
  if (features.shape.length !== 2 || features.shape[0] < least) throw misfit(where, `[n ≥ ${least}, d]`, features)
  const rows = features.to('float64')
  if (Number.isFinite(rows.sum().item())) return rows
  throw new DivergenceError({
    where: `${where} features`,
    expected: 'finite numbers',
    received: 'NaN or infinity',
    remedy: 'check that the policy still draws finite images',
  })
}

/** Both in float64, of one width. @throws {ShapeError | DivergenceError} see {@link featureRows} */
export function comparedRows(where: string, one: Tensor, other: Tensor, least: number): [Tensor, Tensor] {
  const [left, right] = [featureRows(where, one, least), featureRows(where, other, least)]
  if (left.shape[1] !== right.shape[1]) throw misfit(where, `features of one width, ${left.shape[1]}`, other)
  return [left, right]
}

function misfit(where: string, expected: string, features: Tensor): ShapeError {
  return new ShapeError({
    where: `${where} features`,
    expected,
    received: `[${features.shape.join(', ')}]`,
    remedy: 'pass one row of features for each image, of the same network for both sets',
  })
}

/** Rows s, s + n, s + 2n … for s = 0 … n − 1, all of one length: disjoint subsets, each spread over all prompts. */
export function everyNth(rows: Tensor, n: number): Tensor[] {
  const length = Math.floor(rows.shape[0] / n)
  return Array.from({ length: n }, (_, s) => {
    const index = Array.from({ length }, (_, i) => s + i * n)
    return rows.indexSelect(0, tensor(index, [length], 'int64'))
  })
}

/** So many numbers of a matrix are made at once: 32 MiB in float64. */
const mostNumbers = 2 ** 22

/** Consecutive rows, few enough that each with `width` numbers stays small. */
export function rowBlocks(rows: Tensor, width: number): Tensor[] {
  const size = Math.max(1, Math.floor(mostNumbers / Math.max(1, width)))
  const [count] = rows.shape
  return Array.from({ length: Math.ceil(count / size) }, (_, i) =>
    rows.slice(0, i * size, Math.min(count, (i + 1) * size)),
  )
}
