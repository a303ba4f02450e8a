/** `reward train`: labels → a reward, with its quality on prompts that it has not seen. */
import { join } from 'node:path'
import { z } from 'zod'
import { ConfigError, FormatError } from '../errors.ts'
import { openExistingFeedback } from '../feedback/stages.ts'
import { trainingJudgments } from '../feedback/training.ts'
import { modelFields, type Open, type OpenModel } from '../images/open-model.ts'
import { readPicture } from '../images/png.ts'
import { readDistractors } from '../prompts/distractors-file.ts'
import type { Judgment } from '../records.ts'
import { startRun, type Manifest } from '../run.ts'
import { tensorScope } from '../tensor/scope.ts'
import { embed } from './embeddings.ts'
import { openEncoder } from './open-encoder.ts'
import { rewardFileName, writeReward } from './reward-file.ts'
import { headKinds } from './reward-head.ts'
import { shownTexts, textsIn } from './shown-texts.ts'
import { splitByPrompt } from './split-by-prompt.ts'
import { fitReward, measureReward, rewardFitFields, type LabelledImage } from './train-reward.ts'

export const RewardTrainConfig = z.strictObject({
  feedback: z.string().min(1).describe('Feedback store, a SQLite file.'),
  encoder: z
    .string()
    .min(1)
    .nullable()
    .default(null)
    .describe(
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
  seed: z.int().nonnegative().default(0).describe('Seed of the split, the first weights and the order of the labels.'),
  ...rewardFitFields,
  distractorsFile: z
    .string()
    .min(1)
    .nullable()
    .default(null)
    .describe(
      'Wrong prompts for prompt classification, .jsonl: {"prompt": …, "distractors": […]} a line. For other prompts they are made: what a template states is changed, in free text colours and numbers.',
    ),
  ...modelFields,
  out: z.string().min(1).describe('Run folder to write.'),
})
export type RewardTrainConfig = z.infer<typeof RewardTrainConfig>

/**
 * Fits the reward twice with the same settings: on the training prompts, to be measured on the held-out ones, and on all
 * labels, to be used. Every good or bad judgment that stands is an example, also several of one image. The generative
 * model is opened only where no encoder is named.
 *
 * @throws {RewardError} labels of one class only, or of too few prompts to hold any out
 * @throws {ConfigError} no encoder is named and the model brings none
 * @throws {FormatError} an image or a line of distractors cannot be read, or all of these are for other prompts
 */
export async function trainReward(config: RewardTrainConfig, open: Open): Promise<Manifest> {
  const { out, ...settings } = config
  const { seed, feedback, distractorsFile } = config
  const parents = { feedback, ...(distractorsFile === null ? {} : { distractors: distractorsFile }) }
  using run = startRun({ folder: out, stage: 'reward train', config: settings, parents })
  const { examples, files, judgments } = await labelledImages(feedback)
  const split = config.heldOut === 0 ? undefined : splitByPrompt(examples, config.heldOut, seed)
  const given = distractorsFile === null ? undefined : await givenDistractors(distractorsFile, examples)
  const { encoder, vocabulary } = config.encoder === null ? await ownEncoder(config, open) : namedEncoder(config)
  const head = config.head ?? (config.encoder === null ? 'agreement' : 'mlp')

  const shownFor = (part: readonly LabelledImage[]) => shownTexts(part, seed, { vocabulary, given })
  const shown = shownFor(examples)
  const shownInTraining = split && shownFor(split.training)
  const texts = [shown, shownInTraining].flatMap((each) => (each === undefined ? [] : textsIn(each)))
  const withDistractors = [...shown.distractors.values()].filter((wrong) => wrong.length > 0).length
  if (config.classificationWeight > 0) tellDistractors(withDistractors, shown.distractors.size)
  using embedded = await embed(encoder, files, readPicture, texts)

  using _scope = tensorScope()
  let heldOut: Record<string, unknown> | null = null
  if (split !== undefined && shownInTraining !== undefined) {
    const options = { head, seed, label: 'reward without held-out prompts' }
    const measured = fitReward(embedded, split.training, shownInTraining, config, options)
    heldOut = { prompts: split.prompts, ...measureReward(embedded, measured, split.heldOut) }
  }
  const fitted = fitReward(embedded, examples, shown, config, { head, seed })
  writeReward(run.path(rewardFileName), fitted, encoder, config.encoder ?? undefined)
  const count = (answer: Judgment['answer']) => judgments.filter((judgment) => judgment.answer === answer).length
  return run.finish({
    labels: examples.length,
    good: count('good'),
    bad: count('bad'),
    skipped: count('skip'),
    raters: new Set(judgments.map(({ rater }) => rater)).size,
    simulated: judgments.some(({ raterKind }) => raterKind === 'simulated'),
    encoder: { name: encoder.name, sha256: encoder.sha256 },
    head,
    prompts: shown.distractors.size,
    promptsWithDistractors: withDistractors,
    heldOut,
    note: 'heldOut is of a fit without those prompts; the reward that was written is a fit of all labels.',
  })
}

/** @throws {ConfigError} the model brings none */
async function ownEncoder(
  config: RewardTrainConfig,
  open: Open,
): Promise<Required<Pick<OpenModel, 'encoder'>> & Pick<OpenModel, 'vocabulary'>> {
  const { encoder, vocabulary } = await open(config)
  if (encoder !== undefined) return { encoder, ...(vocabulary !== undefined && { vocabulary }) }
  throw new ConfigError({
    where: '--encoder',
    expected: 'a CLIPModel: a folder, or owner/name in the Hugging Face cache',
    received: 'nothing',
    remedy: `name one, such as openai/clip-vit-large-patch14: ${config.model} brings no encoder of its own`,
  })
}

const namedEncoder = (config: RewardTrainConfig) => ({
  encoder: openEncoder(config.encoder!, config),
  vocabulary: undefined,
})

/** Good and bad labels in their order, and the files of the images that they are of. */
async function labelledImages(
  file: string,
): Promise<{ examples: LabelledImage[]; files: string[]; judgments: Judgment[] }> {
  await using store = await openExistingFeedback(file)
  const judgments = (await trainingJudgments(store)).filter(({ kind }) => kind === 'good-bad-skip')
  const images = new Map((await store.images()).map((image) => [image.record.id, image]))
  const rows = new Map<string, number>()
  const examples = judgments.flatMap(({ images: [id], answer }) => {
    if (answer === 'skip') return []
    if (!rows.has(id)) rows.set(id, rows.size)
    return [{ image: rows.get(id)!, text: images.get(id)!.record.text, good: answer === 'good' }]
  })
  const files = [...rows.keys()].map((id) => {
    const { folder, record } = images.get(id)!
    return join(folder, record.file)
  })
  return { examples, files, judgments }
}

async function givenDistractors(
  file: string,
  examples: readonly LabelledImage[],
): Promise<ReadonlyMap<string, readonly string[]>> {
  const given = await readDistractors(file)
  if (examples.some(({ text }) => given.has(text))) return given
  throw new FormatError({
    where: file,
    expected: `prompts that have labels, such as "${examples[0].text}"`,
    received: `${given.size} other prompts`,
    remedy: 'write each prompt as it was drawn',
  })
}

function tellDistractors(some: number, all: number): void {
  if (some === all) return
  const remedy = 'add wrong prompts for the others with --distractors-file'
  process.stderr.write(`note: prompt classification has distractors for ${some} of ${all} prompts; ${remedy}\n`)
}
