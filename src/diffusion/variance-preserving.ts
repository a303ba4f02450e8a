/**
 * Variance-preserving diffusion as a noise process: xₜ = √ᾱₜ x₀ + √(1 − ᾱₜ) ε at whole times (Ho et al. 2020, DDPM,
 * arXiv:2006.11239), sampled by DDIM(η).
 */
import { randint, tensor } from '../tensor/create.ts'
import type { Generator } from '../tensor/generator.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { ddimSampler, type DdimSampler } from './ddim.ts'
import { addNoise, imagePerPrediction, predictionTarget } from './prediction.ts'
import type { NoiseProcess, SamplerOptions } from './process.ts'
import type { PredictionType, Schedule } from './schedule.ts'

/** A weight per sample from its ᾱ: [B] → [B]. */
export type NoiseWeighting = (alphaBar: Tensor) => Tensor

/** min(1/(1 − ᾱ), cap): the more of the image is left, the more its error counts, up to `cap`. */
export function cappedInverseNoise(cap: number): NoiseWeighting {
  return (alphaBar) => alphaBar.neg().add(1).pow(-1).clamp(undefined, cap)
}

export interface DiffusionSetup {
  readonly schedule: Schedule
  /** Sampling times for a number of steps, from most to least noise. */
  readonly timesteps: (steps: number) => number[]
  /** ᾱ after the last step of sampling; 1, a clean image, without it. */
  readonly finalAlphaBar?: number
  /** Range ±c to which x̂₀ is clamped. */
  readonly clipSample?: number | undefined
  /** Weight of a sample's loss; all count the same without it. */
  readonly weighting?: NoiseWeighting
}

export class VariancePreserving implements NoiseProcess {
  readonly name = 'diffusion'
  readonly schedule: Schedule
  readonly timesteps: (steps: number) => number[]
  readonly finalAlphaBar: number
  readonly clipSample: number | undefined
  readonly #weighting: NoiseWeighting | undefined

  constructor({ schedule, timesteps, finalAlphaBar = 1, clipSample, weighting }: DiffusionSetup) {
    this.schedule = schedule
    this.timesteps = timesteps
    this.finalAlphaBar = finalAlphaBar
    this.clipSample = clipSample
    this.#weighting = weighting
  }

  get predictionType(): PredictionType {
    return this.schedule.predictionType
  }

  drawTimes(count: number, generator: Generator): Tensor {
    return randint(0, this.schedule.alphaBar.length, [count], generator)
  }

  noised(x0: Tensor, epsilon: Tensor, t: Tensor): Tensor {
    return addNoise(x0, epsilon, this.#at(t))
  }

  target(x0: Tensor, epsilon: Tensor, t: Tensor): Tensor {
    return predictionTarget(x0, epsilon, this.#at(t), this.schedule.predictionType)
  }

  weight(t: Tensor): Tensor | undefined {
    return this.#weighting?.(this.#at(t))
  }

  imagePerPrediction(t: Tensor): Tensor {
    return imagePerPrediction(this.#at(t), this.schedule.predictionType)
  }

  sampler({ steps, eta }: SamplerOptions): DdimSampler {
    const { schedule, finalAlphaBar, clipSample } = this
    return ddimSampler(schedule, this.timesteps(steps), { eta, finalAlphaBar, clipSample })
  }

  /** ᾱ at times [B], float32, on the CPU. */
  #at(t: Tensor): Tensor {
    const { alphaBar } = this.schedule
    return tensor(Float32Array.from(t.toArray(), (at) => alphaBar[at]))
  }
}
