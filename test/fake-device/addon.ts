/**
 * The add-on with a device that is none beside the CPU (see native/fake/device.cc), which it calls `cuda:0`: a run that
 * computes there takes the paths and the defaults of a GPU. `ATTUNE_ADDON` names this file to the program,
 * `FAKE_DEVICE_MEMORY` the bytes that it has, of which it tells only where they are limited. Once the file
 * `FAKE_DEVICE_TAKEN_AFTER` exists, another program takes all of them, until one tensor has found no place.
 */
import { createRequire } from 'node:module'
import { addon, fakeDevice } from '../../scripts/setup/places.mjs'
import type { Native } from '../../src/tensor/library.ts'

/** What a GPU would have copied and waited for since the process began, and its memory. */
export interface Transfers {
  /** Copies from the host to the device. */
  readonly copiesUp: number
  readonly bytesUp: number
  /** Copies from the device to the host: the host waits for each. */
  readonly copiesDown: number
  readonly bytesDown: number
  /** Numbers that the host reads without a copy of ours, waiting as well. */
  readonly items: number
  /** Operators that ran. */
  readonly kernels: number
  readonly bytesHeld: number
  readonly bytesPeak: number
}

const require = createRequire(import.meta.url)
const own = require(addon) as Native
const device = require(fakeDevice) as { transfers(): Transfers; takeMemory(): void }

export const { transfers, takeMemory } = device

const inside = <T>(value: T): T => (typeof value === 'string' ? (value.replace(/^cuda/, 'fake') as T & string) : value)

const named: Native = {
  ...own,
  library: () => ({ ...own.library(), cudaDevices: 1 }),
  call: (id, vacant, ...values) => own.call(id, vacant, ...values.map(inside)),
  describe: (tensor) => {
    const [dtype, place, ...shape] = own.describe(tensor)
    return [dtype, place.replace('fake', 'cuda'), ...shape]
  },
  // Attention of short sequences is a kernel of its own on one thread of a CPU, and nowhere else: here it is nowhere.
  threads: (count) => Math.max(2, own.threads(count)),
  deviceMemory: (place, anew) =>
    process.env.FAKE_DEVICE_MEMORY === undefined ? undefined : own.deviceMemory(inside(place), anew),
  emptyCache: (place) => own.emptyCache(inside(place)),
  autocast: (place, dtype) => own.autocast(inside(place), dtype),
  generator: (place, seed) => own.generator(inside(place), seed),
  // Gloo: its kernels are the CPU's, as all others here.
  joinGroup: (rank, size, timeoutMs) => own.joinGroup(rank, size, timeoutMs, false),
}

export { named as 'module.exports' }
