/** The playground: a prompt, drawn by several policies from the same noise, of which nothing is kept unless somebody asks. */
import { z } from 'zod'
import { clean, count, Failure, ImageId, ImageRef, isClean, PromptText, share } from './basics.ts'

/** Of one drawing. */
export const mostPoliciesDrawn = 4
/** Whose changes the process that draws keeps in memory. */
export const mostPoliciesKept = 4
export const mostImagesDrawn = 16
export const mostStrength = 1.5
/** Seeds that nobody has chosen: no round and no comparison counts up to them. */
export const freshSeeds = { least: 1_000_000_000, most: 2_000_000_000 } as const

/** `pretrained`, a policy run, or a LoRA file of the workspace: one of those that are listed. */
const PolicyName = z
  .string()
  .min(1)
  .max(255)
  .regex(/^[^/\\]+$/, 'the name of a policy that is listed')
  .refine(isClean, clean)

const Strength = z.number().min(0).max(mostStrength)

export const DrawRequest = z.strictObject({
  prompt: PromptText,
  negative: PromptText.optional(),
  policies: z
    .array(z.strictObject({ policy: PolicyName, strength: Strength.default(1) }))
    .min(1)
    .max(mostPoliciesDrawn),
  seed: z.int().min(0).max(4_294_967_295),
  /** Of each policy. */
  images: z.int().min(1).max(mostImagesDrawn).default(1),
  /** The model’s own without them. */
  steps: z.int().min(1).max(1000).nullable().default(null),
  guidance: z.number().min(0).max(100).nullable().default(null),
})
export type DrawRequest = z.input<typeof DrawRequest>

/** An image that was drawn and is not kept. Served at `/images/<id>` to admins as long as it is remembered. */
const Drawn = z.object({
  image: ImageRef,
  /** Place of its policy in the request. */
  policy: count,
  /** Its place among those of its policy: images of one place have the same noise. */
  index: count,
  /** `kept`: here, earlier; `there`: the studio has it from somewhere else, such as a round. */
  kept: z.enum(['no', 'kept', 'there']),
})
export type Drawn = z.infer<typeof Drawn>

/** The answer to a drawing is a line of JSON for each of these, as it happens. */
export const DrawEvent = z.discriminatedUnion('kind', [
  /** Others draw first. */
  z.object({ kind: z.literal('waiting'), ahead: count }),
  /** The model is being loaded: it was not in memory. */
  z.object({ kind: z.literal('loading') }),
  z.object({ kind: z.literal('progress'), share }),
  z.object({ kind: z.literal('image'), drawn: Drawn }),
  z.object({
    kind: z.literal('done'),
    durationMs: count,
    sampling: z.object({ steps: count, eta: z.number(), guidance: z.number() }),
  }),
  z.object({ kind: z.literal('failed'), error: Failure.shape.error }),
])
export type DrawEvent = z.infer<typeof DrawEvent>

export const PlaygroundState = z.object({
  /** What can be drawn with, the pre-trained model first, then the newest run first. */
  policies: z.array(
    z.object({
      policy: z.string(),
      kind: z.enum(['pretrained', 'run', 'lora']),
      /** Of what its strength scales: the product of adapters, or the way from the pre-trained weights to its own. */
      change: z.enum(['none', 'adapters', 'weights']),
    }),
  ),
  /** Words that the model of a closed world knows, by what they state; null: any text will do. */
  words: z
    .array(z.object({ of: z.enum(['counts', 'colors', 'objects', 'backgrounds']), words: z.array(z.string()) }))
    .nullable(),
  /** A prompt to begin with. */
  example: z.string().nullable(),
  /** Whether the negative prompt can be given: a closed world has none. */
  hasNegative: z.boolean(),
  /** Of the process that draws; `none`: it is started when it is needed. */
  process: z.enum(['none', 'loading', 'ready', 'drawing']),
  /** Where it draws, or would: `cpu`, `cuda:0`. */
  device: z.string(),
  /** Runs that compute there; drawing waits for nobody on a CPU, and is slower then. */
  beside: z.array(z.string()),
  /** Jobs have all GPUs, or wait for them: nothing can be drawn now. */
  lack: z.array(z.object({ id: z.string(), has: z.array(z.string()), wait: z.array(z.string()) })).nullable(),
  /** Minutes without work after which the process ends. */
  idleMinutes: z.number(),
})
export type PlaygroundState = z.infer<typeof PlaygroundState>

/** Images to be kept: they become images of the round `playground`. */
export const KeepImages = z.strictObject({ images: z.array(ImageId).min(1).max(64) })
export type KeepImages = z.infer<typeof KeepImages>
export const KeptImages = z.object({
  /** How many the studio did not have yet. */
  added: count,
  round: z.string(),
})
export type KeptImages = z.infer<typeof KeptImages>

export const PlaygroundDone = z.object({ process: PlaygroundState.shape.process })
