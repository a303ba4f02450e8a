/**
 * BLIP's text encoder that looks at an image (Li et al. 2022, arXiv:2201.12086, "image-grounded text encoder"): BERT without
 * token types, with attention to the image's states between self-attention and feed-forward in every layer.
 */
import { attention, embedding } from '../../tensor/functional.ts'
import { tensorScope } from '../../tensor/scope.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import type { Weights } from '../weights.ts'
import type { TextSize } from './config.ts'

const epsilon = 1e-12

/** Texts that an encoder takes, on its device. */
export interface TextTokens {
  /** int64 [B, n] */
  readonly ids: Tensor
  /** What is added to logits before a softmax over tokens: 0, and −10⁴ where there is padding. [B, 1, 1, n] */
  readonly mask: Tensor
}

/**
 * The state of the first token after the last layer: what the network makes of text and image together.
 *
 * @param weights of the encoder
 * @param image   states of the image, [B, m, imageWidth]
 * @returns       [B, width]
 */
export function groundedText(
  weights: Weights,
  size: TextSize,
  { ids, mask }: TextTokens,
  image: Tensor,
  imageWidth: number,
): Tensor {
  using scope = tensorScope()
  const { width, layers, hidden, vocabulary, positions } = size
  const embeddings = weights.at('embeddings')
  const words = embeddings.parameter('word_embeddings.weight', [vocabulary, width], { gain: 1 })
  const places = embeddings.parameter('position_embeddings.weight', [positions, width], { gain: 1 })
  const sum = embedding(words, ids).add(places.slice(0, 0, ids.shape[1]))
  let h = embeddings.layerNorm('LayerNorm', sum, width, epsilon)
  for (let i = 0; i < layers; i++) {
    using inner = tensorScope()
    const layer = weights.at(`encoder.layer.${i}`)
    const read = attend(layer.at('attention'), size, h, { states: h, width }, mask)
    const seen = attend(layer.at('crossattention'), size, read, { states: image, width: imageWidth })
    const activated = layer.linear('intermediate.dense', seen, width, hidden).gelu()
    const out = layer.linear('output.dense', activated, hidden, width)
    const next = inner.keep(layer.layerNorm('output.LayerNorm', out.add(seen), width, epsilon))
    h.dispose()
    h = next
  }
  return scope.keep(h.select(1, 0))
}

/** Attention of x [B, n, width] to `to` beside a residual, with the norm after it, as in BERT. */
function attend(
  weights: Weights,
  { width, heads }: TextSize,
  x: Tensor,
  to: { readonly states: Tensor; readonly width: number },
  mask?: Tensor,
): Tensor {
  const [batch, length] = x.shape
  const inHeads = (name: string, of: Tensor, inputs: number) =>
    weights
      .linear(`self.${name}`, of, inputs, width)
      .reshape(batch, of.shape[1], heads, width / heads)
      .transpose(1, 2)
  const q = inHeads('query', x, width)
  const mixed = attention(q, inHeads('key', to.states, to.width), inHeads('value', to.states, to.width), mask)
  const out = weights.linear('output.dense', mixed.transpose(1, 2).reshape(batch, length, width), width, width)
  return weights.layerNorm('output.LayerNorm', out.add(x), width, epsilon)
}
