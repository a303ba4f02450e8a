/** What a stage gets when it asks for a model by its name. */
import { z } from 'zod'
import type { GenerativeModel } from '../networks/generative-model.ts'
import type { ImageTextEncoder } from '../networks/image-text-encoder.ts'
import type { PromptVocabulary } from '../prompts/vocabulary.ts'
import type { Sampling } from './draw.ts'
import type { Picture } from './png.ts'

/** Pre-training images with captions, by place in an endless stream. */
export type PretrainingSource = (
  from: number,
  count: number,
) => { pictures: readonly Picture[]; captions: readonly string[] }

export interface OpenModel {
  /** As it was pre-trained: the reference of every KL. */
  readonly model: GenerativeModel
  /** The model that rewards look through. */
  readonly encoder: ImageTextEncoder
  /** Present where prompts can be made and read by templates. */
  readonly vocabulary?: PromptVocabulary
  readonly pretraining?: PretrainingSource
}

/** A model together with the policy that is to be sampled: its own, or that of a run. */
export interface OpenPolicy extends OpenModel {
  readonly policy: GenerativeModel
}

/**
 * Opens a model by its name and, where a run is given, the policy that it trained.
 *
 * @throws {ConfigError} unknown name
 * @throws {FileError | FormatError} weights that are missing or broken, or a run of another model
 */
export type Open = (name: string, policyRun?: string | null) => Promise<OpenPolicy>

/** Config fields of every stage that computes with a model. */
export const modelFields = {
  model: z.string().min(1).default('shapes').describe('The pre-trained model; shapes is the embedded one.'),
  threads: z.int().positive().default(1).describe('Threads of this process; small models are fastest with one.'),
}

/** Config fields of every stage that samples. */
export const samplingFields = {
  steps: z.int().positive().nullable().default(null).describe('Sampling steps; the model’s own number without it.'),
  eta: z
    .number()
    .nonnegative()
    .nullable()
    .default(null)
    .describe('Noise of a sampling step: 0 deterministic, 1 as DDPM; the model’s own without it.'),
  guidance: z
    .number()
    .nullable()
    .default(null)
    .describe('Scale of classifier-free guidance, 1 is without; the model’s own without it.'),
}

/** The given settings, and the model's own where none is given. */
export function samplingOf(
  { defaults }: GenerativeModel,
  given: { readonly [field in keyof Sampling]: number | null },
): Sampling {
  return {
    steps: given.steps ?? defaults.steps,
    eta: given.eta ?? defaults.eta,
    guidance: given.guidance ?? defaults.guidance,
  }
}
