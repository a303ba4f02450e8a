/**
 * What travels between the stages: Prompt → Image → Judgment, and Score. Each record names its parent by id, so a
 * label can be followed back to the prompt, the seed and the policy that drew the image. On disk: one JSON object a line.
 */
import { z } from 'zod'

export const categories = ['color', 'count', 'background', 'combination', 'other'] as const

/** What a prompt asks for beyond its object; `other` is free text. */
export const Category = z.enum(categories)
export type Category = z.infer<typeof Category>

/** What a prompt states, in the words of the vocabulary. What is absent is left to the model. */
export const Attributes = z.strictObject({
  /** Singular noun: `circle`. */
  object: z.string().optional(),
  color: z.string().optional(),
  /** 1 … the vocabulary's largest. */
  count: z.int().positive().optional(),
  background: z.string().optional(),
})
export type Attributes = z.infer<typeof Attributes>

export const Prompt = z.strictObject({
  /** Unique in its file; images and judgments refer to it. */
  id: z.string().min(1),
  text: z.string().min(1),
  category: Category,
  /** Present where the text was made from, or parsed by, a vocabulary. */
  attributes: Attributes.optional(),
})
export type Prompt = z.infer<typeof Prompt>

export const ImageRecord = z.strictObject({
  /** First 16 hex digits of SHA-256 over the prompt's text and the PNG: the same picture of the same prompt has one id. */
  id: z.string().regex(/^[0-9a-f]{16}$/),
  /** Parent: the prompt's id, with its text beside it so that an image folder can be read alone. */
  prompt: z.string().min(1),
  text: z.string().min(1),
  category: Category,
  attributes: Attributes.optional(),
  /** PNG file, relative to the run folder. */
  file: z.string().min(1),
  /** Of the PNG file. */
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  /** The noise is a function of (seed, index) alone. */
  seed: z.int().nonnegative(),
  index: z.int().nonnegative(),
  /** The run that trained the policy, or `pretrained`. */
  policy: z.string().min(1),
  sampler: z.literal('ddim'),
  steps: z.int().positive(),
  eta: z.number().nonnegative(),
  guidance: z.number(),
})
export type ImageRecord = z.infer<typeof ImageRecord>

/** Good / bad / skip is one kind of judgment; others (pairs, rankings) add members to this union. */
export const Judgment = z.strictObject({
  /** Given by the writer (a UUID), so that a repeated submission counts once. */
  id: z.string().min(1),
  kind: z.literal('good-bad-skip'),
  /** Image ids in the order shown; for this kind exactly one. */
  images: z.array(z.string()).length(1),
  answer: z.enum(['good', 'bad', 'skip']),
  rater: z.string().min(1),
  /** A simulated rater is always marked as such. */
  raterKind: z.enum(['person', 'simulated']),
  /** ISO 8601, UTC. */
  at: z.iso.datetime(),
  /** Time the rater took, where it is known. */
  durationMs: z.number().nonnegative().optional(),
  /** The id of an earlier judgment that this one takes back; the earlier row stays. */
  undoes: z.string().optional(),
})
export type Judgment = z.infer<typeof Judgment>

export const Score = z.strictObject({
  /** Parent: the image's id. */
  image: z.string(),
  /** The reward run that gave the score. */
  reward: z.string(),
  value: z.number(),
})
export type Score = z.infer<typeof Score>
