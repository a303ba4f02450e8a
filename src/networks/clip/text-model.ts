/** CLIP's text tower, as transformers' CLIPTextModel and CLIPTextModelWithProjection. */
import { embedding } from '../../tensor/functional.ts'
import { tensorScope } from '../../tensor/scope.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import type { Weights } from '../weights.ts'
import type { TextConfig } from './config.ts'
import { transformerLayers } from './transformer.ts'

export interface EncodedTokens {
  /** After the last layer and the final norm, [B, length, width]. */
  readonly last: Tensor
  /** Before the last layer, without the final norm: `hidden_states[-2]`, [B, length, width]. */
  readonly penultimate: Tensor
  /** The row of `last` at the end token, [B, width]. */
  readonly pooled: Tensor
}

/** In older files, and no parameters: positions that are counted anyway. */
export const textBuffers: readonly string[] = ['text_model.embeddings.position_ids']

/** The published name of a text encoder's parameter: transformers 5 writes those of a CLIPTextModel without prefix. */
export function publishedTextKey(key: string): string {
  return /^(embeddings|encoder|final_layer_norm)\./.test(key) ? `text_model.${key}` : key
}

/**
 * @param weights whose parameters are named `text_model.…`
 * @param ids tokens int64 [B, length], on the device of the weights
 */
export function textModel(weights: Weights, config: TextConfig, ids: Tensor): EncodedTokens {
  using scope = tensorScope()
  const { width, vocabulary, length, layers, epsilon } = config
  const tower = weights.at('text_model')
  const tokens = tower.parameter('embeddings.token_embedding.weight', [vocabulary, width], { gain: 1 })
  const positions = tower.parameter('embeddings.position_embedding.weight', [length, width], { gain: 1 })
  const x = embedding(tokens, ids).add(positions)
  const penultimate = transformerLayers(tower, x, config, { to: layers - 1, causal: true })
  const final = transformerLayers(tower, penultimate, config, { from: layers - 1, causal: true })
  const last = tower.layerNorm('final_layer_norm', final, width, epsilon)
  const end = endPositions(ids, config).reshape(-1, 1, 1).expand(-1, 1, width)
  const pooled = last.gather(1, end).squeeze(1)
  return { last: scope.keep(last), penultimate: scope.keep(penultimate), pooled: scope.keep(pooled) }
}

/** Where the text ends, int64 [B]: at the first end token; at 0 where there is none. */
function endPositions(ids: Tensor, { endToken }: TextConfig): Tensor {
  return endToken === undefined ? ids.argmax(1) : ids.eq(endToken).to('int64').argmax(1)
}

/** Pooled states [B, width] into the space that texts share with images: [B, projection]. */
export function projectText(weights: Weights, { width }: TextConfig, projection: number, pooled: Tensor): Tensor {
  return weights.linear('text_projection', pooled, width, projection, 1, false)
}
