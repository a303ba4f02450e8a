/** Kernel distance (KID): how far two sets of features are apart, without a bias that the number of images makes. */
import { noGrad } from '../tensor/autograd.ts'
import { tensorScope } from '../tensor/scope.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { comparedRows, rowBlocks } from './feature-rows.ts'

/**
 * Squared maximum mean discrepancy by the kernel k(x, y) = (x·y/d + 1)³, in float64:
 *
 *   Σ_{i≠j} k(xᵢ, xⱼ)/(n(n − 1)) + Σ_{i≠j} k(yᵢ, yⱼ)/(m(m − 1)) − 2 Σ_{i,j} k(xᵢ, yⱼ)/(nm)
 *
 * Its mean over sets that are drawn anew is the distance of the two distributions, so it is below zero as often as above
 * where they are the same. Where xᵢ and yᵢ belong together (an image and its twin), the third sum leaves out i = j, which
 * would make pairs look closer than the distributions are.
 *
 * @param features  x [n, d], n ≥ 2
 * @param reference y [m, d], m ≥ 2
 * @param isPaired  row i of both belongs together; n = m
 * @returns         in the unit of the kernel; memory grows with n + m, not with n·m
 * @throws {ShapeError} fewer than two rows, or features of another width
 * @throws {DivergenceError} a feature is NaN or infinite
 * @see Bińkowski et al. 2018 (arXiv:1801.01401), §4; Gretton et al. 2012, Lemma 6, and Eq. 4 for pairs
 */
export function kernelDistance(features: Tensor, reference: Tensor, { isPaired = false } = {}): number {
  using _scope = tensorScope()
  using _noGrad = noGrad()
  const [x, y] = comparedRows('kernelDistance', features, reference, 2)
  const [n, d] = x.shape
  const [m] = y.shape
  const kernel = (products: Tensor) => products.div(d).add(1).pow(3)
  const all = (left: Tensor, right: Tensor) =>
    rowBlocks(left, right.shape[0])
      .map((block) => {
        using _block = tensorScope()
        return kernel(block.matmul(right.transpose(0, 1)))
          .sum()
          .item()
      })
      .reduce((sum, part) => sum + part, 0)
  const diagonal = (left: Tensor, right: Tensor) => kernel(left.mul(right).sum(1)).sum().item()
  const within = (rows: Tensor, count: number) => (all(rows, rows) - diagonal(rows, rows)) / (count * (count - 1))
  const between = isPaired ? (all(x, y) - diagonal(x, y)) / (n * (n - 1)) : all(x, y) / (n * m)
  return within(x, n) + within(y, m) - 2 * between
}
