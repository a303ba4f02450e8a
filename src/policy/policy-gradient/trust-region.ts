/** How far one update may follow an advantage. */
import { where } from '../../tensor/create.ts'
import type { Tensor } from '../../tensor/tensor.ts'

/** The log of the ratio is held in ±this before exp: far beyond any clip range, and safe in float32. */
const mostLogRatio = 20
/** Second bound (dual clip, Ye et al. 2020): a negative advantage counts at most this many times. */
const mostNegativeRatio = 3

/**
 * The surrogate whose gradient at θ = θ_old is −A ∇log p_θ: −min(ρA, clip(ρ)A) with ρ = exp(Δ), and for A < 0 not below
 * the second bound.
 *
 * @param delta     Δ = log p_θ − log p_old, summed, nats [B]
 * @param advantage A [B]
 * @param clipRange nats
 * @returns         [B]
 * @see Schulman et al. 2017 (PPO, arXiv:1707.06347), Eq. 7; Ye et al. 2020 (arXiv:1912.09729), Eq. 5
 */
export function clippedSurrogate(delta: Tensor, advantage: Tensor, clipRange: number): Tensor {
  const bounded = delta.clamp(-mostLogRatio, mostLogRatio)
  const objective = bounded.exp().mul(advantage).minimum(bounded.clamp(-clipRange, clipRange).exp().mul(advantage))
  const floor = objective.maximum(advantage.mul(mostNegativeRatio))
  return where(advantage.lt(0), floor, objective).neg()
}

/**
 * The public code's bound: −clamp(ρ) A with ρ the ratio of densities per element, and no gradient beyond the bound,
 * whichever way it points.
 *
 * @param delta     Δ = log p_θ − log p_old, summed, nats [B]
 * @param advantage A [B]
 * @param elements  of a state
 * @param clipRange of the ratio per element
 * @returns         [B]
 */
export function clampedPerElement(delta: Tensor, advantage: Tensor, elements: number, clipRange: number): Tensor {
  const ratio = delta.div(elements).exp()
  return ratio
    .clamp(1 - clipRange, 1 + clipRange)
    .mul(advantage)
    .neg()
}
