/** What a stage gets when it asks for a model by its name. */
import { z } from 'zod'
import { optionalCount } from '../config-fields.ts'
import { ConfigError } from '../errors.ts'
import { defaultModel } from '../model-names.ts'
import { policyOf, type CleanStates, type GenerativeModel, type Sampling } from '../networks/generative-model.ts'
import { mostSide } from '../networks/image-size.ts'
import type { InspectConfig } from '../networks/inspect-model.ts'
import type { ImageTextEncoder } from '../networks/image-text-encoder.ts'
import { checkpointFields } from '../networks/stable-diffusion/checkpoint-fields.ts'
import type { PromptVocabulary } from '../prompts/vocabulary.ts'

/** Pre-training images as clean states [count, …] with their captions, by place in an endless stream. */
export type PretrainingSource = (from: number, count: number) => CleanStates & { readonly captions: readonly string[] }

/** A model that was opened, with what belongs to it. */
export interface OpenModel {
  /** As it was pre-trained: the reference of every KL. */
  readonly model: GenerativeModel
  /** The encoder that rewards look through where they name no other; real checkpoints bring none. */
  readonly encoder?: ImageTextEncoder
  /** Present where prompts can be made and read by templates. */
  readonly vocabulary?: PromptVocabulary
  readonly pretraining?: PretrainingSource
}

/** A model together with the policy that is to be sampled: its own, or that of a run. */
export interface OpenPolicy extends OpenModel {
  readonly policy: GenerativeModel
}

/**
 * Opens a model and, where a policy is given, what it changes: a `policy` run, or a LoRA file. Sets the threads of this
 * process.
 *
 * @throws {ConfigError} unknown name, or a setting that this model does not have
 * @throws {FileError | FormatError} weights that are missing or broken, or a policy of another model
 */
export type Open = (
  config: ModelConfig & { readonly loraScale?: number },
  policy?: string | null,
) => Promise<OpenPolicy>

/**
 * Models of one kind. A family lives in a folder of its own, as `family.ts`, and has a line in the list of `open.ts`; its
 * networks are loaded when it opens one.
 */
export interface ModelFamily {
  /** What `--model` may say of it, for messages. */
  readonly accepts: string
  /** Whether this is the name of such a model. */
  claims(model: string): boolean
  /**
   * Opens one as it was pre-trained, and sets the threads of this process.
   * @throws {ConfigError} a setting that these models do not have
   * @throws {FileError | FormatError} weights that are missing or broken
   */
  open(config: ModelConfig): Promise<OpenModel>
  /** What `model inspect` tells of one, in lines, without loading it; without it the name is read as that of a Stable Diffusion or CLIP checkpoint. */
  inspect?(config: InspectConfig): Promise<string>
}

/** Config fields of every stage that computes with a model. */
export const modelFields = {
  model: z
    .string()
    .min(1)
    .default(defaultModel)
    .describe(
      'The pre-trained model: shapes, which is embedded (shapes-flow: the same, seen as flow matching), a folder in diffusers’ layout, a single .safetensors file, or owner/name in the Hugging Face cache.',
    ),
  resolution: z
    .union([z.int().positive().max(mostSide), z.string().regex(/^[1-9]\d{0,4}[x×][1-9]\d{0,4}$/i), z.null()])
    .default(null)
    .meta({
      description: 'Side of the images in pixels, or their width and height as 768x512; the model’s own without it.',
      expected: 'a whole number of pixels, or 768x512',
    }),
  mixedPrecision: z
    .enum(['no', 'fp16', 'bf16'])
    .nullable()
    .default(null)
    .describe('Type of frozen weights and of computing; what is trained is kept in fp32. bf16 on a GPU, else no.'),
  device: z
    .string()
    .regex(/^(cpu|cuda(:\d+)?)$/, 'cpu, cuda or cuda:1')
    .nullable()
    .default(null)
    .describe('Where to compute: cpu, cuda, cuda:1. A GPU for real checkpoints where there is one.'),
  deterministic: z
    .boolean()
    .default(false)
    .describe(
      'Takes only algorithms that repeat themselves to the bit on a GPU, where training repeats itself up to rounding without it: slower. A CPU repeats itself either way.',
    ),
  ...checkpointFields,
  vaeTiling: z
    .boolean()
    .default(false)
    .describe('Takes large images through the autoencoder in overlapping tiles: less memory, faint seams.'),
  threads: optionalCount(1024).describe(
    'Threads of this process, each with a stack of its own: one for shapes, all cores for real checkpoints.',
  ),
}
export const ModelConfig = z.object(modelFields)
export type ModelConfig = z.infer<typeof ModelConfig>

/** What a stage's config says of the model, without the rest. */
export const modelSettingsOf = (config: ModelConfig): ModelConfig => ModelConfig.parse(config)

/** Config field of every stage that shows what a policy does. */
export const loraScaleField = {
  loraScale: z
    .number()
    .default(1)
    .describe('Strength of a policy made of adapters: 0 is the pre-trained model, 1 the policy as it was trained.'),
}

/** @throws {ConfigError} a strength of no policy */
export function expectScaledPolicy({ policy, loraScale }: { policy: string | null; loraScale: number }): void {
  if (loraScale === 1 || policy !== null) return
  const remedy = 'give the run or the LoRA file whose strength it is, or leave it out'
  throw new ConfigError({ where: '--lora-scale', expected: 'a --policy', received: 'none', remedy })
}

/** Config fields of every stage that samples. */
export const samplingFields = {
  steps: optionalCount(1000).describe(
    'Sampling steps, of which training knows 1000; the model’s own number without it.',
  ),
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
    .describe(
      'Scale of classifier-free guidance; from 1 down the prompt’s own prediction alone counts. The model’s own without it.',
    ),
}

/** How the policy of a model is sampled: by the given settings, and by its own where none is given. */
export function samplingOf(
  model: GenerativeModel,
  given: { readonly [field in keyof Sampling]: number | null },
): Sampling {
  const own = policyOf(model).sampling
  return { steps: given.steps ?? own.steps, eta: given.eta ?? own.eta, guidance: given.guidance ?? own.guidance }
}
