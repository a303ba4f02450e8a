/** Affine maps whose weight has a low-rank change, by as few kernels as a GPU needs for them. */
import { linear } from './functional.ts'
import { tensorScope } from './scope.ts'
import { operator, type Tensor } from './tensor.ts'

const addProduct_ = operator<[sum: Tensor, a: Tensor, b: Tensor, beta: number, alpha: number], Tensor>('addmm_')

/**
 * x Wᵀ + b + scale · (x downᵀ) upᵀ: x [.., in], weight [out, in], bias [out], down [rank, in], up [out, rank] → [.., out]. Three
 * products and nothing else: the last one is added as it is computed, so the sum rounds otherwise than that of two results.
 */
export function lowRankLinear(
  x: Tensor,
  weight: Tensor,
  bias: Tensor | undefined,
  { down, up, scale }: { readonly down: Tensor; readonly up: Tensor; readonly scale: number },
): Tensor {
  using scope = tensorScope()
  const [outputs, inputs] = weight.shape
  const rows = x.reshape(-1, inputs)
  const sum = addProduct_(linear(rows, weight, bias), linear(rows, down), up.transpose(0, 1), 1, scale)
  return scope.keep(sum.reshape(...x.shape.slice(0, -1), outputs))
}
