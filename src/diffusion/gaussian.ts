/**
 * Densities and divergence of Gaussians with one standard deviation per sample, [B], or one per element, [B, …] as the
 * states; σ > 0 (see `expectStochastic`).
 */
import { expectShape } from '../tensor/shape.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { expectPerSample } from './per-sample.ts'

/**
 * log N(x; mean, σ²I) = −‖x − mean‖² / (2σ²) − D log σ − (D/2) log 2π, D elements a sample.
 *
 * @param x      xₜ₋₁   [B, …], latent units
 * @param mean   μ      [B, …], latent units
 * @param sigma  σ      [B] or [B, …], latent units, > 0
 * @returns      [B], nats, summed over all but the first dimension (never averaged)
 * @throws {ShapeError}
 */
export function gaussianLogDensity(x: Tensor, mean: Tensor, sigma: Tensor): Tensor {
  expectShape('mean', mean, x.shape)
  expectSigma(sigma, x)
  if (isPerElement(sigma, x)) {
    const each = x
      .sub(mean)
      .div(sigma)
      .square()
      .mul(-0.5)
      .sub(sigma.log().add(0.5 * Math.log(2 * Math.PI)))
    return each.flatten(1).sum(1)
  }
  const elements = x.numel / x.shape[0]
  return x
    .sub(mean)
    .square()
    .flatten(1)
    .sum(1)
    .div(sigma.square().mul(-2))
    .sub(
      sigma
        .log()
        .add(0.5 * Math.log(2 * Math.PI))
        .mul(elements),
    )
}

/**
 * `gaussianLogDensity` divided by the number of elements of a sample: what the public code of DDPO and DPOK calls
 * log-probability. Not a log-density of the action; ratios of it are the D-th root of the true ratio.
 *
 * @returns [B], nats per element
 * @throws {ShapeError}
 */
export function gaussianLogDensityPerElement(x: Tensor, mean: Tensor, sigma: Tensor): Tensor {
  return gaussianLogDensity(x, mean, sigma).div(x.numel / x.shape[0])
}

/**
 * KL divergence between two Gaussians that share one standard deviation:
 * KL(N(mean, σ²I) ‖ N(reference, σ²I)) = ‖mean − reference‖² / (2σ²).
 *
 * @param mean       μ_θ    [B, …], latent units
 * @param reference  μ_pre  [B, …], latent units
 * @param sigma      σ_t    [B], latent units, > 0
 * @returns          [B], nats, summed over all but the first dimension (never averaged)
 * @throws {ShapeError}
 * @see Fan et al. 2023 (DPOK, arXiv:2305.16381), Lemma 4.2
 */
export function gaussianKl(mean: Tensor, reference: Tensor, sigma: Tensor): Tensor {
  expectShape('reference', reference, mean.shape)
  expectSigma(sigma, mean)
  const shift = mean.sub(reference)
  if (isPerElement(sigma, mean)) return shift.div(sigma).square().mul(0.5).flatten(1).sum(1)
  return shift.square().flatten(1).sum(1).div(sigma.square().mul(2))
}

/**
 * log N(x; mean, σ²I) − log N(x; old, σ²I) = (⟨x − old, mean − old⟩ − ‖mean − old‖²/2) / σ².
 *
 * The same as the difference of two `gaussianLogDensity`, without cancelling two large sums: it is 0 where the means are
 * equal, at any number of elements.
 *
 * @param x      xₜ₋₁   [B, …], latent units
 * @param mean   μ_θ    [B, …], latent units
 * @param old    μ_old  [B, …], latent units
 * @param sigma  σ      [B] or [B, …], latent units, > 0
 * @returns      [B], nats, summed over all but the first dimension
 * @throws {ShapeError}
 */
export function logDensityDifference(x: Tensor, mean: Tensor, old: Tensor, sigma: Tensor): Tensor {
  expectShape('mean', mean, x.shape)
  expectShape('old', old, x.shape)
  expectSigma(sigma, x)
  const shift = mean.sub(old)
  const each = shift.mul(x.sub(old).sub(shift.mul(0.5)))
  if (isPerElement(sigma, x)) return each.div(sigma.square()).flatten(1).sum(1)
  return each.flatten(1).sum(1).div(sigma.square())
}

const isPerElement = (sigma: Tensor, x: Tensor) => sigma.shape.length > 1 && sigma.shape.length === x.shape.length

/** @throws {ShapeError} neither one number a sample nor one an element */
function expectSigma(sigma: Tensor, x: Tensor): void {
  if (isPerElement(sigma, x)) expectShape('sigma', sigma, x.shape)
  else expectPerSample('sigma', sigma, x)
}
