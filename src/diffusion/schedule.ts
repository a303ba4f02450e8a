/**
 * Noise schedules: how much of an image is left at each training time. In the forward process
 * xₜ = √ᾱₜ x₀ + √(1 − ᾱₜ) ε with ε ~ N(0, I), ᾱₜ = Π_{s ≤ t} (1 − βₛ). All in float64.
 *
 * And which training times a sampler visits, from most to least noise: leading, trailing and linspace are those of Lin
 * et al. 2023 (arXiv:2305.08891, table 2) and of diffusers' `timestep_spacing`, with the same rounding.
 *
 * A step goes from one time of the list to the next one. diffusers' DDPM does the same, but its DDIM goes to t − ⌊T/n⌋,
 * which is the next time of leading lists, of trailing ones where n divides T, and never of linspace.
 */
import { ScheduleError } from '../errors.ts'

/** What the network says: the noise, v = √ᾱ ε − √(1 − ᾱ) x₀ (Salimans & Ho 2022, arXiv:2202.00512), or the image. */
export type PredictionType = 'epsilon' | 'v' | 'x0'

/** The noise of a variance-preserving process over its training times, t = 0 … count − 1. */
export interface Schedule {
  /** ᾱₜ for t = 0 … T − 1, strictly decreasing, in [0, 1). */
  readonly alphaBar: Float64Array
  readonly predictionType: PredictionType
}

interface LinearOptions {
  /** T, the number of training times. */
  readonly steps?: number
  /** β of the first time. */
  readonly start?: number
  /** β of the last time. */
  readonly end?: number
  readonly predictionType?: PredictionType
}

/**
 * A schedule from ᾱ itself.
 * @throws {ScheduleError} unless 1 > ᾱ₀ > ᾱ₁ > … ≥ 0
 */
export function scheduleFromAlphaBar({
  alphaBar,
  predictionType = 'epsilon',
}: {
  readonly alphaBar: ArrayLike<number>
  readonly predictionType?: PredictionType
}): Schedule {
  const copy = Float64Array.from(alphaBar)
  const wrong = copy.findIndex((value, t) => !(value >= 0 && value < (t === 0 ? 1 : copy[t - 1])))
  if (copy.length === 0 || wrong >= 0) {
    throw new ScheduleError({
      where: copy.length === 0 ? 'noise schedule' : `noise schedule, ᾱ at time ${wrong}`,
      expected: 'at least one ᾱ, all strictly decreasing within [0, 1)',
      received: copy.length === 0 ? 'none' : `${copy[wrong]}${wrong > 0 ? ` after ${copy[wrong - 1]}` : ''}`,
      remedy: 'give ᾱ in the order of growing noise, or betas in (0, 1]',
    })
  }
  return Object.freeze({ alphaBar: copy, predictionType })
}

/**
 * A schedule from betas: ᾱₜ = Π_{s ≤ t} (1 − βₛ).
 * @throws {ScheduleError} where a β is not in (0, 1]
 */
export function scheduleFromBetas({
  betas,
  predictionType = 'epsilon',
}: {
  readonly betas: ArrayLike<number>
  readonly predictionType?: PredictionType
}): Schedule {
  let product = 1
  const alphaBar = Float64Array.from(betas, (beta) => (product *= 1 - beta))
  return scheduleFromAlphaBar({ alphaBar, predictionType })
}

/** `count` equally spaced numbers from `start` to `end`, both included. */
function evenly(start: number, end: number, count: number): Float64Array {
  return Float64Array.from({ length: count }, (_, i) =>
    count === 1 ? start : start + ((end - start) * i) / (count - 1),
  )
}

/** β grows linearly (Ho et al. 2020, DDPM, arXiv:2006.11239, sec. 4). */
export function linearSchedule({
  steps = 1000,
  start = 1e-4,
  end = 0.02,
  predictionType = 'epsilon',
}: LinearOptions = {}): Schedule {
  return scheduleFromBetas({ betas: evenly(start, end, steps), predictionType })
}

/** √β grows linearly: the schedule of Stable Diffusion (Rombach et al. 2022, arXiv:2112.10752). */
export function scaledLinearSchedule({
  steps = 1000,
  start = 0.00085,
  end = 0.012,
  predictionType = 'epsilon',
}: LinearOptions = {}): Schedule {
  const roots = evenly(Math.sqrt(start), Math.sqrt(end), steps)
  return scheduleFromBetas({ betas: roots.map((root) => root * root), predictionType })
}

/**
 * βₜ = min(1 − f(t + 1)/f(t), maxBeta) with f(t) = cos²((t/T + s)/(1 + s) · π/2), s = .008
 * (Nichol & Dhariwal 2021, arXiv:2102.09672, Eq. 17).
 */
