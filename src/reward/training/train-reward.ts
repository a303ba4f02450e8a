/** `reward train`: judgments → a reward, with its quality on prompts that it has not seen, and where it is unsure. */
import { rmSync } from 'node:fs'
import { z } from 'zod'
import { expectFiniteNumbers } from '../../checked.ts'
import { optionalText } from '../../config-fields.ts'
import { hashOfJson } from '../../content-hash.ts'
import { ConfigError, DivergenceError, FormatError } from '../../errors.ts'
import { modelFields, type Open, type OpenModel } from '../../images/open-model.ts'
import { readPicture } from '../../images/png.ts'
import { cutPrompts, cutResults, cutSentence } from '../../prompts/cut-prompts.ts'
import { readDistractors } from '../../prompts/distractors-file.ts'
import type { Judgment } from '../../records.ts'
import { disagreementsName, scoresName, uncertaintiesName } from '../../run-files.ts'
import { resumeCommand } from '../../resume-hint.ts'
import { resumeField, startRun, writeFileAtomic, type Manifest } from '../../run.ts'
import { sha256 } from '../../sha256.ts'
import { checkpointsKeptField } from '../../tensor/checkpoints.ts'
import { alone, type Group } from '../../tensor/group.ts'
import { PartFiles } from '../../tensor/part-files.ts'
import { expectSameEverywhere } from '../../tensor/same-everywhere.ts'
import { disagreements, foretold, largestDifferences } from '../examples/disagreements.ts'
import { embed } from '../encoding/embeddings.ts'
import { deviations, planEnsemble, scoresOf } from './ensemble.ts'
import { fitAll, type FitPlan } from './fit-all.ts'
import { FitCheckpoint } from './fit-checkpoint.ts'
import { readExamples, type StoredImageFile } from '../examples/read-examples.ts'
import { clipShareWords, heldOutWords } from '../examples/held-out-words.ts'
import { measureReward } from './measure-reward.ts'
import { openEncoder } from '../encoding/open-encoder.ts'
import { ensembleName, writeEnsemble } from '../ensemble-file.ts'
import { rewardFileName, writeReward } from '../reward-file.ts'
import { headKinds } from '../heads/reward-head.ts'
import { shownTexts, tellingWeight, textsIn } from '../examples/shown-texts.ts'
import { splitByPrompt } from '../examples/split-by-prompt.ts'
import { expectTeaching } from '../teaching-scores.ts'
import { foretell, mixWithClip } from './clip-mixture.ts'
import { lowerFitRates, trainingExamples, type FittedReward } from './fit-head.ts'
import { rewardFitFields } from './reward-fit.ts'
import { planFolds } from './folds.ts'
import { expectTellsApart, promptsOf, type RewardExamples } from '../examples/reward-examples.ts'

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
  distractorsFile: optionalText.describe(
    'Wrong prompts for prompt classification: .jsonl or .json of {"prompt": …, "distractors": […]}, or a table with the columns prompt and distractor. For other prompts they are made: what a template states is changed, in free text colours and numbers.',
  ),
  ...modelFields,
  ...checkpointsKeptField,
  resume: resumeField,
  out: z.string().min(1).describe('Run folder to write.'),
})
export type RewardTrainConfig = z.infer<typeof RewardTrainConfig>

/** What only an unfinished run needs. */
const scratch = ['embeddings', 'fits']

/** Settings that may be others when a run goes on: embeddings stay, and fits begin again where they depend on them. */
const changeable = ['learningRate', 'weightDecay', 'checkpointsKept']

/** Rows of `disagreements.json`. */
const mostDisagreements = 50

/**
 * Fits the reward with the same settings: on the training prompts, to be measured on the held-out ones; on all judgments,
 * to be used; and the members of the ensemble on resampled prompts. Every judgment that stands counts, also several of one
 * image. Writes the reward, how unsure the ensemble is of each image of the store (`uncertainties.json`), where people
 * and reward disagree (`disagreements.json`), and the scores: of a judged image by fits that have not seen its prompt, where
 * there are any (`scores.json`). The generative model is opened only where no encoder is named.
 *
 * @param group its processes divide the images, the texts and the fits among them, and the first one writes: a fit is made
 *   by one process, and its numbers do not depend on which
 * @throws {RewardError} labels of one class only and no comparison with a better image, or too few prompts to hold any out;
 *   a fit that gives all images one score
 * @throws {DivergenceError} a fit that left the finite numbers: what was embedded stays, and no fit of it
 * @throws {ConfigError} no encoder is named and the model brings none
 * @throws {FormatError} an image or a line of distractors cannot be read, or all of these are for other prompts
 * @throws {StoppedError} this process was asked to end; embeddings and fits are kept
 */
