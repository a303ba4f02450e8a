/** Where a real checkpoint computes, and in which element type. */
import { coresOfThis } from '../cores.ts'
import { ConfigError } from '../errors.ts'
import { tellNote } from '../notes.ts'
import { placeOfThis } from '../place-in-group.ts'
import type { Dtype } from '../tensor/dtype.ts'
import { gpuState, noteOfIdleGpu } from '../tensor/gpus.ts'
import { describeLibrary, useDeterministic, useTf32, useThreads } from '../tensor/library.ts'

/** What a config says of it. */
export interface PlacementSettings {
  readonly device: string | null
  readonly mixedPrecision: keyof typeof dtypes | null
  readonly threads: number | null
  readonly deterministic: boolean
}

export interface Placement {
  /** `cpu`, `cuda:0`. */
  readonly device: string
  /** Of frozen weights and of computing. */
  readonly dtype: Dtype
}

const dtypes = { no: 'float32', fp16: 'float16', bf16: 'bfloat16' } as const

/**
 * Resolves the placement of a config and sets the threads of this process.
 *
 * @throws {ConfigError} a GPU that is not there, or fp16 on a CPU
 */
export function placementOf({ device: wanted, mixedPrecision, threads, deterministic }: PlacementSettings): Placement {
  const { localRank, localSize } = placeOfThis()
  useThreads(threads ?? Math.max(1, Math.floor(coresOfThis() / localSize)))
  // float32 means float32: TF32 adds half a nat of noise to DPOK's log-ratios (docs/benchmarks.md).
  useTf32(false)
  const { cudaDevices } = describeLibrary()
  // Where each process of a group sees its own GPU alone, that is its first.
  const own = `cuda:${cudaDevices > 0 ? localRank % cudaDevices : 0}`
  const device = wanted === null ? (cudaDevices > 0 ? own : 'cpu') : wanted === 'cuda' ? own : wanted
  const isGpu = device.startsWith('cuda')
  if (isGpu && Number(device.slice('cuda:'.length)) >= cudaDevices) {
    const { reason } = gpuState()
    throw new ConfigError({
      where: '--device',
      expected: reason === undefined ? `cpu, or cuda:0 to cuda:${cudaDevices - 1}` : `cpu, since ${reason.why}`,
      received: device,
      remedy: reason === undefined ? 'use a device of this machine' : reason.remedy,
    })
  }
  if (wanted === null && cudaDevices === 0) {
    const note = noteOfIdleGpu(gpuState())
    if (note !== undefined) tellNote(note)
  }
  if (mixedPrecision === 'fp16' && !isGpu) {
    throw new ConfigError({
      where: '--mixed-precision',
      expected: 'no or bf16 on a CPU',
      received: 'fp16',
      remedy: 'fp16 is for GPUs; bf16 takes the same memory',
    })
  }
  if (deterministic && isGpu) useDeterministic(true)
  return { device, dtype: dtypeOf(mixedPrecision, device) }
}

/** In which type a checkpoint computes on a device, `cpu`, `cuda`, `cuda:0`. */
export const dtypeOf = (mixedPrecision: PlacementSettings['mixedPrecision'], device: string): Dtype =>
  dtypes[mixedPrecision ?? (device === 'cpu' ? 'no' : 'bf16')]