export function cosineSchedule({
  steps = 1000,
  predictionType = 'epsilon',
  maxBeta = 0.999,
}: {
  readonly steps?: number
  readonly predictionType?: PredictionType
  readonly maxBeta?: number
} = {}): Schedule {
  const f = (t: number): number => Math.cos(((t / steps + 0.008) / 1.008) * (Math.PI / 2)) ** 2
  const betas = Float64Array.from({ length: steps }, (_, t) => Math.min(1 - f(t + 1) / f(t), maxBeta))
  return scheduleFromBetas({ betas, predictionType })
}

/**
 * The schedule shifted and scaled so that nothing of the image is left at the last time, ᾱ_T = 0, and ᾱ₀ stays:
 * √ᾱ ← (√ᾱ − √ᾱ_T) √ᾱ₀ / (√ᾱ₀ − √ᾱ_T).
 *
 * @throws {ScheduleError} a schedule of one time
 * @see Lin et al. 2023 (arXiv:2305.08891), Algorithm 1
 */
export function zeroTerminalSnr({ alphaBar, predictionType }: Schedule): Schedule {
  const roots = alphaBar.map(Math.sqrt)
  const [first, last] = [roots[0], roots[roots.length - 1]]
  return scheduleFromAlphaBar({
    alphaBar: roots.map((root) => (((root - last) * first) / (first - last)) ** 2),
    predictionType,
  })
}

/** Halves go to the even neighbour, as in NumPy. */
function roundHalfEven(x: number): number {
  const low = Math.floor(x)
  return x - low === 0.5 ? low + (low % 2) : Math.round(x)
}

/**
 * Checks times from most to least noise.
 * @throws {ScheduleError} unless they are whole, strictly decreasing and in [0, trainSteps)
 */
export function expectTimesteps(timesteps: readonly number[], trainSteps: number): void {
  const wrong = timesteps.findIndex(
    (t, i) => !(Number.isInteger(t) && t >= 0 && t < (i === 0 ? trainSteps : timesteps[i - 1])),
  )
  if (timesteps.length > 0 && wrong < 0) return
  throw new ScheduleError({
    where: timesteps.length === 0 ? 'sampling times' : `sampling time ${wrong}`,
    expected: `at least one time, all whole, strictly decreasing and below ${trainSteps}`,
    received: timesteps.length === 0 ? 'none' : `[${timesteps.slice(Math.max(0, wrong - 1), wrong + 1).join(', ')}]`,
    remedy: 'sample with fewer steps, but at least one',
  })
}

function checked(timesteps: number[], trainSteps: number): number[] {
  expectTimesteps(timesteps, trainSteps)
  return timesteps
}

/** Every ⌊T/n⌋-th time, counted from the least noise, plus an offset (Stable Diffusion: 1). */
export function leadingTimesteps(trainSteps: number, steps: number, offset = 0): number[] {
  const stride = Math.floor(trainSteps / steps)
  return checked(
    Array.from({ length: steps }, (_, i) => (steps - 1 - i) * stride + offset),
    trainSteps,
  )
}

/** T − i·T/n, less one: begins at the last training time. */
export function trailingTimesteps(trainSteps: number, steps: number): number[] {
  return checked(
    Array.from({ length: steps }, (_, i) => roundHalfEven(trainSteps - (i * trainSteps) / steps) - 1),
    trainSteps,
  )
}

/**
 * n of the `distilled` times ⌊T/distilled⌋ · k − 1 on which a consistency model was distilled, from the last on: every
 * (distilled/n)-th, rounded down. As diffusers' LCMScheduler (Luo et al. 2023, arXiv:2310.04378).
 */
export function consistencyTimesteps(trainSteps: number, steps: number, distilled: number): number[] {
  const stride = Math.floor(trainSteps / distilled)
  return checked(
    Array.from({ length: steps }, (_, i) => (distilled - Math.floor((i * distilled) / steps)) * stride - 1),
    trainSteps,
  )
}

/** n times from T − 1 to 0, both included. */
export function linspaceTimesteps(trainSteps: number, steps: number): number[] {
  const stride = (trainSteps - 1) / Math.max(1, steps - 1)
  return checked(
    Array.from({ length: steps }, (_, i) => (steps === 1 ? 0 : roundHalfEven((steps - 1 - i) * stride))),
    trainSteps,
  )
}

/**
 * tᵢ = first · (1 − (i/n)^power), rounded: denser at high noise for power > 1. Times that round to the same number move
 * on to the nearest free one.
 */
export function powerTimesteps(trainSteps: number, steps: number, power: number, first: number): number[] {
  const timesteps: number[] = []
  for (let i = 0; i < steps; i++) {
    const wanted = Math.round(first * (1 - (i / steps) ** power))
    timesteps.push(i === 0 ? wanted : Math.max(steps - 1 - i, Math.min(wanted, timesteps[i - 1] - 1)))
  }
  return checked(timesteps, trainSteps)
}