export async function trainReward(config: RewardTrainConfig, open: Open, group: Group = alone): Promise<Manifest> {
  const { out, resume, ...settings } = config
  const { seed, feedback, distractorsFile } = config
  const parents = { feedback, ...(distractorsFile === null ? {} : { distractors: distractorsFile }) }
  using run = startRun({ folder: out, stage: 'reward train', config: settings, parents, resume, changeable })
  const isWriter = group.rank === 0
  const tell = (line: string | undefined) => {
    if (isWriter && line !== undefined) process.stderr.write(`${line}\n`)
  }
  const own = config.encoder === null ? await ownEncoder(config, open) : undefined
  const { examples, judged, others, judgments, misread, unreadable } = await readExamples(
    feedback,
    own?.encoder.canRead,
  )
  tell(unreadableWords(unreadable))
  expectTellsApart(examples)
  const split = config.heldOut === 0 ? undefined : splitByPrompt(examples, config.heldOut, seed)
  const given = distractorsFile === null ? undefined : await givenDistractors(distractorsFile, promptsOf(examples))
  const { encoder, vocabulary } = own ?? namedEncoder(config)
  const head = config.head ?? (config.encoder === null ? 'agreement' : 'mlp')

  const shownFor = (part: RewardExamples) =>
    shownTexts(
      promptsOf(part).map((text) => ({ text })),
      seed,
      { vocabulary, given, misread },
    )
  const shown = shownFor(examples)
  const shownInTraining = split && shownFor(split.training)
  const texts = [shown, shownInTraining].flatMap((each) => (each === undefined ? [] : textsIn(each)))
  const withDistractors = [...shown.distractors.values()].filter((wrong) => wrong.length > 0).length
  if (config.classificationWeight > 0) {
    tell(distractorWords(withDistractors, shown.distractors.size))
    tell(tellingWords(shown.telling.size))
  }
  const cut = encoder.textLength && cutPrompts([...new Set(texts)], (text) => encoder.textLength!(text))
  if (cut !== undefined) tell(`reward: ${cutSentence(cut)}`)
  const inputs = {
    judgments: hashOfJson([judgments, judged.map(({ id }) => id)]),
    encoder: encoder.sha256,
    ...(given && { distractors: hashOfJson([...given]) }),
  }
  run.dependsOn(inputs)
  run.adopt(0)
  expectSameEverywhere(group, inputs)
  const fileOf = ({ file }: StoredImageFile) => readPicture(file)
  const partsOf = (name: string, images: readonly StoredImageFile[]) =>
    new PartFiles(run.path(`embeddings/${name}`), sha256(encoder.sha256, ...images.map(({ id }) => id)), () =>
      run.keep(),
    )
  using embedded = await embed(encoder, judged, fileOf, texts, partsOf('judged', judged), group)

  const used = trainingExamples(split?.training ?? examples, config)
  const folds = config.shrink ? planFolds(used, seed) : []
  // Of the fit that is used alone: the process that makes it speaks, whichever that is.
  const warn = (line: string) => void process.stderr.write(`${line}\n`)
  const plans: FitPlan[] = [
    ...(split === undefined
      ? []
      : [{ examples: split.training, shown: shownInTraining!, seed, label: 'reward without held-out prompts' }]),
    { examples, shown, seed, label: 'reward', warn },
    ...planEnsemble(examples, seed, config.ensemble).map((plan) => ({ ...plan, shown })),
    ...folds.map(({ training, label }) => ({ examples: training, shown: shownInTraining ?? shown, seed, label })),
  ]
  const checkpointOf = (place: number) =>
    new FitCheckpoint(run.path(`fits/${place}.safetensors`), {
      key: hashOfJson([inputs, place, config.learningRate, config.weightDecay]),
      kept: config.checkpointsKept,
      onWrite: () => run.keep(),
    })
  using all = await fitAll(embedded, plans, config, { head, group, checkpointOf }).catch((error: unknown) => {
    throw asDiverged(error, config)
  })
  const ofAll = split === undefined ? 0 : 1
  const firstFold = plans.length - folds.length
  const told = folds.map(({ foretold }, i) => foretell(embedded, foretold, all.fits[firstFold + i].head))
  const without = foretell(embedded, used)
  /** With the CLIP score's say, which is found without the held-out prompts. */
  const mixed = (each: FittedReward) =>
    config.shrink ? mixWithClip(each, told, without) : { ...each, clipShare: null }
  const fitted = mixed(all.fits[ofAll])
  const measured = split && { fitted: mixed(all.fits[0]), seen: new Set(promptsOf(split.training)) }
  const members = all.fits.slice(ofAll + 1, firstFold).map((fit, i) => ({
    ...fit,
    seen: new Set(promptsOf(plans[ofAll + 1 + i].examples)),
  }))
  const fittedScores = scoresOf(embedded, fitted.head, judged)
  expectTeaching('the fitted reward', fittedScores, {
    remedy: 'nothing was learned; lower --learning-rate or --weight-decay',
  })
  if (isWriter) {
    writeReward(run.path(rewardFileName), fitted.head, encoder, config.encoder ?? undefined)
    if (members.length > 0) writeEnsemble(run.path(ensembleName), members.map(({ head }) => head)) // prettier-ignore
  }

  const writeJson = (name: string, content: unknown) => {
    if (isWriter) writeFileAtomic(run.path(name), `${JSON.stringify(content, null, 1)}\n`)
  }
  const scoresBy = (each: FittedReward) => scoresOf(embedded, each.head, judged)
  const memberScores = members.map(scoresBy)
  const fits = members.map(({ seen }, i) => ({ seen, scores: memberScores[i] }))
  if (measured !== undefined) fits.push({ seen: measured.seen, scores: scoresBy(measured.fitted) })
  const scores = foretold(judged, fits, fittedScores)
  const rows = largestDifferences(disagreements(examples, scores, fitted.nu), mostDisagreements)
  writeJson(
    disagreementsName,
    rows.map(({ image, ...rest }) => ({ ...rest, image: judged[image].id })),
  )
  const scoreOf = new Map(judged.map(({ id }, i) => [id, scores[i]]))
  if (members.length > 0) {
    const unsure = deviations(memberScores)
    if (others.length > 0) {
      const othersTexts = others.map(({ text }) => text)
      using embeddedOthers = await embed(encoder, others, fileOf, othersTexts, partsOf('others', others), group)
      unsure.push(...deviations(members.map((member) => scoresOf(embeddedOthers, member.head, others))))
      const given = scoresOf(embeddedOthers, fitted.head, others)
      for (const [i, { id }] of others.entries()) scoreOf.set(id, given[i])
    }
    const ids = [...judged, ...others].map(({ id }) => id)
    writeJson(uncertaintiesName, Object.fromEntries(ids.map((id, i) => [id, unsure[i]])))
  }
  writeJson(scoresName, Object.fromEntries(scoreOf))
  const heldOut = measured && {
    prompts: split!.prompts,
    ...measureReward(embedded, measured.fitted, split!.heldOut, seed),
  }
  if (fitted.clipShare !== null) tell(clipShareWords(fitted.clipShare))
  const words = heldOut === undefined ? [notMeasured] : heldOutWords(heldOut.prompts, heldOut)
  for (const line of words) tell(line)
  if (isWriter) for (const name of scratch) rmSync(run.path(name), { recursive: true, force: true })
  const results = {
    ...countsOf(examples, judgments),
    encoder: { name: encoder.name, sha256: encoder.sha256 },
    head,
    nu: fitted.nu,
    clipShare: fitted.clipShare,
    mixture: fitted.head.mixture ?? null,
    ensemble: members.length,
    prompts: shown.distractors.size,
    ...cutResults(cut),
    promptsWithDistractors: withDistractors,
    heldOut: heldOut ?? null,
    ...run.changes(),
    note: 'heldOut is of a fit without those prompts; the reward that was written is a fit of all judgments.',
  }
  expectFiniteNumbers('results', results)
  return run.finish(results)
}

