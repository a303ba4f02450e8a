/** What a GPU's products do to their factors, done on a CPU: operators that multiply see float32 tensors of fewer bits. */
import { native, type TensorHandle } from '../../src/tensor/library.ts'
import { Tensor } from '../../src/tensor/tensor.ts'

/** Of TF32: bits of the mantissa, of which one is not written. */
export const tf32Bits = 11

const products = new Set(
  ['linear', 'conv2d', 'matmul', 'bmm', 'addmm', 'addmm_', 'scaled_dot_product_attention']
    .map((name) => `aten::${name}`)
    .concat('attune::attend'),
)
const float32 = 6

let bits: number | undefined

/** From the next operator on; all of float32 without a number. To be called before the first operator of the process. */
export function roundFactors(significant: number | undefined): void {
  if (!isPrepared) prepare()
  bits = significant
}

let isPrepared = false
function prepare(): void {
  isPrepared = true
  const library = native()
  const { resolve, call } = library
  const names = new Map<number, string>()
  library.resolve = (name, overload) => {
    const found = resolve(name, overload)
    names.set(found.id, name)
    return found
  }
  library.call = (id, vacant, ...values) =>
    bits !== undefined && products.has(names.get(id)!)
      ? call(id, vacant, ...values.map((value) => (isFactor(value) ? rounded(value, bits!) : value)))
      : call(id, vacant, ...values)
}

/** Biases are added, not multiplied. */
function isFactor(value: unknown): value is TensorHandle {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  const [dtype, , ...shape] = native().describe(value as TensorHandle)
  return dtype === float32 && shape.length > 1
}

/** To the nearest of so many bits (Veltkamp's splitting), with a gradient of one. The result belongs to the scope in force. */
function rounded(handle: TensorHandle, significant: number): TensorHandle {
  const x = Object.create(Tensor.prototype, { handle: { value: handle } }) as Tensor
  const large = x.mul(2 ** (24 - significant) + 1)
  return large.sub(large.sub(x)).handle
}
