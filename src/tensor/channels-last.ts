/**
 * Images with the channels of a place side by side in memory ("channels last"). Convolutions of half precision on a GPU
 * compute in this order, and take every image of another one there and back; the places are tokens [B, H·W, C] without a copy.
 */
import { wantsGrad } from './autograd.ts'
import { dtypeCode, type Dtype } from './dtype.ts'
import { groupNorm } from './functional.ts'
import { tensorScope } from './scope.ts'
import { operator, type Tensor } from './tensor.ts'

const contiguousOf = operator<[Tensor, memoryFormat: number], Tensor>('contiguous')
const convertedOf = operator<
  [Tensor, dtype: number, isBlocking: boolean, isCopy: boolean, memoryFormat: number],
  Tensor
>('to', 'dtype')
const emptyLike = operator<[Tensor], Tensor>('empty_like')
const meanOf = operator<[Tensor, readonly number[], keep: boolean, dtype: number], Tensor>('mean', 'dim')
const normOf = operator<
  [Tensor, order: number, dims: readonly number[], keep: boolean, dtype: number | undefined],
  Tensor
>('linalg_vector_norm')
const addProduct = operator<[Tensor, Tensor, Tensor, scale: number], Tensor>('addcmul')
const addProduct_ = operator<[Tensor, Tensor, Tensor, scale: number], Tensor>('addcmul_')
const addProductInto = operator<[Tensor, Tensor, Tensor, scale: number, into: Tensor], Tensor>('addcmul', 'out')

/** Orders of the numbers of an image as libtorch counts them: channel by channel, or the channels of a place side by side. */
export const memoryFormat = { rows: 0, places: 2 } as const
export type ImageOrder = keyof typeof memoryFormat

/** The same x [B, C, H, W], channels last. What is computed from it keeps the order. */
export function channelsLast(x: Tensor): Tensor {
  return contiguousOf(x, memoryFormat.places)
}

/** x [B, C, H, W] in another element type and in the given order, by one copy. */
export function convertImage(x: Tensor, dtype: Dtype, order: ImageOrder): Tensor {
  return convertedOf(x, dtypeCode(dtype), false, false, memoryFormat[order])
}

/** From so many numbers on, reading and writing them twice more takes longer than the ten small kernels that avoid it. */
const large = 2 ** 22

/**
 * `groupNorm` of x [B, C, H, W] channels last, whose result is as well. libtorch's own on a GPU gives rows; so, where no
 * gradient is wanted, large x are normalised by operators that keep the order.
 */
export function groupNormOfPlaces(x: Tensor, groups: number, weight: Tensor, bias: Tensor, epsilon: number): Tensor {
  if (!wantsGrad() && x.numel >= large) return composedGroupNorm(x, groups, weight, bias, epsilon)
  using scope = tensorScope()
  return scope.keep(channelsLast(groupNorm(x, groups, weight, bias, epsilon)))
}

/**
 * Group normalisation as x · a + b with a and b [B, C] from sums of x and x², in the order of x. Sums are in float32 whatever
 * the type of x, whose own rounding moves a mean more than the difference of the sums does. No gradient passes.
 */
export function composedGroupNorm(x: Tensor, groups: number, weight: Tensor, bias: Tensor, epsilon: number): Tensor {
  using scope = tensorScope()
  const [batch, channels, height, width] = x.shape
  const count = (channels / groups) * height * width
  const float = dtypeCode('float32')
  const inGroups = (y: Tensor) => y.reshape(batch, groups, channels / groups)
  const mean = inGroups(meanOf(x, [2, 3], false, float)).mean(2, true) // [B, groups, 1]
  const norm = normOf(inGroups(normOf(x, 2, [2, 3], false, float)), 2, [2], true, undefined)
  const squares = addProduct_(norm.square(), mean, mean, -count).clamp(0) // [B, groups, 1], count · variance
  const rate = squares
    .add_(count * epsilon)
    .rsqrt()
    .mul_(Math.sqrt(count))
  const a = rate.mul(weight.reshape(groups, -1)) // [B, groups, channels / groups], float32
  const b = addProduct(bias.reshape(groups, -1), mean, a, -1)
  const overPlaces = (y: Tensor) => y.reshape(batch, channels, 1, 1)
  return scope.keep(addProductInto(overPlaces(b), x, overPlaces(a), 1, emptyLike(x)))
}
