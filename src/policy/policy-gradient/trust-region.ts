/** How far one update may follow an advantage. */
import { alongBatch } from '../../diffusion/per-sample.ts'
import { where, zeros } from '../../tensor/create.ts'
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

/**
 * The log of GRPO-Guard's normalised ratio: ⟨x − μ_old, μ_θ − μ_old⟩/σ = σ (Δ + KL_step), which is Σ ε · Δμ. Under the policy
 * that drew its mean is 0, where that of Δ is −KL_step, and a change of μ counts the same at every step, whatever its noise.
 *
 * @param x     x_{t−1} [B, …], latent units
 * @param mean  μ_θ     [B, …], latent units
 * @param old   μ_old   [B, …], latent units
 * @param sigma σ       [B] or [B, …], latent units, > 0
 * @returns     [B], latent units, summed over elements; the published one is this divided by their number
 * @see Wang et al. 2025 (GRPO-Guard, arXiv:2510.22319)
 */
export function normalisedLogRatio(x: Tensor, mean: Tensor, old: Tensor, sigma: Tensor): Tensor {
  const along = sigma.shape.length > 1 ? sigma : alongBatch('sigma', sigma, x)
  return x.sub(old).div(along).mul(mean.sub(old)).flatten(1).sum(1)
}

/**
 * Terms that have gone far enough: their step-KL is above the bound, and what they ask for would lead further away, since a
 * good action is likelier already, or a bad one less likely.
 *
 * @param delta     Δ = log p_θ − log p_old, summed, nats [B]
 * @param advantage A [B]
 * @param kl        KL(p_old ‖ p_θ) of the step, summed, nats [B]
 * @param bound     nats
 * @returns         bool [B]
 * @see Flow-DPPO
 */
export function divergenceMask(delta: Tensor, advantage: Tensor, kl: Tensor, bound: number): Tensor {
  return where(kl.gt(bound), delta.mul(advantage), zeros(delta.shape, delta.dtype, delta.device)).gt(0)
}

/**
 * −ρA with ρ = exp(Δ), not at all bounded but for the second bound of {@link clippedSurrogate}; terms under the mask are 0.
 *
 * @param delta     Δ = log p_θ − log p_old, summed, nats [B]
 * @param advantage A [B]
 * @param mask      bool [B]
 * @returns         [B]
 */
export function maskedSurrogate(delta: Tensor, advantage: Tensor, mask: Tensor): Tensor {
  const term = clippedSurrogate(delta, advantage, mostLogRatio)
  return where(mask, zeros(term.shape, term.dtype, term.device), term)
}
