import { z } from 'zod'
import { optionalText } from '../../config-fields.ts'
import { modelFields } from '../../images/open-model.ts'
import { resumeField } from '../../run.ts'
import { checkpointsKeptField } from '../../tensor/checkpoints.ts'
import { encoderTrainingFields } from '../encoder-training/fields.ts'
import { headKinds } from '../heads/reward-head.ts'
import { rewardFitFields } from './reward-fit.ts'

/** Settings of `reward train`. */
export const RewardTrainConfig = z.strictObject({
  feedback: z.string().min(1).describe('Feedback store, a SQLite file.'),
  encoder: optionalText.describe(
    'Frozen CLIPModel whose embeddings the reward reads: a folder, or owner/name in the Hugging Face cache; the model’s own without it, which shapes alone has.',
  ),
  head: z
    .enum(headKinds)
    .nullable()
    .default(null)
    .describe(
      'What is trained: agreement, which starts as the CLIP score, or mlp, that of Lee et al.; mlp with --encoder, agreement otherwise.',
    ),
  heldOut: z
    .number()
    .min(0)
    .max(0.9)
    .default(0.2)
    .describe('Share of the prompts that measure the reward; 0 measures nothing.'),
  ensemble: z
    .int()
    .nonnegative()
    .max(1000)
    .refine((members) => members !== 1, 'one alone cannot differ; 0, or at least 2')
    .default(5)
    .describe(
      'More heads, each fitted to resampled prompts: where they differ, the reward is unsure, and the queue asks first. Needs embeddings of all images of the store; 0 leaves it out.',
    ),
  seed: z
    .int()
    .nonnegative()
    .default(0)
    .describe('Seed of the split, the first weights, the order of the labels and the resampling.'),
  ...rewardFitFields,
  ...encoderTrainingFields,
  distractorsFile: optionalText.describe(
    'Wrong prompts for prompt classification: .jsonl or .json of {"prompt": …, "distractors": […]}, or a table with the columns prompt and distractor. For other prompts they are made: what a template states is changed, in free text colours and numbers.',
  ),
  ...modelFields,
  ...checkpointsKeptField,
  resume: resumeField,
  out: z.string().min(1).describe('Run folder to write.'),
})
export type RewardTrainConfig = z.infer<typeof RewardTrainConfig>
