/**
 * Memory of the device that computes, and what a computation would take of it: the program itself runs on tensors with
 * shapes and without elements, on the device `meta`, and what it would hold is counted.
 */
import { hostMemory, type Memory } from '../host-memory.ts'
import { native } from './library.ts'
import { tensorScope } from './scope.ts'

/** What is free for tensors; undefined where this libtorch does not tell it of a GPU. */
export function memoryOf(device: string): Memory | undefined {
  if (device === 'cpu') return hostMemory()
  const found = native().deviceMemory(device)
  return found && { free: found[0], total: found[1], limit: device }
}

/** Gives back what libtorch keeps for later tensors. */
export function releaseMemory(device: string): void {
  if (device !== 'cpu') native().emptyCache(device)
}

/** Bytes that tensors on `meta` would hold now. */
export const countedBytes = (): number => native().countedBytes()[0]

/**
 * Bytes that tensors of `work` hold at the most beyond those of before, of its tensors on `meta`. What a kernel needs
 * beside its operands is not among them, but for convolutions, of which each lays its operands out anew.
 */
export function mostHeld(work: () => unknown): number {
  using _scope = tensorScope()
  const [before] = native().countedBytes(true)
  work()
  return native().countedBytes()[1] - before
}
