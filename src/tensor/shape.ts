import { ShapeError } from '../errors.ts'
import type { Tensor } from './tensor.ts'

/**
 * Checks a shape; a negative size in `expected` stands for any.
 * @throws {ShapeError} naming the tensor
 */
export function expectShape(name: string, tensor: Tensor, expected: readonly number[]): void {
  const shape = tensor.shape
  if (shape.length === expected.length && shape.every((size, i) => expected[i] < 0 || size === expected[i])) return
  throw new ShapeError({
    where: name,
    expected: `shape [${expected.map((size) => (size < 0 ? '…' : size)).join(', ')}]`,
    received: `[${shape.join(', ')}]`,
    remedy: 'reshape or broadcast it before the call',
  })
}
