/** CLIP's image tower, as transformers' CLIPVisionModel and the image half of CLIPModel. */
import { cat } from '../../tensor/create.ts'
import { conv2d } from '../../tensor/functional.ts'
import { tensorScope } from '../../tensor/scope.ts'
import { expectShape } from '../../tensor/shape.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import type { Weights } from '../weights.ts'
import type { VisionConfig } from './config.ts'
import { transformerLayers } from './transformer.ts'

/** In older files, and no parameters: positions that are counted anyway. */
export const visionBuffers: readonly string[] = ['vision_model.embeddings.position_ids']

/**
 * @param weights whose parameters are named `vision_model.…`
 * @param pixels [B, 3, imageSize, imageSize], normalised, on the device of the weights
 * @returns the state of the class token after the last norm, [B, width]
 * @throws {ShapeError}
 */
export function visionModel(weights: Weights, config: VisionConfig, pixels: Tensor): Tensor {
  using scope = tensorScope()
  const { width, epsilon } = config
  const tower = weights.at('vision_model')
  // transformers' own spelling
  const first = visionStates(tower, config, pixels, 'pre_layrnorm').select(1, 0)
  return scope.keep(tower.layerNorm('post_layernorm', first, width, epsilon))
}

/**
 * The states of the class token and of all patches after the last layer, before the last norm: [B, 1 + patches, width].
 *
 * @param firstNorm the name of the norm before the layers
 * @throws {ShapeError}
 */
export function visionStates(tower: Weights, config: VisionConfig, pixels: Tensor, firstNorm: string): Tensor {
  using scope = tensorScope()
  const { width, patchSize, imageSize, epsilon } = config
  const [batch] = pixels.shape
  expectShape('normalised pixels', pixels, [batch, 3, imageSize, imageSize])
  const embeddings = tower.at('embeddings')
  const kernel = embeddings.parameter('patch_embedding.weight', [width, 3, patchSize, patchSize], { gain: 1 })
  const patches = conv2d(pixels.to(tower.dtype), kernel, undefined, patchSize).flatten(2).transpose(1, 2)
  const start = embeddings.parameter('class_embedding', [width], { gain: 1 }).expand(batch, 1, -1)
  const count = Math.floor(imageSize / patchSize) ** 2 + 1
  const positions = embeddings.parameter('position_embedding.weight', [count, width], { gain: 1 })
  const x = tower.layerNorm(firstNorm, cat([start, patches], 1).add(positions), width, epsilon)
  return scope.keep(transformerLayers(tower, x, config, { causal: false }))
}

/** Pooled states [B, width] into the space that images share with texts: [B, projection]. */
export function projectImage(weights: Weights, { width }: VisionConfig, projection: number, pooled: Tensor): Tensor {
  return weights.linear('visual_projection', pooled, width, projection, 1, false)
}
