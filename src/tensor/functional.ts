/** Neural-network operators of libtorch that take more than one tensor; PyTorch's `torch.nn.functional`. */
import { operator } from './operator.ts'
import type { Tensor } from './tensor.ts'

const linearOf = operator<[Tensor, Tensor, Tensor | undefined], Tensor>('linear')
const conv2dOf = operator<[Tensor, Tensor, Tensor | undefined, number, number], Tensor>('conv2d')
const embeddingOf = operator<[Tensor, Tensor], Tensor>('embedding')
const rmsNormOf = operator<[Tensor, readonly number[], Tensor | undefined, number | undefined], Tensor>('rms_norm')
const groupNormOf = operator<[Tensor, number, Tensor | undefined, Tensor | undefined, number], Tensor>('group_norm')
const layerNormOf = operator<[Tensor, readonly number[], Tensor | undefined, Tensor | undefined, number], Tensor>(
  'layer_norm',
)
const attentionOf = operator<[Tensor, Tensor, Tensor, Tensor | undefined], Tensor>('scaled_dot_product_attention')
const pixelShuffleOf = operator<[Tensor, number], Tensor>('pixel_shuffle')
const pixelUnshuffleOf = operator<[Tensor, number], Tensor>('pixel_unshuffle')
const crossEntropyOf = operator<[Tensor, Tensor, Tensor | undefined, number], Tensor>('cross_entropy_loss')

/** x Wᵀ + b: x [.., in], weight [out, in], bias [out] → [.., out]. */
export function linear(x: Tensor, weight: Tensor, bias?: Tensor): Tensor {
  return linearOf(x, weight, bias)
}

/** x [B, in, H, W], weight [out, in, k, k] → [B, out, H', W']. */
export function conv2d(x: Tensor, weight: Tensor, bias: Tensor | undefined, stride = 1, padding = 0): Tensor {
  return conv2dOf(x, weight, bias, stride, padding)
}

/** Rows of weight [V, d] by index int64 [..] → [.., d]. */
export function embedding(weight: Tensor, index: Tensor): Tensor {
  return embeddingOf(weight, index)
}

/** x / rms(x) · weight over the last dimension. */
export function rmsNorm(x: Tensor, weight: Tensor, epsilon = 1e-6): Tensor {
  return rmsNormOf(x, [x.shape[x.shape.length - 1]], weight, epsilon)
}

export function layerNorm(x: Tensor, weight: Tensor, bias: Tensor, epsilon = 1e-5): Tensor {
  return layerNormOf(x, weight.shape, weight, bias, epsilon)
}

/** x [B, C, H, W] normalised over groups of channels; weight and bias [C]. */
export function groupNorm(x: Tensor, groups: number, weight: Tensor, bias: Tensor, epsilon = 1e-5): Tensor {
  return groupNormOf(x, groups, weight, bias, epsilon)
}

/** softmax(q kᵀ / √d + mask) v: q [B, heads, n, d], k and v [B, heads, m, d], mask broadcasts to [B, heads, n, m]. */
export function attention(q: Tensor, k: Tensor, v: Tensor, mask?: Tensor): Tensor {
  return attentionOf(q, k, v, mask)
}

/** [B, C·r², H, W] → [B, C, H·r, W·r]. */
export function pixelShuffle(x: Tensor, factor: number): Tensor {
  return pixelShuffleOf(x, factor)
}

/** [B, C, H·r, W·r] → [B, C·r², H, W]. */
export function pixelUnshuffle(x: Tensor, factor: number): Tensor {
  return pixelUnshuffleOf(x, factor)
}

/** Cross entropy of logits [B, K] against class indices int64 [B] → [B], nats, not averaged. */
export function crossEntropy(logits: Tensor, classes: Tensor): Tensor {
  return crossEntropyOf(logits, classes, undefined, 0)
}
