/**
 * The head of Lee et al. 2023 (arXiv:2302.12192) §4.2 on frozen image and text embeddings: both, one after the other,
 * into 1,024 hidden units, and a scalar from these. What the paper leaves open: the hidden activation (ReLU here) and the
 * bounds of the reward (a sigmoid, as in the public code of DPOK). Embeddings are scaled by √d, to numbers with a mean
 * square of 1: as unit vectors, their differences would reach the hidden units too weakly to be learned in a few epochs.
 */
import type { Weights } from '../../networks/weights.ts'
import { cat } from '../../tensor/create.ts'
import type { Tensor } from '../../tensor/tensor.ts'

const hidden = 1024

/**
 * The hidden units that the score is computed from.
 * @param image unit vectors [B, d]
 * @param text  unit vectors [B, d]
 * @returns     [B, 1024], ≥ 0
 */
export function mlpFeatures(weights: Weights, image: Tensor, text: Tensor): Tensor {
  const [, width] = image.shape
  const both = cat([image, text], 1).mul(Math.sqrt(width))
  return weights.linear('hidden', both, 2 * width, hidden).relu()
}

/**
 * w₂ · relu(W₁ [image; text] √d + b₁) + b₂, near 0 before training. The reward r(x, z) is its sigmoid.
 * @param image unit vectors [B, d]
 * @param text  unit vectors [B, d]
 * @returns     logit of the reward [B]
 * @see Lee et al. 2023 (arXiv:2302.12192), §4.2
 */
export function mlpLogit(weights: Weights, image: Tensor, text: Tensor): Tensor {
  return weights.linear('out', mlpFeatures(weights, image, text), hidden, 1, 0.1).squeeze(1)
}
