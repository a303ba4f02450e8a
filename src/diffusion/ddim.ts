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
import { ScheduleError } from '../errors.ts'
import { expectTimesteps, type PredictionType, type Schedule } from './schedule.ts'

/**
 * One step. μ is linear in what the network says: μ = meanPerState · xₜ + meanPerPrediction · prediction. In a sampler
 * with `clipSample` that is so element by element, where |x̂₀| ≤ clipSample.
 */
export interface Step {
  /** Place in the order of sampling, from 0. */
  readonly index: number
  /** Training time at which the network is asked. */
  readonly t: number
  readonly alphaBar: number
  readonly alphaBarPrev: number
  readonly sigma: number
  /** √(1 − ᾱ₋ − σ²), the share of ε̂ in μ. */
  readonly direction: number
  /** σ > 0. Otherwise the step belongs to the environment: it is sampled, but has no log-density and no KL. */
  readonly stochastic: boolean
  /** dμ/dε̂ at fixed xₜ; −∞ where ᾱ = 0. KL of the step = (dμ/dε̂)² / (2σ²) · ‖ε̂ − ε̂_reference‖². */
  readonly meanPerEpsilon: number
  /** dμ/dxₜ at a fixed prediction. */
  readonly meanPerState: number
  /** dμ/d(prediction) at fixed xₜ. */
  readonly meanPerPrediction: number
}

export interface Sampler {
  readonly steps: readonly Step[]
  readonly predictionType: PredictionType
  readonly eta: number
  /** Range ±c to which x̂₀ is clamped; undefined: it is not. */
  readonly clipSample: number | undefined
}

export interface DdimOptions {
  /** 0 deterministic … 1 DDPM. */
  readonly eta?: number
  /** ᾱ after the last step: 1, a clean image; Stable Diffusion uses ᾱ of time 0, which keeps the last step stochastic. */
  readonly finalAlphaBar?: number
  /** Clamps x̂₀ to ±clipSample, in units of the state. */
  readonly clipSample?: number
}

function step(
  index: number,
  t: number,
  alphaBar: number,
  alphaBarPrev: number,
  eta: number,
  type: PredictionType,
): Step {
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
    meanPerEpsilon,
    ...byType[type],
  })
}

/**
 * The sampler that visits these training times, from most to least noise.
 * @throws {ScheduleError} times not decreasing, η outside [0, 1], a final ᾱ that adds noise, a range to clamp to that is
 * not positive, or ᾱ = 0 with ε-prediction (the network's noise then says nothing about the image)
 */
export function ddimSampler(
  schedule: Schedule,
  timesteps: readonly number[],
  { eta = 1, finalAlphaBar = 1, clipSample }: DdimOptions = {},
): Sampler {
  const { alphaBar, predictionType } = schedule
  expectTimesteps(timesteps, alphaBar.length)
  if (!(eta >= 0 && eta <= 1)) {
    throw new ScheduleError({
      where: 'sampler, η',
      expected: 'a number from 0 (deterministic) to 1 (DDPM)',
      received: String(eta),
      remedy: 'choose η = 1 for a policy',
    })
  }
  const last = alphaBar[timesteps[timesteps.length - 1]]
  if (!(finalAlphaBar >= last && finalAlphaBar <= 1)) {
    throw new ScheduleError({
      where: 'sampler, final ᾱ',
      expected: `a number from ${last} to 1`,
      received: String(finalAlphaBar),
      remedy: 'use 1, or ᾱ of a time before the last sampling time',
    })
  }
  if (clipSample !== undefined && !(clipSample > 0)) {
    throw new ScheduleError({
      where: 'sampler, clipSample',
      expected: 'a number > 0',
      received: String(clipSample),
      remedy: 'leave it out where the predicted image is not clamped',
    })
  }
  if (predictionType === 'epsilon' && alphaBar[timesteps[0]] === 0) {
    throw new ScheduleError({
      where: `sampler, ᾱ at time ${timesteps[0]}`,
      expected: 'ᾱ > 0 with ε-prediction',
      received: '0',
      remedy: 'begin at an earlier time, or use a network with v- or x0-prediction',
    })
  }
  const steps = timesteps.map((t, index) =>
    step(index, t, alphaBar[t], alphaBar[timesteps[index + 1]] ?? finalAlphaBar, eta, predictionType),
  )
  return Object.freeze({ steps: Object.freeze(steps), predictionType, eta, clipSample })
}

/**
 * Checks that the sampler can be a policy: that at least one step is stochastic.
 * @throws {ScheduleError}
 */
export function expectPolicy(sampler: Sampler): void {
  if (sampler.steps.some((step) => step.stochastic)) return
  throw new ScheduleError({
    where: 'policy',
    expected: 'a sampler with at least one stochastic step',
    received: `η = ${sampler.eta} and ${sampler.steps.length} deterministic step${sampler.steps.length === 1 ? '' : 's'}`,
    remedy: 'use η > 0 and at least two steps (the step to ᾱ = 1 is always deterministic)',
  })
}
