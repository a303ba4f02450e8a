/** `reward train`: labels → a reward, with its quality on prompts that it has not seen. */
import { join } from 'node:path'
import { z } from 'zod'
import { RewardError } from '../errors.ts'
import { openExistingFeedback } from '../feedback/stages.ts'
import { modelFields, type Open } from '../images/open-model.ts'
import { readPictures } from '../images/pictures.ts'
import { random } from '../random.ts'
import type { Judgment } from '../records.ts'
import { startRun, type Manifest } from '../run.ts'
import { useThreads } from '../tensor/library.ts'
import { rewardFileName, writeReward } from './reward-file.ts'
import { fitReward, measureReward, rewardFitFields, type LabelledImage } from './train-reward.ts'

export const RewardTrainConfig = z.strictObject({
  feedback: z.string().min(1).describe('Feedback store, a SQLite file.'),
  heldOut: z
    .number()
    .min(0)
    .max(0.9)
    .default(0.2)
    .describe('Share of the prompts that measure the reward; 0 measures nothing.'),
  seed: z.int().nonnegative().default(0).describe('Seed of the split, the first weights and the order of the labels.'),
  ...rewardFitFields,
  ...modelFields,
  out: z.string().min(1).describe('Run folder to write.'),
})
export type RewardTrainConfig = z.infer<typeof RewardTrainConfig>

/**
 * Fits the reward twice with the same settings: on the training prompts, to be measured on the held-out ones, and on all
 * labels, to be used. Every good or bad judgment that stands is an example, also several of one image.
 *
 * @throws {RewardError} labels of one class only, or of too few prompts to hold any out
 */
export async function trainReward(config: RewardTrainConfig, open: Open): Promise<Manifest> {
  const { out, ...settings } = config
  const parents = { feedback: config.feedback }
  using run = startRun({ folder: out, stage: 'reward train', config: settings, parents })
  const { examples, judgments } = await labelledImages(config.feedback)
  const split = config.heldOut === 0 ? undefined : splitByPrompt(examples, config.heldOut, config.seed)
  useThreads(config.threads)
  const { encoder, vocabulary } = await open(config.model)

  let heldOut: Record<string, unknown> | null = null
  if (split !== undefined) {
    const head = fitReward(encoder, split.training, config, config.seed, vocabulary, 'reward without held-out prompts')
    heldOut = { prompts: split.prompts, ...measureReward(encoder, head, split.heldOut) }
  }
  const head = fitReward(encoder, examples, config, config.seed, vocabulary, 'reward')
  writeReward(run.path(rewardFileName), encoder, head)
  const count = (answer: Judgment['answer']) => judgments.filter((judgment) => judgment.answer === answer).length
  return run.finish({
    labels: examples.length,
    good: count('good'),
    bad: count('bad'),
    skipped: count('skip'),
    raters: new Set(judgments.map(({ rater }) => rater)).size,
    simulated: judgments.some(({ raterKind }) => raterKind === 'simulated'),
    heldOut,
    note: 'heldOut is of a fit without those prompts; the reward that was written is a fit of all labels.',
  })
}

async function labelledImages(file: string): Promise<{ examples: LabelledImage[]; judgments: Judgment[] }> {
  await using store = await openExistingFeedback(file)
  const judgments = await store.judgments()
  const images = new Map((await store.images()).map((image) => [image.record.id, image]))
  const answered = judgments.filter(({ answer }) => answer !== 'skip')
  const stored = answered.map((judgment) => images.get(judgment.images[0])!)
  const pictures = await readPictures(stored.map(({ folder, record }) => join(folder, record.file)))
  const examples = answered.map(({ answer }, i) => ({
    picture: pictures[i],
    text: stored[i].record.text,
    good: answer === 'good',
  }))
  return { examples, judgments }
}

/** Few prompts may leave one side with one class: other draws of the split are tried. */
const mostDraws = 100

/**
 * Holds whole prompts out. Of the seeded draws the first with good and bad labels on both sides is taken.
 *
 * @throws {RewardError} there is none
 */
export function splitByPrompt(
  examples: readonly LabelledImage[],
  share: number,
  seed: number,
): { training: LabelledImage[]; heldOut: LabelledImage[]; prompts: number } {
  const texts = [...new Set(examples.map(({ text }) => text))].sort()
  const prompts = Math.max(1, Math.min(texts.length - 1, Math.round(texts.length * share)))
  const hasBoth = (part: readonly LabelledImage[]) => new Set(part.map(({ good }) => good)).size === 2
  for (let draw = 0; texts.length > 1 && draw < mostDraws; draw++) {
    const chosen = new Set(random(seed, 1, draw).shuffle(texts).slice(0, prompts))
    const training = examples.filter(({ text }) => !chosen.has(text))
    const heldOut = examples.filter(({ text }) => chosen.has(text))
    if (hasBoth(training) && hasBoth(heldOut)) return { training, heldOut, prompts }
  }
  const good = examples.filter((example) => example.good).length
  throw new RewardError({
    where: 'labels',
    expected: 'good and bad ones for at least two prompts',
    received: `${good} good and ${examples.length - good} bad for ${texts.length} prompts`,
    remedy:
      good === 0 || good === examples.length
        ? 'a reward can only be learned from a difference: judge more images'
        : 'judge more images, or measure nothing with --held-out 0',
  })
}
