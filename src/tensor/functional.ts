/**
 * Neural-network operators of libtorch that take more than one tensor; PyTorch's `torch.nn.functional`. On the device
 * `meta` tensors have shapes and no elements; where libtorch has no such operator, native/memory.cc has it.
 */
import { native } from './library.ts'
import { operator, type Tensor } from './tensor.ts'

const linearOf = operator<[Tensor, Tensor, Tensor | undefined], Tensor>('linear')
const conv2dOf = operator<[Tensor, Tensor, Tensor | undefined, number, number | readonly [number, number]], Tensor>(
  'conv2d',
)
const embeddingOf = operator<[Tensor, Tensor], Tensor>('embedding')
const rmsNormOf = operator<[Tensor, readonly number[], Tensor | undefined, number | undefined], Tensor>('rms_norm')
const groupNormOf = operator<[Tensor, number, Tensor | undefined, Tensor | undefined, number], Tensor>('group_norm')
const layerNormOf = operator<[Tensor, readonly number[], Tensor | undefined, Tensor | undefined, number], Tensor>(
  'layer_norm',
)
const attentionOf = operator<[Tensor, Tensor, Tensor, Tensor | undefined, number, boolean], Tensor>(
  'scaled_dot_product_attention',
)
const padOf = operator<[Tensor, readonly number[], number], Tensor>('constant_pad_nd')
const upsampleNearestOf = operator<[Tensor, readonly number[]], Tensor>('upsample_nearest2d')
const resizeBicubicOf = operator<[Tensor, readonly number[], boolean], Tensor>('_upsample_bicubic2d_aa')
const averagePoolOf = operator<[Tensor, readonly number[]], Tensor>('adaptive_avg_pool2d')
const attendOf = operator<[Tensor, Tensor, Tensor, Tensor | undefined], Tensor>('attune::attend')
const siluOf_ = operator<[Tensor], Tensor>('silu_')
const pixelShuffleOf = operator<[Tensor, number], Tensor>('pixel_shuffle')
const pixelUnshuffleOf = operator<[Tensor, number], Tensor>('pixel_unshuffle')
const crossEntropyOf = operator<[Tensor, Tensor, Tensor | undefined, number], Tensor>('cross_entropy_loss')

/** x Wᵀ + b: x [.., in], weight [out, in], bias [out] → [.., out]. */
export function linear(x: Tensor, weight: Tensor, bias?: Tensor): Tensor {
  return linearOf(x, weight, bias)
}

/** x [B, in, H, W], weight [out, in, k, l] → [B, out, H', W']; padding of rows and of columns where they differ. */
export function conv2d(
  x: Tensor,
  weight: Tensor,
  bias: Tensor | undefined,
  stride = 1,
  padding: number | readonly [rows: number, columns: number] = 0,
): Tensor {
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

/** Normalises over the last dimension, then scales by `weight` and shifts by `bias`. */
export function layerNorm(x: Tensor, weight: Tensor, bias: Tensor, epsilon = 1e-5): Tensor {
  return layerNormOf(x, weight.shape, weight, bias, epsilon)
}

/** x [B, C, H, W] normalised over groups of channels; weight and bias [C]. */
export function groupNorm(x: Tensor, groups: number, weight: Tensor, bias: Tensor, epsilon = 1e-5): Tensor {
  return groupNormOf(x, groups, weight, bias, epsilon)
}

/**
 * softmax(q kᵀ / √d + mask) v: q [B, heads, n, d], k and v [B, heads, m, d], mask broadcasts to [B, heads, n, m].
 * Causal: query i sees keys 0 … i.
 */
export function attention(q: Tensor, k: Tensor, v: Tensor, mask?: Tensor, causal = false): Tensor {
  return isShort(q, k, v, mask) && !causal ? attendOf(q, k, v, mask) : attentionOf(q, k, v, mask, 0, causal)
}

/** Whether the add-on's own operator computes this, which is quicker for short sequences; see native/attention.cc. */
function isShort(q: Tensor, k: Tensor, v: Tensor, mask?: Tensor): boolean {
  const [batch, , queries, width] = q.shape
  const keys = k.shape[2]
  if (Math.max(queries, keys, width, v.shape[3]) > mostShort || q.dtype !== 'float32' || q.device !== 'cpu')
    return false
  const isKeyMask = mask === undefined || (mask.numel === batch * keys && mask.shape[0] === batch && !mask.requiresGrad)
  return isKeyMask && native().threads() === 1
}

const mostShort = 64

/** Rows and columns of zeros around x [B, C, H, W]. */
export function pad2d(
  x: Tensor,
  { left = 0, right = 0, top = 0, bottom = 0 }: { left?: number; right?: number; top?: number; bottom?: number },
): Tensor {
  return padOf(x, [left, right, top, bottom], 0)
}

/** x [B, C, H, W] → [B, C, height, width], each output the nearest input. */
export function upsampleNearest(x: Tensor, height: number, width: number): Tensor {
  return upsampleNearestOf(x, [height, width])
}

/** x [B, C, H, W] → [B, C, height, width] by bicubic interpolation with antialiasing, as Pillow's. */
export function resizeBicubic(x: Tensor, height: number, width: number): Tensor {
  return resizeBicubicOf(x, [height, width], false)
}

/** Means over areas: x [B, C, H, W] → [B, C, height, width]. */
export function averagePool(x: Tensor, height: number, width: number): Tensor {
  return averagePoolOf(x, [height, width])
}

/** `Tensor.silu`, written over x: for the value of an operator that nothing else reads. */
export function silu_(x: Tensor): Tensor {
  return siluOf_(x)
}

/** x · σ(1.702 x), the approximation of GELU that OpenAI's CLIP uses. */
export function quickGelu(x: Tensor): Tensor {
  return x.mul(x.mul(1.702).sigmoid())
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
