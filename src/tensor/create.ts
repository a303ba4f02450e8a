/** New tensors. The element type is always explicit or float32: JavaScript cannot tell 1 from 1.0. */
import { dtypeCode, type Dtype } from './dtype.ts'
import type { Generator } from './generator.ts'
import { native } from './library.ts'
import { tensorError } from './operator.ts'
import { operator, Tensor } from './tensor.ts'

type Make = [shape: readonly number[], dtype: number, layout: undefined, device: string]
const zerosOf = operator<Make, Tensor>('zeros')
const onesOf = operator<Make, Tensor>('ones')
const fullOf = operator<
  [shape: readonly number[], value: number, dtype: number, layout: undefined, device: string],
  Tensor
>('full')
const arangeOf = operator<[start: number, end: number, dtype: number, layout: undefined, device: string], Tensor>(
  'arange',
  'start',
)
const randnOf = operator<
  [shape: readonly number[], generator: Generator, dtype: number, layout: undefined, device: string],
  Tensor
>('randn', 'generator')
const randOf = operator<
  [shape: readonly number[], generator: Generator, dtype: number, layout: undefined, device: string],
  Tensor
>('rand', 'generator')
const randintOf = operator<
  [
    low: number,
    high: number,
    shape: readonly number[],
    generator: Generator,
    dtype: number,
    layout: undefined,
    device: string,
  ],
  Tensor
>('randint', 'low_generator')
const catOf = operator<[tensors: readonly Tensor[], dim: number], Tensor>('cat')
const stackOf = operator<[tensors: readonly Tensor[], dim: number], Tensor>('stack')
const whereOf = operator<[condition: Tensor, yes: Tensor, no: Tensor], Tensor>('where', 'self')

/** A tensor of zeros. */
export function zeros(shape: readonly number[], dtype: Dtype = 'float32', device = 'cpu'): Tensor {
  return zerosOf(shape, dtypeCode(dtype), undefined, device)
}

/** A tensor of ones. */
export function ones(shape: readonly number[], dtype: Dtype = 'float32', device = 'cpu'): Tensor {
  return onesOf(shape, dtypeCode(dtype), undefined, device)
}

/** A tensor of one value. */
export function full(shape: readonly number[], value: number, dtype: Dtype = 'float32', device = 'cpu'): Tensor {
  return fullOf(shape, value, dtypeCode(dtype), undefined, device)
}

/** Whole numbers [start, end). */
export function arange(start: number, end: number, dtype: Dtype = 'int64', device = 'cpu'): Tensor {
  return arangeOf(start, end, dtypeCode(dtype), undefined, device)
}

/** Standard normal numbers; the same seed gives the numbers of `torch.randn(generator=…)`. */
export function randn(
  shape: readonly number[],
  generator: Generator,
  dtype: Dtype = 'float32',
  device = 'cpu',
): Tensor {
  return randnOf(shape, generator, dtypeCode(dtype), undefined, device)
}

/** Uniform numbers in [0, 1). */
export function rand(shape: readonly number[], generator: Generator, dtype: Dtype = 'float32', device = 'cpu'): Tensor {
  return randOf(shape, generator, dtypeCode(dtype), undefined, device)
}

/** Whole numbers in [low, high). */
export function randint(
  low: number,
  high: number,
  shape: readonly number[],
  generator: Generator,
  device = 'cpu',
): Tensor {
  return randintOf(low, high, shape, generator, dtypeCode('int64'), undefined, device)
}

function dtypeOfArray(elements: ArrayBufferView): Dtype {
  if (elements instanceof Float32Array) return 'float32'
  if (elements instanceof Float64Array) return 'float64'
  if (elements instanceof BigInt64Array) return 'int64'
  if (elements instanceof Int32Array) return 'int32'
  if (elements instanceof Int16Array) return 'int16'
  if (elements instanceof Int8Array) return 'int8'
  return 'uint8'
}

/**
 * A tensor with a copy of these elements in row-major order. Plain numbers become float32 unless told otherwise; for a
 * typed array the element type is its own unless `dtype` says how to read the bytes (bfloat16 in a Uint16Array).
 */
export function tensor(
  elements: readonly number[] | ArrayBufferView | ArrayBuffer,
  shape?: readonly number[],
  dtype?: Dtype,
): Tensor {
  try {
    if (Array.isArray(elements)) {
      const numbers = elements as readonly number[]
      const sizes = shape ?? [numbers.length]
      if (dtype === 'int64') {
        return new Tensor(native().fromBytes(BigInt64Array.from(numbers, BigInt), dtypeCode('int64'), sizes))
      }
      if (dtype === 'float64') {
        return new Tensor(native().fromBytes(Float64Array.from(numbers), dtypeCode('float64'), sizes))
      }
      const made = new Tensor(native().fromBytes(Float32Array.from(numbers), dtypeCode('float32'), sizes))
      return dtype === undefined ? made : made.to(dtype)
    }
    const view = elements as ArrayBufferView | ArrayBuffer
    const type = dtype ?? (ArrayBuffer.isView(view) ? dtypeOfArray(view) : 'uint8')
    const length = ArrayBuffer.isView(view) && 'length' in view ? (view.length as number) : view.byteLength
    return new Tensor(native().fromBytes(view, dtypeCode(type), shape ?? [length]))
  } catch (cause) {
    throw tensorError('tensor', cause)
  }
}

/**
 * Whole numbers as an index, int64 [n], on a device. They are copied there, which makes the host wait, only where neither all
 * are the same nor each is one more than the one before.
 */
export function indexOf(numbers: readonly number[], device: string): Tensor {
  const [first] = numbers
  if (numbers.every((number) => number === first)) return full([numbers.length], first ?? 0, 'int64', device)
  if (numbers.every((number, i) => number === first + i)) return arange(first, first + numbers.length, 'int64', device)
  return tensor(numbers, [numbers.length], 'int64').to(device)
}

/** A few numbers, float32, on a device. They are made there: nothing is copied, for which the host would wait. */
export function constants(numbers: readonly number[], shape: readonly number[], device: string): Tensor {
  if (device === 'cpu') return tensor(numbers, shape)
  return cat(numbers.map((number) => full([1], number, 'float32', device))).reshape(...shape)
}

/** Joins along an existing dimension. */
export function cat(tensors: readonly Tensor[], dim = 0): Tensor {
  return catOf(tensors, dim)
}

/** Joins along a new dimension. */
export function stack(tensors: readonly Tensor[], dim = 0): Tensor {
  return stackOf(tensors, dim)
}

/** Elements of `yes` where the condition holds, else of `no`. */
export function where(condition: Tensor, yes: Tensor, no: Tensor): Tensor {
  return whereOf(condition, yes, no)
}
