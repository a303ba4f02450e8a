/** The features in which fidelity is measured: of a network that read attributes off true renders, and no reward uses. */
import { encodeImage } from '../networks/embedded/image-encoder.ts'
import type { Weights } from '../networks/weights.ts'
import type { Tensor } from '../tensor/tensor.ts'

export const featureWidth = 64

/** @param pixels [B, 3, H, W] in [-1, 1] → features [B, 64] */
export function fidelityFeatures(weights: Weights, pixels: Tensor): Tensor {
  return encodeImage(weights.at('image'), pixels, featureWidth).mean(1)
}
