/** The settings of `report`. */
import { z } from 'zod'
import { optionalCount, optionalText } from '../config-fields.ts'
import { promptColumnField } from '../images/known-prompts.ts'
import { loraScaleField, modelFields, samplingFields } from '../images/open-model.ts'
import { rewardFields, secondRewardName } from '../reward/open-reward.ts'
import { resumeField } from '../run.ts'

/** Settings of `report`. */
export const ReportConfig = z.strictObject({
  ...rewardFields,
  policies: z.array(z.string()).default([]).meta({
    description: 'Trained policies to compare, in the order of the page; its headline is about the last one.',
    expected: 'name=folder,name2=folder2; a folder alone has the name of its algorithm',
  }),
  ...loraScaleField,
  bestOf: z.int().positive().max(1000).default(4).describe('Images among which best-of-n picks; 1 leaves it out.'),
  seen: optionalText.describe('File of the prompts that were trained on; shapes has a list of its own.'),
  unseen: optionalText.describe('File of prompts that were not; shapes has a list of its own.'),
  ...promptColumnField,
  scorer: secondRewardName
    .nullable()
    .default(null)
    .describe(
      'Reward that measures alignment where there is no judge: the share of images that it prefers to the base’s. Best one that no policy was trained on; --reward without it.',
    ),
  heldOutReward: secondRewardName
    .nullable()
    .default(null)
    .describe('Reward that no policy learned from, which measures all of them beside what else does.'),
  votes: optionalText.describe(
    'Feedback store whose blind votes between these policies count; without it those that taught them or their reward.',
  ),
  referenceImages: optionalText.describe(
    'Folder of images that fidelity is measured against where there are no true renders; other images of the base without it.',
  ),
  features: optionalText.describe(
    'Network in whose features images are compared: an Inception-v3 of the FID’s PyTorch port, a DINOv2 or a CLIP, as a folder or a .safetensors file. Without it that of the judge, or else the encoder of the scorer.',
  ),
  detector: optionalText.describe(
    'OWL-ViT by which objects, numbers and positions in images are checked, as a folder; colours by --encoder, or else a CLIPModel among the rewards. Not checked without it.',
  ),
  detectorThreshold: z
    .number()
    .min(0)
    .max(1)
    .default(0.1)
    .describe('Score above which what the detector finds counts as an object.'),
  imagesPerPrompt: z
    .int()
    .min(2)
    .max(10_000)
    .default(8)
    .describe('Images of each prompt and policy; all are in memory at once.'),
  klRollouts: z
    .int()
    .positive()
    .max(1_000_000)
    .default(256)
    .describe('Roll-outs from which the KL of a policy is estimated.'),
  seed: z.int().nonnegative().default(0).describe('Seed of the images; none of them was used in training.'),
  ...samplingFields,
  ...modelFields,
  processes: optionalCount(1024).describe(
    'Processes at once, each with the model in its memory; two for shapes and one for real checkpoints without it.',
  ),
  resume: resumeField,
  out: z.string().min(1).describe('Run folder to write: report.html, report.json and the images as drawn.'),
})
export type ReportConfig = z.infer<typeof ReportConfig>

/** The reward that stands for a judge. */
export const measuringReward = ({ scorer, reward }: Pick<ReportConfig, 'scorer' | 'reward'>): string => scorer ?? reward
/** What fidelity is measured against where there is no judge, as a phrase. */
export const referencePhrase = ({ referenceImages }: Pick<ReportConfig, 'referenceImages'>): string =>
  referenceImages === null ? 'other images of the base model' : `the images of ${referenceImages}`
