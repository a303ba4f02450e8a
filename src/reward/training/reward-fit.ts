/** How a reward is fitted. */
import { z } from 'zod'

/** The settings of the fit itself. */
export const rewardFitFields = {
  classificationWeight: z
    .number()
    .nonnegative()
    .default(0.5)
    .describe('Weight λ of prompt classification; 0 turns it off.'),
  temperature: z.number().positive().default(0.3).describe('Temperature T of prompt classification (Lee et al.: 2).'),
  distractors: z
    .int()
    .positive()
    .max(1000)
    .default(5)
    .describe('Wrong prompts beside the true one, for each good image; all are in memory.'),
  comparisonWeight: z
    .number()
    .nonnegative()
    .default(0.5)
    .describe('Weight of pairs, rankings and ratings beside labels; 0 leaves them out.'),
  shrink: z
    .boolean()
    .default(true)
    .describe(
      'Leaves the CLIP score as much say as judgments of prompts that a fit has not seen give it; few judgments, much.',
    ),
  epochs: z.int().positive().max(1_000_000).default(20).describe('Passes over the labels; a million take days.'),
  batchSize: z
    .int()
    .positive()
    .max(65_536)
    .default(128)
    .describe('Labels, and comparisons, per update; all are in memory.'),
  learningRate: z.number().positive().default(1e-3).describe('Learning rate of AdamW, decaying linearly to zero.'),
  weightDecay: z.number().nonnegative().default(5).describe('Decoupled weight decay of AdamW.'),
}
/** All of them. */
export const RewardFit = z.strictObject(rewardFitFields)
export type RewardFit = z.infer<typeof RewardFit>
