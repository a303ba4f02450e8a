/**
 * A small head on frozen image and text embeddings. It starts as the CLIP score and learns which parts of the two
 * embeddings must agree: a product of projections, then an MLP. (The head of Lee et al., mlp-head.ts, has to find the
 * agreement itself.)
 */
import type { Weights } from '../../networks/weights.ts'
import { cat } from '../../tensor/create.ts'
import { layerNorm } from '../../tensor/functional.ts'
import type { Tensor } from '../../tensor/tensor.ts'

const projected = 256
const hidden = 128
/** Logit per unit of cosine similarity at the start. */
const initialScale = 6

function agreement(weights: Weights, image: Tensor, text: Tensor): { product: Tensor; mixed: Tensor } {
  const [, width] = image.shape
  const product = image.mul(text).mul(Math.sqrt(width))
  const mixed = layerNorm(
    weights.linear('image', image, width, projected).mul(weights.linear('text', text, width, projected)),
    weights.parameter('norm.weight', [projected], 'ones'),
    weights.parameter('norm.bias', [projected], 'zeros'),
  )
  return { product, mixed }
}

/**
 * The agreement of image and text that the score is computed from.
 * @param image unit vectors [B, d]
 * @param text  unit vectors [B, d]
 * @returns     [B, d + 256]
 */
export function agreementFeatures(weights: Weights, image: Tensor, text: Tensor): Tensor {
  const { product, mixed } = agreement(weights, image, text)
  return cat([product, mixed], 1)
}

/**
 * @param image unit vectors [B, d]
 * @param text  unit vectors [B, d]
 * @returns     logit of the reward [B]
 */
export function agreementLogit(weights: Weights, image: Tensor, text: Tensor): Tensor {
  const [, width] = image.shape
  const { product, mixed } = agreement(weights, image, text)
  const similarity = product.sum(1).mul(1 / Math.sqrt(width))
  const scale = weights.parameter('scale', [1], 'ones')
  const offset = weights.parameter('offset', [1], 'zeros')
  const correction = weights.linear(
    'out',
    weights.linear('hidden', cat([mixed, image.mul(Math.sqrt(width))], 1), projected + width, hidden).gelu(),
    hidden,
    1,
    0,
  )
  return similarity.sub(0.5).mul(scale.mul(initialScale)).add(offset).add(correction.squeeze(1))
}
