/** What requests and answers of every kind are made of: texts, names, figures, refusals. */
import { z } from 'zod'

export const count = z.int().nonnegative()
export const share = z.number().min(0).max(1)
export const time = z.iso.datetime()
/** No database keeps a NUL in a text, nor half a pair of surrogates. */
export const isClean = (given: string) => !given.includes('\0') && given.isWellFormed()
export const clean = 'whole characters, none of them NUL'
/** Of spaces and signs without a shape nobody could tell what it names. */
export const isVisible = (given: string) => /[\p{L}\p{N}\p{P}\p{S}]/u.test(given)
export const visible = 'at least one character that can be seen'
/** A text that a person wrote. It is data wherever it goes. */
export const text = z.string().max(10_000).refine(isClean, clean)
export const PromptText = text.trim().min(1)
/** Name of a run, a round or a comparison: the last part of its folder. */
export const RunName = z.string().regex(/^[a-z0-9][a-z0-9.-]{0,79}$/, 'lower-case letters, digits, dots and hyphens')
export const ImageId = z.string().regex(/^[0-9a-f]{16}$/, '16 hex digits')
/** The run of a policy, or `pretrained`. */
export const PolicyRef = z.union([z.literal('pretrained'), RunName])
export const RaterName = z.string().trim().min(1).max(200).refine(isClean, clean)

/** What every refusal looks like. `code` is stable: that of the error, or `not-found`, `forbidden`, `too-many-requests` … */
export const Failure = z.object({
  error: z.object({
    code: z.string(),
    where: z.string(),
    expected: z.string(),
    received: z.string(),
    remedy: z.string(),
  }),
})
export type Failure = z.infer<typeof Failure>

/** A figure with its 95 % interval; null bounds where there are too few answers for one. */
export const Interval = z.object({
  value: z.number(),
  low: z.number().nullable(),
  high: z.number().nullable(),
  n: count,
})
export type Interval = z.infer<typeof Interval>

export const ImageRef = z.object({
  /** Served at `/images/<id>`, and in at most `size` pixels a side at `/images/<id>?size=<64|128|256|512|1024>`. */
  id: ImageId,
  /** Pixels; the embedded model's are 24 × 24: enlarge them without smoothing (`image-rendering: pixelated`). */
  width: z.int().positive(),
  height: z.int().positive(),
})
export type ImageRef = z.infer<typeof ImageRef>
