/** Settings of `reward train` for training the encoder itself. */
import { z } from 'zod'
import { optionalCount } from '../../config-fields.ts'
import { adapterFields, gradientCheckpointingField } from '../../networks/adapters.ts'

export const encoderTrainingFields = {
  trainEncoder: z
    .enum(['lora', 'all'])
    .nullable()
    .default(null)
    .describe(
      'Fine-tunes the encoder itself on pairs (PickScore, Kirstain et al. 2023), by low-rank adapters or all of its weights; the heads on the frozen one are what it is measured against. Without it the encoder stays as it is.',
    ),
  encoderEpochs: z
    .int()
    .positive()
    .max(100_000)
    .default(10)
    .describe(
      'Passes of the encoder’s training over its pairs at the most: it ends where it is no longer better on pairs that it does not learn from.',
    ),
  encoderBatchSize: optionalCount(16_384).describe(
    'Pairs per update of the encoder; 32 for shapes and 128 for a CLIPModel without it.',
  ),
  encoderLearningRate: z
    .number()
    .positive()
    .nullable()
    .default(null)
    .describe(
      'Learning rate of AdamW for the encoder, after a warm-up decaying linearly to zero; without it 3e-6 for all weights of a CLIPModel, as in the paper, 1e-4 for its adapters, and 1e-4 and 1e-3 for shapes.',
    ),
  ...adapterFields,
  gradientAccumulationSteps: optionalCount(16_384).describe(
    'Parts in which the pairs of an update of the encoder are computed; changes the memory that it takes, not the result. As few as fit without it.',
  ),
  ...gradientCheckpointingField,
}
export type EncoderTrainingSettings = Omit<z.infer<z.ZodObject<typeof encoderTrainingFields>>, 'trainEncoder'> & {
  readonly trainEncoder: 'lora' | 'all'
}
