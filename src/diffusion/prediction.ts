/**
 * The three ways to say what noise is in an image, and the noising itself. Everywhere: images, noise and predictions
 * [B, …] in latent units on one device, ᾱ [B] in [0, 1) on any. What is computed has the wider element type of images
 * and prediction: from float32 images and a bfloat16 prediction float32, as good as the eight bits of the prediction. A
 * prediction that is itself what is asked for is returned as it is.
 */
import { expectShape } from '../tensor/shape.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { alongBatch } from './per-sample.ts'
import type { PredictionType } from './schedule.ts'

/** √ᾱ and √(1 − ᾱ), the root taken before the element type of `like` is taken on. */
function amplitudes(alphaBar: Tensor, like: Tensor): { signal: Tensor; noise: Tensor } {
  return {
    signal: alongBatch('alphaBar', alphaBar.sqrt(), like),
    noise: alongBatch('alphaBar', alphaBar.neg().add(1).sqrt(), like),
  }
}

/**
 * xₜ = √ᾱ x₀ + √(1 − ᾱ) ε
 * @returns [B, …]
 * @throws {ShapeError}
 * @see Ho et al. 2020 (DDPM, arXiv:2006.11239), Eq. 4
 */
export function addNoise(x0: Tensor, epsilon: Tensor, alphaBar: Tensor): Tensor {
  expectShape('epsilon', epsilon, x0.shape)
  const { signal, noise } = amplitudes(alphaBar, x0)
  return signal.mul(x0).add(noise.mul(epsilon))
}

/**
 * v = √ᾱ ε − √(1 − ᾱ) x₀
 * @returns [B, …]
 * @throws {ShapeError}
 * @see Salimans & Ho 2022 (arXiv:2202.00512), App. D
 */
export function velocityTarget(x0: Tensor, epsilon: Tensor, alphaBar: Tensor): Tensor {
  expectShape('epsilon', epsilon, x0.shape)
  const { signal, noise } = amplitudes(alphaBar, x0)
  return signal.mul(epsilon).sub(noise.mul(x0))
}

/**
 * What a network of this type should say.
 * @returns [B, …]
 * @throws {ShapeError}
 */
export function predictionTarget(x0: Tensor, epsilon: Tensor, alphaBar: Tensor, type: PredictionType): Tensor {
  switch (type) {
    case 'epsilon':
      return epsilon
    case 'x0':
      return x0
    case 'v':
      return velocityTarget(x0, epsilon, alphaBar)
  }
}

/**
 * The image and the noise that a prediction stands for; together they give xₜ back. Differentiable. ε-prediction needs
 * ᾱ > 0.
 * @throws {ShapeError}
 */
export function toX0AndEpsilon(
  prediction: Tensor,
  xt: Tensor,
  alphaBar: Tensor,
  type: PredictionType,
): { x0: Tensor; epsilon: Tensor } {
  expectShape('prediction', prediction, xt.shape)
  const { signal, noise } = amplitudes(alphaBar, xt)
  switch (type) {
    case 'epsilon':
      return { x0: xt.sub(noise.mul(prediction)).div(signal), epsilon: prediction }
    case 'x0':
      return { x0: prediction, epsilon: xt.sub(signal.mul(prediction)).div(noise) }
    case 'v':
      return {
        x0: signal.mul(xt).sub(noise.mul(prediction)),
        epsilon: noise.mul(xt).add(signal.mul(prediction)),
      }
  }
}

/** |∂x̂₀/∂prediction| of {@link toX0AndEpsilon}: √((1 − ᾱ)/ᾱ) of ε, 1 of x₀, √(1 − ᾱ) of v; [B]. */
export function imagePerPrediction(alphaBar: Tensor, type: PredictionType): Tensor {
  const noise = alphaBar.neg().add(1).sqrt()
  switch (type) {
    case 'epsilon':
      return noise.div(alphaBar.sqrt())
    case 'x0':
      return noise.mul(0).add(1)
    case 'v':
      return noise
  }
}
