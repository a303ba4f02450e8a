/** Numbers that are none, NaN and ±∞, are found before they are written or trained on. */
import { DivergenceError } from '../errors.ts'
import { noGrad } from './autograd.ts'
import { readTogether } from './read-together.ts'
import { tensorScope } from './scope.ts'
import { operator, type Tensor } from './tensor.ts'

const norms = operator<[tensors: readonly Tensor[], order: number], Tensor[]>('_foreach_norm', 'Scalar')

/**
 * The largest absolute value of each of some tensors of one device and one type of floating point, read at once.
 * @returns [tensors], float64 on the CPU; ∞ and NaN where a tensor holds one, 0 for an empty one
 */
export function largestValues(tensors: readonly Tensor[]): number[] {
  using _scope = tensorScope()
  using _noGrad = noGrad()
  const filled = tensors.filter(({ numel }) => numel > 0)
  const largest = filled.length === 0 ? [] : readTogether(norms(filled, Infinity)).flat()
  return tensors.map(({ numel }) => (numel === 0 ? 0 : largest.shift()!))
}

/**
 * @param where what they are: `policy`, a file's name
 * @throws {DivergenceError} names the first tensor with a number that is not finite
 */
export function expectFinite(
  where: string,
  tensors: ReadonlyMap<string, Tensor>,
  remedy = 'nothing was written',
): void {
  const floats = [...tensors].filter(([, { dtype }]) => dtype.includes('float'))
  const alike = Map.groupBy(floats, ([, { dtype, device }]) => `${dtype} ${device}`)
  const largest = new Map(
    [...alike.values()].flatMap((group) => {
      const values = largestValues(group.map(([, one]) => one))
      return group.map(([name], i) => [name, values[i]] as const)
    }),
  )
  for (const [name] of floats) {
    const received = largest.get(name)!
    if (Number.isFinite(received)) continue
    const facts = { where: `${where} ${name}`, expected: 'finite numbers', received: `${received}`, remedy }
    throw new DivergenceError(facts)
  }
}
