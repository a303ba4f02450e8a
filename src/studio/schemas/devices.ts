/** The devices of the machine, as they are at this moment. */
import { z } from 'zod'
import { count, share } from './basics.ts'

export const Device = z.object({
  /** `cuda:0`, `cpu` */
  id: z.string(),
  isGpu: z.boolean(),
  /** `NVIDIA H100 80GB HBM3`; null where nothing tells it. */
  name: z.string().nullable(),
  /** Share of the time in which it worked lately, for whatever program. */
  busy: share.nullable(),
  /** Of all programs. */
  memory: z.object({ usedBytes: z.number().nonnegative(), totalBytes: z.number().positive() }).nullable(),
  /** Jobs that it takes at once; the CPU is told of also where it takes none. */
  slots: count,
  /** Ids of the jobs that have it. */
  jobs: z.array(z.string()),
  /** Of those that wait and could take it, in the order of their turns; one that follows another is not among them yet. */
  waiting: z.array(z.string()),
  /** The process of the playground has its model there; of a GPU it makes way for a job. */
  playground: z.boolean(),
})
export type Device = z.infer<typeof Device>
export const Devices = z.object({
  /** GPUs first. */
  devices: z.array(Device),
  /** Why a GPU of the machine is idle, and what to do about it. */
  note: z.string().nullable(),
})
export type Devices = z.infer<typeof Devices>
