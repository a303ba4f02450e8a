/**
 * The sampler DDIM(η) as numbers: for each step from time t to the next the Gaussian N(μ, σ²I) over xₜ₋₁
 * (Song et al. 2021, DDIM, arXiv:2010.02502, Eqs. 12 and 16):
 *
 *   σ = η √((1 − ᾱ₋)/(1 − ᾱ)) √(1 − ᾱ/ᾱ₋)
 *   μ = √ᾱ₋ x̂₀ + √(1 − ᾱ₋ − σ²) ε̂
 *
 * with ᾱ₋ the ᾱ of the next time. η = 1 is the ancestral sampler of DDPM (the posterior variance β̃), η = 0 is
 * deterministic. All in float64.
 *
 * Samplers of models that were made for it clamp x̂₀ to ±clipSample and leave ε̂ as it was predicted (diffusers' DDIM
 * without `use_clipped_model_output`). The step stays a Gaussian of the same σ.
 */
import type { SamplerStep } from './process.ts'
import type { PredictionType } from './schedule.ts'

/**
 * One step. μ is linear in what the network says: μ = meanPerState · xₜ + meanPerPrediction · prediction. In a sampler
 * with `clipSample` that is so element by element, where |x̂₀| ≤ clipSample.
 */
export interface DdimStep extends SamplerStep {
  readonly alphaBar: number
  readonly alphaBarPrev: number
  readonly sigma: number
  /** √(1 − ᾱ₋ − σ²), the share of ε̂ in μ. */
  readonly direction: number
  /** dμ/dxₜ at a fixed prediction. */
  readonly meanPerState: number
  /** dμ/d(prediction) at fixed xₜ. */
  readonly meanPerPrediction: number
}

/** The step from a time of ᾱ to one of ᾱ₋. */
export function ddimStep(
  index: number,
  t: number,
  alphaBar: number,
  alphaBarPrev: number,
  eta: number,
  type: PredictionType,
): DdimStep {
  const sigma = eta * Math.sqrt(((1 - alphaBarPrev) / (1 - alphaBar)) * (1 - alphaBar / alphaBarPrev))
  const signal = Math.sqrt(alphaBar)
  const noise = Math.sqrt(1 - alphaBar)
  const signalPrev = Math.sqrt(alphaBarPrev)
  const direction = Math.sqrt(Math.max(0, 1 - alphaBarPrev - sigma * sigma))
  const meanPerEpsilon = direction - (signalPrev * noise) / signal
  const byType = {
    epsilon: { meanPerState: signalPrev / signal, meanPerPrediction: meanPerEpsilon },
    v: {
      meanPerState: signalPrev * signal + direction * noise,
      meanPerPrediction: direction * signal - signalPrev * noise,
    },
    x0: { meanPerState: direction / noise, meanPerPrediction: signalPrev - (direction * signal) / noise },
  }
  return Object.freeze({
    index,
    t,
    alphaBar,
    alphaBarPrev,
    sigma,
    direction,
    stochastic: sigma > 0,
    ...byType[type],
  })
}
