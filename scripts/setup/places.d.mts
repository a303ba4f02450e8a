export const project: string
export const isPackage: boolean
export const version: string
export const cache: string
export const made: string
export const addon: string
export const record: string
export const fakeDevice: string
export const noWheel: string
export const libtorch: string
export const setupCommand: string

export interface LibraryRecord {
  readonly how: 'LIBTORCH' | 'python3' | 'private'
  readonly torchVersion: string
  readonly torchFolder: string
  /** Whether the add-on is linked to CUDA's libraries; which CUDA its libtorch is built for, where it is. */
  readonly cuda: boolean
  readonly cudaVersion?: string
  /** Whether the libtorch is one for ROCm. */
  readonly hip?: boolean
  /** ATTUNE_GPU at that time. */
  readonly asked?: 'yes' | 'no'
  readonly addon: string
  readonly stamp: string
}
export function readRecord(file?: string): LibraryRecord | undefined
