/** The loss of DiffusionNFT: images that are better than others draw a policy to them, worse ones push it away. */
import { expectShape } from '../tensor/shape.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { mostAdvantage } from './group-advantages.ts'

/** An error below this is no measure of how far away an image is. */
const leastError = 1e-5

/**
 * How likely an image is to be optimal: r = clip(A/10 + ½, 0, 1), for advantages that are held in ±5.
 *
 * @see Zheng et al. 2025 (DiffusionNFT, arXiv:2509.16117), §3, and its code
 */
export function optimality(advantage: number): number {
  return Math.min(1, Math.max(0, advantage / (2 * mostAdvantage) + 0.5))
}

export interface NftPredictions {
  /** Of the policy, of the old policy, and what is true: all of one type, at the same noisy states, [B, …]. */
  readonly policy: Tensor
  readonly old: Tensor
  readonly target: Tensor
  /** r, [B]. */
  readonly optimality: Tensor
  /** |∂x̂₀/∂prediction|, which makes errors those of the clean image, [B]; see {@link cappedWeight}. */
  readonly weight: Tensor
}

/**
 * (1/β) · [ r · ‖c(p⁺ − y)‖²/w⁺ + (1 − r) · ‖c(p⁻ − y)‖²/w⁻ ],  p⁺ = p_old + β(p_θ − p_old),  p⁻ = p_old − β(p_θ − p_old),
 *
 * with the weight c and w± = mean |c(p± − y)|, which pass no gradient on. A clean image is an affine function of any
 * prediction, so c(p − y) is x̂₀ − x₀ up to its sign, of whatever type the predictions are.
 *
 * The gradient at θ = θ_old is that of −2 (2r − 1) · c ⟨y − p_old, p_θ⟩ / (D mean |p_old − y|), whatever β is; and where all
 * w± are alike the expected loss is least at p_old + (1/β) E[(2r − 1)(y − p_old)], which is p_old + (2/β) Δ of the paper.
 *
 * @returns [B], without a unit; squares and absolute values are means over elements
 * @throws {ShapeError}
 * @see Zheng et al. 2025 (DiffusionNFT, arXiv:2509.16117), §3, with the adaptive weighting of its code
 */
export function nftLosses({ policy, old, target, optimality, weight }: NftPredictions, beta: number): Tensor {
  expectShape('old', old, policy.shape)
  expectShape('target', target, policy.shape)
  expectShape('optimality', optimality, policy.shape.slice(0, 1))
  expectShape('weight', weight, policy.shape.slice(0, 1))
  const step = policy.sub(old).mul(beta)
  const side = (sign: 1 | -1) => {
    const error = old.add(step.mul(sign)).sub(target).flatten(1)
    const size = error.detach().abs().mean(1).mul(weight).clamp(leastError)
    return error.square().mean(1).mul(weight.square()).div(size)
  }
  const worse = optimality.neg().add(1)
  return optimality
    .mul(side(1))
    .add(worse.mul(side(-1)))
    .div(beta)
}

/**
 * |∂x̂₀/∂prediction| up to 1. Of flows, v and x₀ it is never more; of ε it is σ/α, 14.6 at the noisy end of Stable Diffusion
 * 1.5, where an error of a prediction would otherwise outweigh all others.
 */
export const cappedWeight = (imagePerPrediction: Tensor): Tensor => imagePerPrediction.clamp(undefined, 1)
