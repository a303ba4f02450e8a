/** How good an action was, and how far one update may follow that. */
import { where } from '../tensor/create.ts'
import type { Tensor } from '../tensor/tensor.ts'

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
 * Advantages of every action: A_s = Σ_{k ≥ s} λ^{k−s} (V_{k+1} − V_k), with the reward as the value of the end. λ = 1 is the
 * paper's r − V_s; below 1 an action is credited less for what later noise did, at the price of trusting V.
 *
 * @param rewards N numbers
 * @param values  V of each step's state before its action, [N] a step; without them there is no baseline
 * @returns       N numbers a step; none without values: every action's advantage is then the reward
 * @see Schulman et al. 2016 (arXiv:1506.02438), Eq. 16, without discount and with a reward at the end only
 */
export function advantagesOf(
  rewards: readonly number[],
  values: readonly Tensor[] | undefined,
  lambda: number,
): number[][] {
  if (values === undefined) return []
  const advantages: number[][] = []
  let next: readonly number[] = rewards
  for (const value of values.map((each) => each.toArray()).reverse()) {
    const later = advantages[0]
    advantages.unshift(value.map((v, i) => next[i] - v + lambda * (later?.[i] ?? 0)))
    next = value
  }
  return advantages
}
