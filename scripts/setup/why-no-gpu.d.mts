import type { Gpus } from './gpus.mjs'

export interface Reason {
  /** Stable, for tables and tests. */
  readonly code: string
  readonly why: string
  readonly remedy: string
}

/** A libtorch as far as it concerns GPUs. */
export interface LibraryForGpus {
  readonly how: 'LIBTORCH' | 'python3' | 'private'
  readonly version: string
  /** The CUDA that it is built for. */
  readonly cuda: string | undefined
  readonly hip: boolean
  /** A shared library that it lacks. */
  readonly missing?: string
  /** ATTUNE_GPU, as it was set up. */
  readonly asked?: 'yes' | 'no'
  /** Whether the add-on is linked to CUDA's libraries; undefined before there is one. */
  readonly linked?: boolean
}

export function isUsual(reason: Reason): boolean
export function whyNotHere(gpus: Gpus): Reason | undefined
export function whyNotSetUp(gpus: Gpus): Reason | undefined
export function whyNotWith(gpus: Gpus, library: LibraryForGpus): Reason | undefined
export function noWheelFor(gpus: Gpus): Reason | undefined
export function driverRuns(gpus: Gpus, cuda: string): boolean
export function cardsRun(gpus: Gpus, cuda: string): boolean
