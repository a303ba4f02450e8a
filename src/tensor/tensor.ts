/**
 * Tensors of libtorch with the methods that PyTorch users know (camelCase). Each method calls the ATen operator of its
 * name; `operator` gives those that have no method here. All throw {TensorError} that names operator and
 * argument when types or shapes do not fit.
 */
import { dtypeCode, dtypeOfCode, type Dtype } from './dtype.ts'
import { native, type TensorHandle } from './library.ts'
import { calling, operatorsWith } from './operator.ts'
import { adopt, free } from './scope.ts'

/**
 * Any ATen operator as a TypeScript function, resolved by name at its first call.
 *
 * ```ts
 * const cumsum = operator<[self: Tensor, dim: number], Tensor>('cumsum')
 * ```
 * Arguments stand in the order of the operator's schema; `undefined` means its default.
 * @throws {TensorError} on the call: unknown operator, wrong or disposed argument, shapes that do not fit
 */
export const operator = operatorsWith((handle) => new Tensor(handle))

/** The add-on reads one number as an array of one. */
type Dims = number | readonly number[]
type Unary = [self: Tensor]
type WithTensor = [self: Tensor, other: Tensor]
type WithScalar = [self: Tensor, other: number]
const unary = (name: string) => operator<Unary, Tensor>(name)
const withTensor = (name: string, overload = 'Tensor') => operator<WithTensor, Tensor>(name, overload)
const withScalar = (name: string, overload = 'Scalar') => operator<WithScalar, Tensor>(name, overload)

const addTensor = withTensor('add')
const addScalar = withScalar('add')
const subTensor = withTensor('sub')
const subScalar = withScalar('sub')
const mulTensor = withTensor('mul')
const mulScalar = withScalar('mul')
const divTensor = withTensor('div')
const divScalar = withScalar('div')
const addTensor_ = withTensor('add_')
const addScalar_ = withScalar('add_')
const mulTensor_ = withTensor('mul_')
const mulScalar_ = withScalar('mul_')
const powScalar = withScalar('pow', 'Tensor_Scalar')
const maximumTensor = withTensor('maximum', '')
const minimumTensor = withTensor('minimum', '')
const eqTensor = withTensor('eq')
const eqScalar = withScalar('eq')
const gtTensor = withTensor('gt')
const gtScalar = withScalar('gt')
const ltTensor = withTensor('lt')
const ltScalar = withScalar('lt')
const matmul = withTensor('matmul', '')
const clamp = operator<[Tensor, number | undefined, number | undefined], Tensor>('clamp')
const sumAll = unary('sum')
const sumDim = operator<[Tensor, Dims, boolean], Tensor>('sum', 'dim_IntList')
const meanAll = unary('mean')
const meanDim = operator<[Tensor, Dims, boolean], Tensor>('mean', 'dim')
const variance = operator<[Tensor, Dims, number, boolean], Tensor>('var', 'correction')
const argmax = operator<[Tensor, number, boolean], Tensor>('argmax')
const amax = operator<[Tensor, Dims, boolean], Tensor>('amax')
const reshape = operator<[Tensor, readonly number[]], Tensor>('reshape')
const flatten = operator<[Tensor, number, number], Tensor>('flatten', 'using_ints')
const transpose = operator<[Tensor, number, number], Tensor>('transpose', 'int')
const permute = operator<[Tensor, readonly number[]], Tensor>('permute')
const unsqueeze = operator<[Tensor, number], Tensor>('unsqueeze')
const squeeze = operator<[Tensor, number], Tensor>('squeeze', 'dim')
const expand = operator<[Tensor, readonly number[]], Tensor>('expand')
const slice = operator<[Tensor, number, number, number], Tensor>('slice', 'Tensor')
const select = operator<[Tensor, number, number], Tensor>('select', 'int')
const indexSelect = operator<[Tensor, number, Tensor], Tensor>('index_select')
const gather = operator<[Tensor, number, Tensor], Tensor>('gather')
const softmax = operator<[Tensor, number], Tensor>('softmax', 'int')
const logSoftmax = operator<[Tensor, number], Tensor>('log_softmax', 'int')
const toDtype = operator<[Tensor, number], Tensor>('to', 'dtype')
const toDevice = operator<[Tensor, string, number], Tensor>('to', 'device')
const zerosOf = operator<[readonly number[], number, layout: undefined, string], Tensor>('zeros')
const norm = unary('linalg_vector_norm')
const copy_ = operator<[Tensor, Tensor], Tensor>('copy_')
const lerp_ = operator<[Tensor, Tensor, number], Tensor>('lerp_', 'Scalar')
const simple = {
  abs: unary('abs'),
  clone: unary('clone'),
  contiguous: unary('contiguous'),
  cos: unary('cos'),
  detach: unary('detach'),
  exp: unary('exp'),
  gelu: unary('gelu'),
  isfinite: unary('isfinite'),
  log: unary('log'),
  logicalNot: unary('logical_not'),
  neg: unary('neg'),
  relu: unary('relu'),
  rsqrt: unary('rsqrt'),
  sigmoid: unary('sigmoid'),
  silu: unary('silu'),
  sin: unary('sin'),
  softplus: unary('softplus'),
  sqrt: unary('sqrt'),
  square: unary('square'),
  tanh: unary('tanh'),
  zero_: unary('zero_'),
}

