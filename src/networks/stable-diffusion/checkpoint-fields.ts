import { z } from 'zod'
import { optionalText } from '../../config-fields.ts'

/** Config fields that say of a checkpoint what it does not say itself, or says otherwise. */
export const checkpointFields = {
  vae: optionalText.describe(
    'Autoencoder in place of the checkpoint’s own: a .safetensors file, a folder, or owner/name.',
  ),
  predictionType: z
    .enum(['epsilon', 'v_prediction', 'sample'])
    .nullable()
    .default(null)
    .describe('What the denoiser predicts, where the checkpoint does not say or is wrong: single files of version 2.'),
  modelConfig: optionalText.describe(
    'Folder in diffusers’ layout whose configuration and tokenizer a single-file checkpoint has.',
  ),
}
export type CheckpointOptions = {
  readonly [field in keyof typeof checkpointFields]?: z.output<(typeof checkpointFields)[field]>
}
