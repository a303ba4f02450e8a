/** The disk on which the workspace lies. */
import { z } from 'zod'

export const Disk = z.object({
  /** Bytes that this studio may still write. */
  freeBytes: z.number().nonnegative(),
  totalBytes: z.number().positive(),
  /** So little is free that jobs may fail for lack of it. */
  isLow: z.boolean(),
  /** Of an image of the workspace as it lies there, bytes: of the latest ones, or as the model's usually are. */
  imageBytes: z.number().positive(),
})
export type Disk = z.infer<typeof Disk>
