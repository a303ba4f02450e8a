/** Prompts before they are drawn: what would be left out, cut, or refused. */
import { z } from 'zod'
import { count, PromptText } from './basics.ts'

/** Of one round or comparison. */
export const mostPrompts = 500

export const PromptsToCheck = z.strictObject({ prompts: z.array(PromptText).min(1).max(20_000) })

export const PromptCheck = z.object({
  /** Each once, in their order; the first {@link mostPrompts}, which is what one round takes. */
  prompts: z.array(z.string()),
  /** Different ones in all. */
  total: count,
  /** Left out, since another is the same. */
  repeated: count,
  /** Longer than the text encoder reads; null where all are read whole, or where it cannot be told. */
  cut: z
    .object({
      count,
      /** Tokens that are read of a prompt. */
      read: count,
      /** The longest ones, ten at most. */
      named: z.array(z.object({ prompt: z.string(), tokens: count })),
    })
    .nullable(),
  /** That the model would refuse, with the reason: ten at most are named. */
  unreadable: z.object({ count, named: z.array(z.object({ prompt: z.string(), reason: z.string() })) }),
})
export type PromptCheck = z.infer<typeof PromptCheck>