const notMeasured = 'note: nothing was held out, so nothing is known of how good this reward is'

/** A fit that diverged, with the command that goes on from the embeddings. */
function asDiverged(error: unknown, config: RewardTrainConfig): unknown {
  if (!(error instanceof DivergenceError)) return error
  const { where, expected, received } = error
  const remedy = `train again: ${resumeCommand('reward train', config.out, lowerFitRates(config))}`
  return new DivergenceError({ where, expected, received, remedy, cause: error })
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

/** What it was learned from. */
function countsOf({ comparisons }: RewardExamples, judgments: readonly Judgment[]) {
  const answers = (answer: Judgment['answer']) => judgments.filter((judgment) => judgment.answer === answer).length
  const kinds = (kind: Judgment['kind']) => judgments.filter((one) => one.kind === kind && one.answer !== 'skip').length
  const [good, bad] = [answers('good'), answers('bad')]
  return {
    labels: good + bad,
    good,
    bad,
    skipped: answers('skip'),
    pairs: kinds('pair'),
    rankings: kinds('ranking'),
    ratings: kinds('rating'),
    comparisons: comparisons.length,
    ties: comparisons.filter(({ isTie }) => isTie).length,
    raters: new Set(judgments.map(({ rater }) => rater)).size,
    simulated: judgments.some(({ raterKind }) => raterKind === 'simulated'),
  }
}

async function givenDistractors(
  file: string,
  prompts: readonly string[],
): Promise<ReadonlyMap<string, readonly string[]>> {
  const given = await readDistractors(file)
  if (prompts.some((text) => given.has(text))) return given
  throw new FormatError({
    where: file,
    expected: `prompts that have labels, such as "${prompts[0]}"`,
    received: `${given.size} other prompts`,
    remedy: 'write each prompt as it was drawn',
  })
}

function unreadableWords(prompts: number): string | undefined {
  if (prompts === 0) return undefined
  const remedy = 'name an encoder that reads any text with --encoder'
  return `note: images of ${prompts} prompts are left out, whose words the encoder does not know; ${remedy}`
}

function tellingWords(prompts: number): string | undefined {
  if (prompts === 0) return undefined
  const of = prompts === 1 ? '1 prompt' : `${prompts} prompts`
  return `reward: raters marked misread words of ${of}; distractors that change them have ${tellingWeight} times the weight`
}

function distractorWords(some: number, all: number): string | undefined {
  if (some === all) return undefined
  const remedy = 'add wrong prompts for the others with --distractors-file'
  return `note: prompt classification has distractors for ${some} of ${all} prompts; ${remedy}`
}
