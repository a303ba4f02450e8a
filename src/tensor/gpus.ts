/** Whether this process can compute on a GPU, and exactly why where it cannot. */
import { gpusOf, type Gpus, type Machine } from '../../scripts/setup/gpus.mjs'
import { readRecord } from '../../scripts/setup/places.mjs'
import { isUsual, noWheelFor, whyNotHere, whyNotWith, type Reason } from '../../scripts/setup/why-no-gpu.mjs'
import { describeLibrary, native } from './library.ts'

/** What there is of GPUs: for the libtorch that runs here, on the machine, and as one sentence. */
export interface GpuState {
  /** How many GPUs this process can use. */
  readonly devices: number
  /** Why that is none; undefined where there is one. */
  readonly reason: Reason | undefined
  readonly machine: Gpus
  /** The CUDA that the libtorch is built for, and whether the add-on is linked to it. */
  readonly cuda: string | undefined
  readonly linked: boolean
  readonly sentence: string
}

/**
 * Loads libtorch, reads a few files and, where there is something of NVIDIA's, asks `nvidia-smi`, which takes a second.
 * `machine` stands for another machine's root and variables, with the libtorch that is here.
 */
export function gpuState(machine: Machine = {}): GpuState {
  const { cudaDevices: devices, version, source } = describeLibrary()
  const gpus = gpusOf(machine)
  const record = readRecord()
  const [linked, cuda] = [record?.cuda ?? false, record?.cudaVersion]
  const known = { machine: gpus, linked, cuda, devices }
  if (devices > 0) {
    const names = gpus.names.length === 0 ? '' : `: ${gpus.names.join(', ')}`
    const driver = gpus.driver === undefined ? '' : `, driver ${gpus.driver}`
    const sentence = `${devices} GPU${devices === 1 ? '' : 's'} of NVIDIA${names}; libtorch ${version} for CUDA ${cuda ?? ''}${driver}`
    return { ...known, reason: undefined, sentence }
  }
  const library = {
    how: source === 'unknown' ? ('private' as const) : source,
    version: record?.torchVersion ?? version,
    cuda,
    hip: record?.hip ?? false,
    asked: record?.asked,
    missing: undefined,
    linked,
  }
  const reason =
    whyNotHere(gpus) ?? (linked ? undefined : noWheelFor(gpus)) ?? whyNotWith(gpus, library) ?? inItsOwnWords()
  return { ...known, reason, sentence: `no GPU: ${reason.why}; ${reason.remedy}` }
}

function inItsOwnWords(): Reason {
  const why = `libtorch says: ${native().gpuTrouble() ?? 'no device was found'}`
  return { code: 'driver', why, remedy: 'mend the driver until `nvidia-smi` lists the GPU, or compute on the CPU' }
}

/** A line for those who named no device and may wonder why their GPU is idle. */
export function noteOfIdleGpu(state: GpuState): string | undefined {
  if (state.reason === undefined || isUsual(state.reason)) return undefined
  return `computing on the CPU, since ${state.reason.why}; ${state.reason.remedy}`
}
