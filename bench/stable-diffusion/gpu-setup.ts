/** What gpu.ts and its sides tell each other. */
import type { Dtype } from '../../src/tensor/dtype.ts'

/** What both sides are told. */
export interface GpuSetup {
  readonly device: string
  readonly dtype: Dtype
  readonly batches: readonly number[]
  readonly steps: number
  readonly transitions: number
  /** Roll-outs of an iteration. */
  readonly rollouts: number
  readonly tiny: boolean
  /** Timed runs of a case, after one that is not counted. */
  readonly rounds: number
}

/** One case: the median of its runs, with the quickest and the slowest. */
export interface Figure {
  readonly name: string
  readonly seconds: number
  readonly least: number
  readonly most: number
  /** Most of the device's memory that tensors held in it; null where it is not known. */
  readonly megabytes: number | null
}

/** How many matrix products a run of `matmul` has, and of how many rows. */
export const products = { count: 20, side: (tiny: boolean) => (tiny ? 256 : 8192) }
