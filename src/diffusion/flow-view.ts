/**
 * Diffusion seen as flow matching. Both add noise to an image along a Gaussian path; at the same ratio of signal and noise
 * their states differ by a scale alone, so a network of the one predicts for the other (Kingma & Gao 2023,
 * arXiv:2303.00848; Gao et al. 2024, "Diffusion meets flow matching"):
 *
 *   σ = √(1 − ᾱ) / (√ᾱ + √(1 − ᾱ)),   x_σ = xₜ / (√ᾱ + √(1 − ᾱ)),   v = ε̂ − x̂₀.
 *
 * An Euler step of the flow's ODE is then a step of DDIM at η = 0.
 */
import { tensor } from '../tensor/create.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { FlowMatching } from './flow-matching.ts'
import { alongBatch } from './per-sample.ts'
import { toX0AndEpsilon } from './prediction.ts'
import type { VariancePreserving } from './variance-preserving.ts'

const trainSteps = 1000

export class FlowView {
  readonly process: FlowMatching
  readonly #diffusion: VariancePreserving
  /** log(ᾱ/(1 − ᾱ)) of whole times, falling. */
  readonly #logRatios: readonly number[]

  /** The sampling times of the flow are those of the diffusion. */
  constructor(diffusion: VariancePreserving) {
    const { alphaBar } = diffusion.schedule
    this.#diffusion = diffusion
    this.#logRatios = Array.from(alphaBar, logRatio)
    this.process = new FlowMatching({
      sigmas: (steps) => diffusion.timesteps(steps).map((t) => sigmaOf(alphaBar[t])),
      finalSigma: sigmaOf(diffusion.finalAlphaBar),
      trainSteps,
    })
  }

  /**
   * The velocity from what a network of the diffusion says. Differentiable.
   * @param xt      x_σ [B, …]
   * @param t       times of the flow, [B]
   * @param predict the network: states of the diffusion [B, …] and their times, float32 [B], between whole ones where need be
   * @returns       v [B, …]
   */
  velocity(xt: Tensor, t: Tensor, predict: (xt: Tensor, t: Tensor) => Tensor): Tensor {
    const sigmas = t.toArray().map((time) => time / trainSteps)
    const along = (of: (sigma: number) => number) => tensor(Float64Array.from(sigmas, of))
    const alphaBar = along(alphaBarOf)
    const scaled = xt.div(
      alongBatch(
        'scale',
        along((sigma) => Math.hypot(sigma, 1 - sigma)),
        xt,
      ),
    )
    const times = tensor(sigmas.map((sigma) => this.#timeOf(alphaBarOf(sigma)))).to(xt.device)
    const { x0, epsilon } = toX0AndEpsilon(predict(scaled, times), scaled, alphaBar, this.#diffusion.predictionType)
    return epsilon.sub(x0)
  }

  /** The time of a ratio, between its two neighbours; beyond the trained times the nearest of them. */
  #timeOf(alphaBar: number): number {
    const ratios = this.#logRatios
    const wanted = logRatio(alphaBar)
    const next = ratios.findIndex((ratio) => ratio <= wanted)
    if (next < 0) return ratios.length - 1
    if (next === 0) return 0
    return next - (wanted - ratios[next]) / (ratios[next - 1] - ratios[next])
  }
}

const logRatio = (alphaBar: number) => Math.log(alphaBar / (1 - alphaBar))
const sigmaOf = (alphaBar: number) => Math.sqrt(1 - alphaBar) / (Math.sqrt(alphaBar) + Math.sqrt(1 - alphaBar))
const alphaBarOf = (sigma: number) => (1 - sigma) ** 2 / ((1 - sigma) ** 2 + sigma ** 2)
