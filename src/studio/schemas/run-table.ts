/** All runs of a studio as a table, what one would take along that is deleted, and curves to lay over each other. */
import { z } from 'zod'
import { count, isVisible, RunName, share, text, time, visible } from './basics.ts'
import { JobState, SettingValue } from './jobs.ts'

const bytes = z.number().nonnegative()
const figure = z.number().nullable()

export const RunRow = z.object({
  name: RunName,
  /** What somebody calls it; the name stays. */
  title: z.string().nullable(),
  /** Its command: `policy dpok`. */
  stage: z.string(),
  kind: z.enum(['round', 'reward', 'policy', 'best-of-n', 'report', 'other']),
  state: JobState,
  /** That makes or made it; null of what the command line made. */
  job: z.string().nullable(),
  /** When it ended; of what has not, when it was queued or begun. */
  at: time,
  /** Wall-clock time that it took so far. */
  seconds: z.number().nonnegative(),
  /** On the disk. */
  bytes,
  archived: z.boolean(),
  /** With which it was started; runs by their names. */
  settings: z.record(z.string(), SettingValue),
  /** Of the newest report that measures a policy, else of its training; of a reward its held-out figures. Null: not known. */
  figures: z.object({
    reward: figure,
    /** Share of images of unseen prompts. */
    alignment: share.nullable(),
    klNats: figure,
    frechet: figure,
    auc: share.nullable(),
  }),
  /** It has curves. */
  measured: z.boolean(),
  /** The studio can start it once more. */
  canRerun: z.boolean(),
})
export type RunRow = z.infer<typeof RunRow>
export const RunRows = z.object({ /** Newest first, archived ones too. */ runs: z.array(RunRow) })
export type RunRows = z.infer<typeof RunRows>

export const RunChange = z
  .strictObject({
    /** Null takes it away. */
    title: text.trim().min(1).max(120).refine(isVisible, visible).nullable().optional(),
    archived: z.boolean().optional(),
  })
  .refine(({ title, archived }) => title !== undefined || archived !== undefined, 'a title, or whether it is archived')
export type RunChange = z.input<typeof RunChange>

export const RunDeletion = z.object({
  name: RunName,
  /** That become free. */
  bytes,
  /** Why it cannot be deleted now, as a sentence. */
  obstacle: z.string().nullable(),
  /** What was made from it, or needs it, and stays without it. */
  children: z.array(
    z.object({
      /** `dpok-1`; of judgments `judgments`. */
      name: z.string(),
      /** `policy dpok`, `a comparison of it`, `12 judgments of its images` */
      what: z.string(),
      /** How many judgments; null of all else. */
      judgments: count.nullable(),
    }),
  ),
})
export type RunDeletion = z.infer<typeof RunDeletion>

export const DeleteRun = z.strictObject({
  /** Names of all children that somebody has read and agrees to leave without it. */
  children: z.array(z.string().max(200)).max(10_000).default([]),
})
export type DeleteRun = z.input<typeof DeleteRun>
export const DeletedRun = z.object({ name: RunName, bytes })
export type DeletedRun = z.infer<typeof DeletedRun>

export const RunMetrics = z.object({
  /** At most 500, evenly thinned; `seconds` are those since the run began, where rows tell their time. */
  rows: z.array(z.record(z.string(), z.number())),
})
export type RunMetrics = z.infer<typeof RunMetrics>