/** A tensor of libtorch. It lives until its scope ends or it is disposed of; methods make new tensors unless their name ends in `_`. */
export class Tensor {
  /** Do not keep it: when the tensor is freed, its handle is given to another. */
  handle: TensorHandle
  #description: ReturnType<ReturnType<typeof native>['describe']> | undefined

  /** Wraps a handle of the add-on and gives it to the scope in force. */
  constructor(handle: TensorHandle) {
    this.handle = handle
    adopt(this)
  }

  #describe() {
    return (this.#description ??= calling('describe', () => native().describe(this.handle)))
  }

  get shape(): readonly number[] {
    return this.#describe().slice(2) as number[]
  }

  get dtype(): Dtype {
    return dtypeOfCode(this.#describe()[0])
  }

  /** `cpu` or `cuda:0`. */
  get device(): string {
    return this.#describe()[1]
  }

  get numel(): number {
    return this.shape.reduce((product, size) => product * size, 1)
  }

  /** Frees the memory now; using the tensor afterwards throws. */
  dispose(): void {
    free([this])
  }

  [Symbol.dispose](): void {
    this.dispose()
  }

  /** The one element of a tensor of one element. Waits for the device. */
  item(): number {
    return calling('item', () => native().item(this.handle))
  }

  /** The raw elements in row-major order, copied to the CPU. */
  toBytes(): ArrayBuffer {
    return calling('toBytes', () => native().toBytes(this.handle))
  }

  /** All elements as float32, in row-major order. */
  toFloat32(): Float32Array {
    if (this.dtype === 'float32') return new Float32Array(this.toBytes())
    const converted = this.to('float32')
    const elements = new Float32Array(converted.toBytes())
    if (converted !== this) converted.dispose()
    return elements
  }

  /** All elements as JavaScript numbers, in row-major order; int64 beyond 2^53 loses digits. */
  toArray(): number[] {
    if (this.dtype === 'int64') return Array.from(new BigInt64Array(this.toBytes()), Number)
    if (this.dtype === 'float64') return Array.from(new Float64Array(this.toBytes()))
    return Array.from(this.toFloat32())
  }

  // arithmetic; `other` broadcasts
  add(other: Tensor | number): Tensor {
    return typeof other === 'number' ? addScalar(this, other) : addTensor(this, other)
  }
  sub(other: Tensor | number): Tensor {
    return typeof other === 'number' ? subScalar(this, other) : subTensor(this, other)
  }
  mul(other: Tensor | number): Tensor {
    return typeof other === 'number' ? mulScalar(this, other) : mulTensor(this, other)
  }
  div(other: Tensor | number): Tensor {
    return typeof other === 'number' ? divScalar(this, other) : divTensor(this, other)
  }
  add_(other: Tensor | number): Tensor {
    return typeof other === 'number' ? addScalar_(this, other) : addTensor_(this, other)
  }
  mul_(other: Tensor | number): Tensor {
    return typeof other === 'number' ? mulScalar_(this, other) : mulTensor_(this, other)
  }
  pow(exponent: number): Tensor {
    return powScalar(this, exponent)
  }
  maximum(other: Tensor): Tensor {
    return maximumTensor(this, other)
  }
  minimum(other: Tensor): Tensor {
    return minimumTensor(this, other)
  }
  clamp(low?: number, high?: number): Tensor {
    return clamp(this, low, high)
  }
  matmul(other: Tensor): Tensor {
    return matmul(this, other)
  }

  // comparison → bool
  eq(other: Tensor | number): Tensor {
    return typeof other === 'number' ? eqScalar(this, other) : eqTensor(this, other)
  }
  gt(other: Tensor | number): Tensor {
    return typeof other === 'number' ? gtScalar(this, other) : gtTensor(this, other)
  }
  lt(other: Tensor | number): Tensor {
    return typeof other === 'number' ? ltScalar(this, other) : ltTensor(this, other)
  }
  logicalNot(): Tensor {
    return simple.logicalNot(this)
  }
  isfinite(): Tensor {
    return simple.isfinite(this)
  }

  // element by element
  abs(): Tensor {
    return simple.abs(this)
  }
  cos(): Tensor {
    return simple.cos(this)
  }
  exp(): Tensor {
    return simple.exp(this)
  }
  gelu(): Tensor {
    return simple.gelu(this)
  }
  log(): Tensor {
    return simple.log(this)
  }
  neg(): Tensor {
    return simple.neg(this)
  }
  relu(): Tensor {
    return simple.relu(this)
  }
  rsqrt(): Tensor {
    return simple.rsqrt(this)
  }
  sigmoid(): Tensor {
    return simple.sigmoid(this)
  }
  silu(): Tensor {
    return simple.silu(this)
  }
  sin(): Tensor {
    return simple.sin(this)
  }
  softplus(): Tensor {
    return simple.softplus(this)
  }
  sqrt(): Tensor {
    return simple.sqrt(this)
  }
  square(): Tensor {
    return simple.square(this)
  }
  tanh(): Tensor {
    return simple.tanh(this)
  }

  // reductions: over all elements, or over the named dimensions
  sum(dim?: Dims, keepDim = false): Tensor {
    return dim === undefined ? sumAll(this) : sumDim(this, dim, keepDim)
  }
  mean(dim?: Dims, keepDim = false): Tensor {
    return dim === undefined ? meanAll(this) : meanDim(this, dim, keepDim)
  }
  /** Variance; `correction` 1 is the unbiased estimate. */
  variance(dim: Dims, correction = 1, keepDim = false): Tensor {
    return variance(this, dim, correction, keepDim)
  }
  amax(dim: Dims, keepDim = false): Tensor {
    return amax(this, dim, keepDim)
  }
  argmax(dim: number): Tensor {
    return argmax(this, dim, false)
  }
  /** Euclidean norm of all elements. */
  norm(): Tensor {
    return norm(this)
  }
  softmax(dim: number): Tensor {
    return softmax(this, dim)
  }
  logSoftmax(dim: number): Tensor {
    return logSoftmax(this, dim)
  }

  // shape
  reshape(...shape: number[]): Tensor {
    return reshape(this, shape)
  }
  flatten(from = 0, to = -1): Tensor {
    return flatten(this, from, to)
  }
  transpose(first: number, second: number): Tensor {
    return transpose(this, first, second)
  }
  permute(...order: number[]): Tensor {
    return permute(this, order)
  }
  unsqueeze(dim: number): Tensor {
    return unsqueeze(this, dim)
  }
  squeeze(dim: number): Tensor {
    return squeeze(this, dim)
  }
  expand(...shape: number[]): Tensor {
    return expand(this, shape)
  }
  /** Elements [from, to) along a dimension; a view. */
  slice(dim: number, from: number, to: number): Tensor {
    return slice(this, dim, from, to)
  }
  select(dim: number, index: number): Tensor {
    return select(this, dim, index)
  }
  indexSelect(dim: number, index: Tensor): Tensor {
    return indexSelect(this, dim, index)
  }
  gather(dim: number, index: Tensor): Tensor {
    return gather(this, dim, index)
  }

  // type, device, memory
  /** Converts element type (`float32`) or device (`cpu`, `cuda:0`); the same tensor where nothing changes. */
  to(target: Dtype | (string & {})): Tensor {
    if (target === this.dtype || target === this.device) return this
    if (!/^(cpu|meta|cuda(:\d+)?)$/.test(target)) return toDtype(this, dtypeCode(target as Dtype))
    // What has no elements reads as zeros.
    return this.device === 'meta'
      ? zerosOf(this.shape, dtypeCode(this.dtype), undefined, target)
      : toDevice(this, target, dtypeCode(this.dtype))
  }
  clone(): Tensor {
    return simple.clone(this)
  }
  contiguous(): Tensor {
    return simple.contiguous(this)
  }
  /** The same memory outside the graph. */
  detach(): Tensor {
    return simple.detach(this)
  }
  copy_(source: Tensor): Tensor {
    return copy_(this, source)
  }
  zero_(): Tensor {
    return simple.zero_(this)
  }
  /** this ← this + weight · (end − this) */
  lerp_(end: Tensor, weight: number): Tensor {
    return lerp_(this, end, weight)
  }

  // autograd
  get requiresGrad(): boolean {
    return calling('requiresGrad', () => native().requiresGrad(this.handle))
  }
  /** Marks a leaf whose gradient is wanted; returns it. */
  requireGrad(flag = true): this {
    calling('requireGrad', () => native().requiresGrad(this.handle, flag))
    return this
  }
  /** The accumulated gradient of a leaf. */
  get grad(): Tensor | undefined {
    const handle = calling('grad', () => native().gradOf(this.handle))
    return handle === null ? undefined : new Tensor(handle)
  }
  set grad(gradient: Tensor | undefined) {
    calling('grad', () => native().setGrad(this.handle, gradient === undefined ? null : gradient.handle))
  }
  /** Adds d(this)/d(leaf) to the `grad` of every leaf that wants one. `this` has one element. */
  backward(): void {
    calling('backward', () => native().backward([this.handle], null, false))
  }
}
