/** Models, LoRA files and policies as files. */
import { z } from 'zod'
import { isHubName, isRevision } from '../../networks/checkpoint/hub-name.ts'
import { count, time } from './basics.ts'
import { JobProgress } from './jobs.ts'

/** Without a form adapters come as diffusers reads them, and changed weights as they are. */
export const PolicyDownloadQuery = z.object({ form: z.enum(['diffusers', 'kohya', 'attune']).optional() })
export type PolicyForm = NonNullable<z.infer<typeof PolicyDownloadQuery>['form']>

const Licence = z.object({ id: z.string(), name: z.string().optional(), link: z.string().optional() }).nullable()

const Checkpoint = z.object({
  /** As a stage is told it. */
  name: z.string(),
  place: z.enum(['cache', 'workspace']),
  bytes: count,
  /** Its download has not come to an end. */
  isPartial: z.boolean(),
  licence: Licence,
  /** Whether it draws images, or reads them for a reward; null while it is looked at, and of what cannot be used. */
  kind: z.enum(['checkpoint', 'encoder', 'reward']).nullable(),
  /** As `attune model inspect` says it; null while it is looked at. */
  rows: z.array(z.tuple([z.string(), z.string()])).nullable(),
  /** What it lacks, or why it cannot be read. */
  error: z.string().nullable(),
})
export type Checkpoint = z.infer<typeof Checkpoint>

export const Fetch = z.object({
  model: z.string(),
  revision: z.string(),
  variant: z.enum(['fp16', 'bf16']).nullable(),
  state: z.enum(['running', 'done', 'stopped', 'failed']),
  startedAt: time,
  progress: JobProgress.nullable(),
  error: z.string().nullable(),
})
export type Fetch = z.infer<typeof Fetch>

const Choice = z.object({ model: z.string(), encoder: z.string().nullable() })

export const Models = z.object({
  /** What the studio was started with. */
  inUse: Choice.extend({ isEmbedded: z.boolean() }),
  /** What it will be started with next, where that is something else and nothing is said at its start. */
  chosen: Choice.nullable(),
  checkpoints: z.array(Checkpoint),
  /** LoRA files that somebody has brought. */
  loras: z.array(z.object({ name: z.string(), bytes: count })),
  /** The newest first. */
  fetches: z.array(Fetch),
})
export type Models = z.infer<typeof Models>

export const HubModel = z.string().trim().max(200).refine(isHubName, 'owner/name')
export const Wanted = z.strictObject({
  model: HubModel,
  revision: z.string().max(200).refine(isRevision, 'a branch, tag or commit').default('main'),
  variant: z.enum(['fp16', 'bf16']).nullable().default(null),
})
export type Wanted = z.input<typeof Wanted>

export const Offer = z.object({
  model: z.string(),
  revision: z.string(),
  files: count,
  bytes: count,
  /** Of these, those that are not here yet. */
  missingBytes: count,
  licence: Licence,
  /** Of the model at the hub. */
  page: z.string(),
})
export type Offer = z.infer<typeof Offer>

/** `licence`: the id that was shown and accepted; null where the hub tells none. */
export const NewFetch = Wanted.extend({ licence: z.string().max(100).nullable() })
export type NewFetch = z.input<typeof NewFetch>

/** One of those that are listed; nothing chosen is the embedded model. */
export const ModelChoice = z.strictObject({
  model: z.string().max(300).nullable(),
  encoder: z.string().max(300).nullable(),
})
export type ModelChoice = z.infer<typeof ModelChoice>

/** Of a file that somebody brings. */
export const FileName = z
  .string()
  .regex(/^[A-Za-z0-9][\w.-]{0,99}\.safetensors$/, 'a file name ending with .safetensors')
export const BroughtFile = z.object({ name: z.string(), bytes: count })
export type BroughtFile = z.infer<typeof BroughtFile>

export const AddedLora = BroughtFile.extend({
  layers: count,
  rank: count.nullable(),
  form: z.string(),
  trainedOn: z.string().nullable(),
})
export type AddedLora = z.infer<typeof AddedLora>
