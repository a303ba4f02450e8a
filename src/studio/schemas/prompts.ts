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
  /** Wrong prompts that a reward would be shown beside a prompt (prompt classification); of the first fifty prompts. */
  distractors: z.array(z.object({ prompt: z.string(), texts: z.array(z.string()) })),
})
export type PromptCheck = z.infer<typeof PromptCheck>

const NamedLine = z.object({ line: count, text: z.string() })

/** Of a file also what was left out, by its lines; ten are named of each. */
export const PromptsOfFile = PromptCheck.extend({
  again: z.array(NamedLine),
  /** Prompts that have a negative prompt of their own, of which this says no more. */
  negatives: count,
  /** Lines that are no prompts, and why. */
  wrong: z.object({ count, named: z.array(NamedLine) }),
})
export type PromptsOfFile = z.infer<typeof PromptsOfFile>

const words = z.array(z.string())

/** Words to make prompts of: those that the embedded model knows, else some of plain English. */
export const PromptWords = z.object({
  objects: z.array(z.object({ singular: z.string(), plural: z.string() })),
  colors: words,
  /** "one" first. */
  counts: words,
  backgrounds: words,
})
export type PromptWords = z.infer<typeof PromptWords>
