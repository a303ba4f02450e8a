/** How far an update may follow an advantage where a matching loss stands for a log-density. */
import type { Tensor } from '../tensor/tensor.ts'

/** The log of the ratio is held in ±this before exp: far beyond any clip range, and safe in float32. */
const mostLogRatio = 20

/**
 * −min(ρA, clip(ρ, 1 ± c)A) with ρ = exp(L_old − L_θ): minus the denoising loss takes the place of log p, and at θ = θ_old the
 * gradient is A ∇L_θ.
 *
 * @param losses    L_θ, [B]
 * @param old       L_old at the same times and noises, [B]
 * @param advantage A, [B]
 * @param clipRange c; at 1 only good images that have become twice as likely teach nothing more
 * @returns         [B]
 * @see Xue et al. 2025 (Advantage Weighted Matching, arXiv:2509.25050), with the clip of its code
 */
export function matchingSurrogate(losses: Tensor, old: Tensor, advantage: Tensor, clipRange: number): Tensor {
  const ratio = old.sub(losses).clamp(-mostLogRatio, mostLogRatio).exp()
  const clipped = ratio.clamp(1 - clipRange, 1 + clipRange)
  return ratio.mul(advantage).minimum(clipped.mul(advantage)).neg()
}
