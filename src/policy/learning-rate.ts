/** The learning rate of what is trained: a setting of every algorithm, whose usual value depends on what a model trains. */
import { z } from 'zod'
import type { ModelDefaults } from '../networks/generative-model.ts'

/** By what a model trains unless it is told otherwise: a few full weights bear more than adapters of many layers. */
export type UsualRates = Readonly<Record<ModelDefaults['parameters'], number>>

export const learningRateField = ({ text, lora }: UsualRates) => ({
  learningRate: z
    .number()
    .positive()
    .nullable()
    .default(null)
    .describe(
      `Learning rate of AdamW, decaying linearly to zero; without it ${text.toExponential()} for models that train what reads the prompt, as shapes, and ${lora.toExponential()} for those that train adapters, as real checkpoints.`,
    ),
})
