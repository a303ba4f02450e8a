import { expectShape } from '../tensor/shape.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { expectPerSample } from './per-sample.ts'
import { predictionTarget } from './prediction.ts'
import type { PredictionType } from './schedule.ts'

/** A weight per sample from its ᾱ: [B] → [B]. */
export type NoiseWeighting = (alphaBar: Tensor) => Tensor

/** min(1/(1 − ᾱ), cap): the more of the image is left, the more its error counts, up to `cap`. */
export function cappedInverseNoise(cap: number): NoiseWeighting {
  return (alphaBar) => alphaBar.neg().add(1).pow(-1).clamp(undefined, cap)
}

/**
 * weighting(ᾱ) · mean over elements of (prediction − target)², the target being ε, v or x₀ by prediction type. Pairs
 * with `addNoise`, which makes the network's input. With ε and no weighting: L_simple per sample.
 *
 * @param prediction  [B, …]
 * @param x0          [B, …], latent units
 * @param epsilon     [B, …], the noise that was added
 * @param alphaBar    [B], on any device
 * @returns           [B], averaged over the elements of a sample, never over the batch; the difference is taken in the
 *                    wider element type of prediction and target
 * @throws {ShapeError}
 * @see Ho et al. 2020 (DDPM, arXiv:2006.11239), Eq. 14
 */
export function denoisingLoss({
  prediction,
  x0,
  epsilon,
  alphaBar,
  type,
  weighting,
}: {
  readonly prediction: Tensor
  readonly x0: Tensor
  readonly epsilon: Tensor
  readonly alphaBar: Tensor
  readonly type: PredictionType
  readonly weighting?: NoiseWeighting
}): Tensor {
  expectShape('x0', x0, prediction.shape)
  expectShape('epsilon', epsilon, prediction.shape)
  expectPerSample('alphaBar', alphaBar, prediction)
  const loss = prediction
    .sub(predictionTarget(x0, epsilon, alphaBar, type))
    .square()
    .flatten(1)
    .mean(1)
  return weighting === undefined ? loss : loss.mul(weighting(alphaBar).to(loss.dtype).to(loss.device))
}
