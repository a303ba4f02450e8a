import { TensorError } from '../errors.ts'
import { expectShape } from '../tensor/shape.ts'
import type { Tensor } from '../tensor/tensor.ts'

/**
 * Classifier-free guidance: unconditional + scale · (conditional − unconditional). Linear, so it is the same for all
 * prediction types. At scale 1 the unconditional branch has no influence and may be left out. Computed in the element type
 * of the predictions: in bfloat16 their difference keeps eight bits, so convert both to float32 first.
 *
 * @param unconditional  [B, …], or undefined at scale 1
 * @param conditional    [B, …]
 * @returns              [B, …]; `conditional` itself at scale 1
 * @throws {ShapeError}
 * @throws {TensorError} where the unconditional branch is needed and missing
 * @see Ho & Salimans 2022 (arXiv:2207.12598), Eq. 6, with scale = 1 + w
 */
export function guide(unconditional: Tensor | undefined, conditional: Tensor, scale: number): Tensor {
  if (unconditional !== undefined) expectShape('unconditional', unconditional, conditional.shape)
  if (scale === 1) return conditional
  if (unconditional === undefined) {
    throw new TensorError({
      where: `guidance at scale ${scale}`,
      expected: 'an unconditional prediction',
      received: 'none',
      remedy: 'predict for the empty prompt as well, or use scale 1',
    })
  }
  return unconditional.add(conditional.sub(unconditional).mul(scale))
}
