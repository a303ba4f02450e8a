/** From found weights to tensors: with their elements, or as shapes only. */
import { FormatError } from '../../errors.ts'
import { memoryFormat, type ImageOrder } from '../../tensor/channels-last.ts'
import { zeros } from '../../tensor/create.ts'
import { dtypeCode, type Dtype } from '../../tensor/dtype.ts'
import { eachSafetensor } from '../../tensor/safetensors.ts'
import { tensorScope } from '../../tensor/scope.ts'
import { operator, type Tensor } from '../../tensor/tensor.ts'
import { imageOrderOn } from '../image-order.ts'
import type { FoundWeights, WeightEntry } from './find-weights.ts'

export interface LoadOptions {
  /** Of floating tensors; whole numbers stay as they are. */
  readonly dtype: Dtype
  readonly device: string
  /** Of the kernels of convolutions; that of the device and the type without it. */
  readonly order?: ImageOrder
  /** The name of a tensor in the result. */
  readonly rename?: (key: string) => string
}

const floating: ReadonlySet<Dtype> = new Set<Dtype>(['float16', 'bfloat16', 'float32', 'float64'])

/**
 * The tensors, each converted and moved before the next is read, so that no more memory is taken than the result and one
 * tensor. On the device `meta` nothing is read. They belong to the scope in force, or to the caller where there is none; on
 * an error none is left.
 *
 * @throws {FormatError} names file and key: NaN, an infinity, a number that `dtype` cannot hold, a name given twice
 * @throws {FileError} a file that has gone
 */
export function loadWeights(
  found: FoundWeights,
  { dtype, device, order = imageOrderOn(device, dtype), rename }: LoadOptions,
): Map<string, Tensor> {
  const names = namesOf(found, rename)
  if (device === 'meta') return emptyWeights(found, names, dtype, order)
  const loaded = new Map<string, Tensor>()
  try {
    for (const file of found.files) {
      const wanted = keysIn(found, file)
      eachSafetensor(file, (stored, read) => {
        using scope = tensorScope()
        let whole: Tensor | undefined
        for (const key of wanted.get(stored) ?? []) {
          const entry = found.entries.get(key)!
          const type = floating.has(entry.dtype) ? dtype : entry.dtype
          const own = entry.shape.length === 4 ? order : 'rows'
          const isInPlace = type === entry.dtype && device === 'cpu' && own === 'rows' && entry.from === undefined
          // What stays is made before what goes: the other way round the heap keeps a gap of this size for each tensor.
          const empty = isInPlace ? undefined : emptyOf(entry.shape, dtypeCode(type), device, memoryFormat[own])
          whole ??= read()
          const part = partOf(whole, entry)
          const placed = empty?.copy_(part) ?? part
          if (!isFinite(placed)) throw notFinite(`${file} ${stored}`, part, dtype)
          loaded.set(names.get(key)!, scope.keep(placed))
        }
      })
    }
  } catch (error) {
    for (const one of loaded.values()) one.dispose()
    throw error
  }
  return loaded
}

/** As they would be loaded, without their elements. */
function emptyWeights(
  { entries }: FoundWeights,
  names: ReadonlyMap<string, string>,
  dtype: Dtype,
  order: ImageOrder,
): Map<string, Tensor> {
  return new Map(
    [...entries].map(([key, entry]) => {
      const type = floating.has(entry.dtype) ? dtype : entry.dtype
      const format = memoryFormat[entry.shape.length === 4 ? order : 'rows']
      return [names.get(key)!, emptyOf(entry.shape, dtypeCode(type), 'meta', format)]
    }),
  )
}

/** By the name of each of a file's tensors, the entries that are made from it. */
function keysIn({ entries }: FoundWeights, file: string): ReadonlyMap<string, readonly string[]> {
  const keys = new Map<string, string[]>()
  for (const [key, entry] of entries) {
    if (entry.file !== file) continue
    const stored = entry.from?.key ?? key
    keys.set(stored, [...(keys.get(stored) ?? []), key])
  }
  return keys
}

function partOf(whole: Tensor, { from, shape }: WeightEntry): Tensor {
  if (from === undefined) return whole
  const { third, transposed } = from
  const rows = whole.shape[0] / 3
  const part = third === undefined ? whole : whole.slice(0, third * rows, (third + 1) * rows)
  return (transposed === true ? part.transpose(0, 1) : part).reshape(...shape)
}

/**
 * The same tensors on the device `meta`, with shapes and types but no elements: enough to check a network against a
 * checkpoint before gigabytes are read.
 *
 * @throws {FormatError} a name given twice
 */
export function metaWeights(found: FoundWeights, { rename }: Pick<LoadOptions, 'rename'> = {}): Map<string, Tensor> {
  const names = namesOf(found, rename)
  return new Map([...found.entries].map(([key, { shape, dtype }]) => [names.get(key)!, zeros(shape, dtype, 'meta')]))
}

function namesOf(found: FoundWeights, rename = (key: string) => key): ReadonlyMap<string, string> {
  const keys = new Map<string, string>()
  for (const [key, { file }] of found.entries) {
    const name = rename(key)
    const other = keys.get(name)
    if (other !== undefined) {
      throw new FormatError({
        where: `${file} ${key}`,
        expected: 'a parameter of its own',
        received: `${name}, which ${other} is as well`,
        remedy: 'the file mixes old and new names; save it again with the library that wrote it',
      })
    }
    keys.set(name, key)
  }
  return new Map([...keys].map(([name, key]) => [key, name]))
}

type EmptyArguments = [
  shape: readonly number[],
  dtype: number,
  layout: undefined,
  device: string,
  isPinned: undefined,
  format: number,
]
const emptyIn = operator<EmptyArguments, Tensor>('empty', 'memory_format')
const emptyOf = (shape: readonly number[], dtype: number, device: string, format: number) =>
  emptyIn(shape, dtype, undefined, device, undefined, format)
const norm = operator<[x: Tensor, order: number], Tensor>('linalg_vector_norm')

/** By the largest absolute value: one pass without a copy, and NaN is never lost in it. */
function isFinite(x: Tensor): boolean {
  return !floating.has(x.dtype) || x.numel === 0 || Number.isFinite(norm(x, Infinity).item())
}

function notFinite(where: string, stored: Tensor, dtype: Dtype): FormatError {
  if (isFinite(stored)) {
    return new FormatError({
      where,
      expected: `numbers that ${dtype} can hold`,
      received: `up to ${norm(stored, Infinity).item().toPrecision(3)}`,
      remedy: 'compute in another type: --mixed-precision bf16 or no',
    })
  }
  return new FormatError({
    where,
    expected: 'finite numbers',
    received: 'NaN or infinity',
    remedy: 'the file is damaged, or its training diverged; fetch it again or choose another checkpoint',
  })
}
