/**
 * A diffusion policy whose optimum is known in closed form, for tests of algorithms.
 *
 * The pre-trained chain goes x_T → … → x₀, one number a state: xₜ₋₁ ~ pₜ = N(aₜ xₜ + bₜ, σₜ²). The reward is linear,
 * r = c·x₀. A policy π has transitions of the same σₜ; wanted is the maximum of
 *
 *   J(π) = E_π[r] − β Σₜ E_π[KL(πₜ ‖ pₜ)]
 *
 * over all transitions, x_T being given. By dynamic programming, with J₀(x) = c·x, the value of being in xₜ is
 *
 *   Jₜ(xₜ) = max_π E_π[Jₜ₋₁] − β KL(π ‖ pₜ) = β log E_pₜ[exp(Jₜ₋₁/β)],   reached by π ∝ pₜ exp(Jₜ₋₁/β).
 *
 * Let Jₜ₋₁/β = kₜ₋₁ x + hₜ₋₁. For a Gaussian log E[exp(k x)] = k·mean + k²σ²/2, therefore
 *
 *   kₜ = aₜ kₜ₋₁,   hₜ = hₜ₋₁ + kₜ₋₁ bₜ + kₜ₋₁² σₜ²/2,   k₀ = c/β, h₀ = 0,
 *
 * and π = N(aₜ xₜ + bₜ + σₜ² kₜ₋₁, σₜ²): the same σ, the mean shifted by σₜ² kₜ₋₁, at a KL of σₜ² kₜ₋₁²/2 in every
 * state. The value is β (k_T E[x_T] + h_T).
 *
 * DPOK's Eq. 9 leaves out that a step's KL also depends on earlier actions. Where shifts are constants the KL is the
 * same in every state, so nothing is left out: gradient and optimum agree with those of J.
 *
 * The exact score of Gaussian images makes any sampler such a chain (`chainOfSampler`).
 */
import type { DdimSampler } from './ddim.ts'

/** xₜ₋₁ ~ N(a xₜ + b, sigma²). */
export interface AffineStep {
  readonly a: number
  readonly b: number
  readonly sigma: number
}

export interface GaussianChain {
  /** Pre-trained transitions in the order of sampling: the first leaves x_T, the last reaches x₀. */
  readonly steps: readonly AffineStep[]
  /** Of x_T. */
  readonly start: { readonly mean: number; readonly variance: number }
  /** c: the reward is c·x₀. */
  readonly rewardSlope: number
  /** β, reward per nat. */
  readonly klWeight: number
}

/** The chain of a sampler whose network says slopeₜ·xₜ + offsetₜ, from x_T ~ N(0, 1). */
export function chainOfSampler(
  sampler: DdimSampler,
  prediction: (index: number) => { readonly slope: number; readonly offset: number },
  { rewardSlope, klWeight }: Pick<GaussianChain, 'rewardSlope' | 'klWeight'>,
): GaussianChain {
  const steps = sampler.steps.map(({ index, sigma, meanPerState, meanPerPrediction }) => {
    const { slope, offset } = prediction(index)
    return { a: meanPerState + meanPerPrediction * slope, b: meanPerPrediction * offset, sigma }
  })
  return { steps, start: { mean: 0, variance: 1 }, rewardSlope, klWeight }
}

/** The pre-trained steps with their means shifted by constants, in the order of sampling. */
export function shifted(chain: GaussianChain, shifts: readonly number[]): AffineStep[] {
  return chain.steps.map((step, i) => ({ ...step, b: step.b + shifts[i] }))
}

/** Mean and variance of the states x_T … x₀ under a policy. */
export function stateMoments(
  chain: GaussianChain,
  policy: readonly AffineStep[],
): { readonly mean: number; readonly variance: number }[] {
  const moments = [chain.start]
  for (const { a, b, sigma } of policy) {
    const { mean, variance } = moments[moments.length - 1]
    moments.push({ mean: a * mean + b, variance: a * a * variance + sigma * sigma })
  }
  return moments
}

/** E_π[c·x₀]. */
export function meanReward(chain: GaussianChain, policy: readonly AffineStep[]): number {
  return chain.rewardSlope * stateMoments(chain, policy)[policy.length].mean
}

/** E_π[KL(πₜ ‖ pₜ)] of every step, nats, in the order of sampling; the policy has the σ of the chain. */
export function stepKls(chain: GaussianChain, policy: readonly AffineStep[]): number[] {
  const moments = stateMoments(chain, policy)
  return chain.steps.map(({ a, b, sigma }, i) => {
    const slope = policy[i].a - a
    const square = (slope * moments[i].mean + policy[i].b - b) ** 2 + slope ** 2 * moments[i].variance
    return square === 0 ? 0 : square / (2 * sigma ** 2)
  })
}

/** Σₜ E_π[KL(πₜ ‖ pₜ)], nats. */
export function totalKl(chain: GaussianChain, policy: readonly AffineStep[]): number {
  return stepKls(chain, policy).reduce((sum, kl) => sum + kl, 0)
}

/** J(π) = E_π[r] − β Σ KL. */
export function objective(chain: GaussianChain, policy: readonly AffineStep[]): number {
  return meanReward(chain, policy) - chain.klWeight * totalKl(chain, policy)
}

/** dJ/d(shift) of every step at constant shifts: c Π_{later steps} a − β shift/σ². */
export function shiftGradient(chain: GaussianChain, shifts: readonly number[]): number[] {
  const gradient: number[] = []
  let rewardPerMean = chain.rewardSlope
  for (let i = chain.steps.length - 1; i >= 0; i--) {
    const { a, sigma } = chain.steps[i]
    gradient[i] = rewardPerMean - (shifts[i] === 0 ? 0 : (chain.klWeight * shifts[i]) / sigma ** 2)
    rewardPerMean *= a
  }
  return gradient
}

/** The best policy: its constant shifts, in the order of sampling, its steps, its exact value and KL. */
export function optimum(chain: GaussianChain): {
  readonly shifts: number[]
  readonly policy: AffineStep[]
  readonly value: number
  /** Nats, summed over steps. */
  readonly kl: number
} {
  const shifts: number[] = []
  let k = chain.rewardSlope / chain.klWeight
  let h = 0
  let kl = 0
  for (let i = chain.steps.length - 1; i >= 0; i--) {
    const { a, b, sigma } = chain.steps[i]
    shifts[i] = sigma ** 2 * k
    kl += (sigma * k) ** 2 / 2
    h += k * b + (sigma * k) ** 2 / 2
    k *= a
  }
  return { shifts, policy: shifted(chain, shifts), value: chain.klWeight * (k * chain.start.mean + h), kl }
}
