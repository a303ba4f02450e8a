/**
 * The door to libtorch: the add-on is loaded at the first operator, never at import, so that programs which only read
 * records start at once.
 */
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { addon, readRecord, setupCommand } from '../../scripts/setup/places.mjs'
import { LibraryError } from '../errors.ts'

/** An External of the add-on that owns one tensor. */
export interface TensorHandle {
  readonly __tensor: unique symbol
}
/** An External of the add-on that owns one random generator. */
export interface GeneratorHandle {
  readonly __generator: unique symbol
}

/** The functions of the add-on; see `native/exports.h`. */
export interface Native {
  resolve(name: string, overload: string): { id: number; schema: string; inPlace: boolean }
  call(id: number, vacant: TensorHandle | undefined, ...values: unknown[]): unknown
  vacant(count: number): TensorHandle[]
  fromBytes(bytes: ArrayBufferView | ArrayBuffer, dtype: number, shape: readonly number[]): TensorHandle
  toBytes(tensor: TensorHandle): ArrayBuffer
  item(tensor: TensorHandle): number
  describe(tensor: TensorHandle): [dtype: number, device: string, ...shape: number[]]
  dispose(tensors: readonly TensorHandle[]): void
  livingTensors(): number
  requiresGrad(tensor: TensorHandle, flag?: boolean): boolean
  backward(outputs: readonly TensorHandle[], gradients: readonly TensorHandle[] | null, retainGraph: boolean): void
  gradients(
    outputs: readonly TensorHandle[],
    inputs: readonly TensorHandle[],
    given: readonly TensorHandle[] | null,
    createGraph: boolean,
  ): (TensorHandle | null)[]
  gradOf(tensor: TensorHandle): TensorHandle | null
  setGrad(tensor: TensorHandle, gradient: TensorHandle | null): void
  gradMode(enabled?: boolean): boolean
  autocast(device: string, dtype: number | null): number | null
  generator(device: string, seed: number): GeneratorHandle
  seedGenerator(generator: GeneratorHandle, seed: number): void
  generatorState(generator: GeneratorHandle, state?: TensorHandle): TensorHandle | undefined
  threads(count?: number): number
  tf32(whether?: boolean): boolean
  deterministic(whether?: boolean): boolean
  library(): { version: string; cudaDevices: number; cpu: string }
  gpuTrouble(): string | undefined
  /**
   * In bytes: [free, total, held by tensors, most held since the last call with true]; undefined where it is not known. See
   * `native/memory.cc`.
   */
  deviceMemory(device: string, anew?: boolean): [number, number, number, number] | undefined
  emptyCache(device: string): void
  /** Of tensors on `meta`: [held now, most held since the last call with true]. */
  countedBytes(anew?: boolean): [number, number]
  /** Of groups of processes; see `native/distributed.cc`. Undefined where this libtorch has none. */
  openStore?(address: string, prefix: string, size: number, serves: boolean, timeoutMs: number): void
  storeSet(key: string, text: string): void
  storeGet(key: string): string | undefined
  storeAdd(key: string, number: number): number
  joinGroup(rank: number, size: number, timeoutMs: number, onGpu: boolean): string
  leaveGroup(): void
  closeStore(): void
  /** Of SIGTERM; see `native/signals.cc`. Undefined in an add-on that an earlier set-up has built. */
  holdEnd?(whether: boolean, isPassedOn: boolean): void
  isEndAsked?(): boolean
}

let loaded: Native | undefined

/**
 * The add-on, loaded on the first call.
 * @throws {LibraryError} not built yet, or libtorch has moved since
 */
export function native(): Native {
  if (loaded !== undefined) return loaded
  if (!existsSync(addon)) {
    throw new LibraryError({
      where: 'tensor library',
      expected: 'the compiled add-on',
      received: 'no such file',
      remedy: `run \`${setupCommand}\``,
    })
  }
  // Threads that wait by spinning stand still where other programs want the cores too: tiny networks took 25 times longer.
  process.env.OMP_WAIT_POLICY ??= 'passive'
  try {
    loaded = createRequire(import.meta.url)(process.env.ATTUNE_ADDON ?? addon) as Native
  } catch (cause) {
    throw new LibraryError({
      where: 'tensor library',
      expected: 'an add-on that finds its libtorch',
      received: (cause as Error).message.split('\n')[0],
      remedy: `run \`${setupCommand}\` again; it rebuilds the add-on against the libtorch that it finds`,
      cause,
    })
  }
  return loaded
}

/** Which libtorch runs here, for the record of a run. Loads the library. */
export function describeLibrary(): {
  version: string
  cudaDevices: number
  cpu: string
  source: 'LIBTORCH' | 'python3' | 'private' | 'unknown'
} {
  return { ...native().library(), source: readRecord()?.how ?? 'unknown' }
}

/**
 * Sets how many threads one operator may use (all further operators of this process) and returns the number in force.
 * The networks of the embedded world are small: one thread a process, several processes side by side, is the fastest.
 */
export function useThreads(count?: number): number {
  return native().threads(count)
}

/**
 * Says whether products and convolutions of float32 on a GPU may round their factors to TF32 (10 bits of mantissa, sums in
 * float32), for all further operators of this process, and returns what is in force. A CPU computes in float32 either way.
 */
export function useTf32(whether?: boolean): boolean {
  return native().tf32(whether)
}

/** The value of `compute`, in which products and convolutions of float32 on a GPU may round their factors to TF32. */
export function withTf32<T>(compute: () => T): T {
  const before = useTf32()
  useTf32(true)
  try {
    return compute()
  } finally {
    useTf32(before)
  }
}

/**
 * Says whether operators on a GPU take only algorithms that repeat themselves to the bit (attention's way back, sums into
 * rows, cuDNN's choices), for all further operators of this process, and returns what is in force. Where there is none, an
 * operator fails. To be called before the first operator on a GPU: cuBLAS reads how it may use memory once. A CPU repeats
 * itself either way.
 */
export function useDeterministic(whether?: boolean): boolean {
  if (whether) process.env.CUBLAS_WORKSPACE_CONFIG ??= ':4096:8'
  return native().deterministic(whether)
}
