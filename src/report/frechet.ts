/** Fréchet distance between Gaussians fitted to features: how far a set of images is from a set of true ones. */
import { noGrad } from '../tensor/autograd.ts'
import { tensorScope } from '../tensor/scope.ts'
import { operator, type Tensor } from '../tensor/tensor.ts'
import { comparedRows } from './feature-rows.ts'

const eigh = operator<[self: Tensor, uplo?: string], [values: Tensor, vectors: Tensor]>('linalg_eigh')
const eigenvalues = operator<[self: Tensor, uplo?: string], Tensor>('linalg_eigvalsh')

/**
 * ‖μ₁ − μ₂‖² + Tr(Σ₁ + Σ₂ − 2 (Σ₁Σ₂)^½), in float64, where Tr (Σ₁Σ₂)^½ is taken as Tr (Σ₁^½ Σ₂ Σ₁^½)^½: that matrix is
 * symmetric and has no negative eigenvalues but for rounding, which are taken as 0. Covariances divide by n − 1 and may
 * be singular: fewer images than features is fine. The distance falls with the number of images, so compare only
 * distances of equally many.
 *
 * @param features  [n, d], n ≥ 2
 * @param reference [m, d], m ≥ 2
 * @returns         in squared units of the features, ≥ 0
 * @throws {ShapeError} fewer than two rows, or features of another width
 * @throws {DivergenceError} a feature is NaN or infinite
 * @see Dowson & Landau 1982; Heusel et al. 2017 (FID, arXiv:1706.08500), Eq. 6
 */
export function frechetDistance(features: Tensor, reference: Tensor): number {
  using _scope = tensorScope()
  using _noGrad = noGrad()
  const [left, right] = comparedRows('frechetDistance', features, reference, 2).map(fitGaussian)
  const apart = left.mean.sub(right.mean).square().sum().item()
  const [values, vectors] = eigh(left.covariance)
  const root = vectors.mul(values.clamp(0).sqrt()).matmul(vectors.transpose(0, 1)) // Σ₁^½
  const between = root.matmul(right.covariance).matmul(root)
  const shared = eigenvalues(between.add(between.transpose(0, 1)).mul(0.5))
    .clamp(0)
    .sqrt()
    .sum()
    .item()
  const distance = apart + values.sum().item() + eigenvalues(right.covariance).sum().item() - 2 * shared
  return Math.max(0, distance)
}

/** Tr Σ of features [n, d]: their total variance. */
export function totalVariance(features: Tensor): number {
  using _scope = tensorScope()
  return features.to('float64').variance(0).sum().item()
}

/** Mean [d] and covariance [d, d] of rows [n, d]. */
function fitGaussian(rows: Tensor): { mean: Tensor; covariance: Tensor } {
  const mean = rows.mean(0)
  const centred = rows.sub(mean)
  return {
    mean,
    covariance: centred
      .transpose(0, 1)
      .matmul(centred)
      .div(rows.shape[0] - 1),
  }
}
