/** `report`: measures policies on prompts and noise that no training used, and writes the report. */
import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { runTasks } from '../child-processes.ts'
import { ConfigError } from '../errors.ts'
import { openExistingFeedback } from '../feedback/stages.ts'
import { readImages } from '../images/image-run.ts'
import { promptColumnField, readKnownPrompts, type KnownPrompts } from '../images/known-prompts.ts'
import {
  loraScaleField,
  modelSettingsOf,
  modelFields,
  samplingFields,
  samplingOf,
  type OpenPolicy,
} from '../images/open-model.ts'
import { openPolicy } from '../policy/policy-file.ts'
import { progress } from '../progress.ts'
import type { Prompt } from '../records.ts'
import { samplerOf } from '../images/draw.ts'
import { pickBest, readDrawn, type EvaluationPlan } from './draw.ts'
import { statedAttributes, type Evaluation } from './evaluate.ts'
import { coveredSeconds, flatConfig, pastRun, runsBehind, type PastRun } from './lineage.ts'
import type { PolicyName, PolicyReport, Report } from './schema.ts'
import {
  assembleReport,
  reportFiles,
  rewardResults,
  sampleRows,
  writeReport,
  type MeasuredPolicy,
  type ReportContext,
} from './write-report.ts'
import { openReward, rewardFields } from '../reward/open-reward.ts'
import { rewardFileName } from '../reward/reward-file.ts'
import { resumeField, startRun, writing } from '../run.ts'
import { describeLibrary } from '../tensor/library.ts'
import type { ReportTask, ReportTaskResult, ReportTools } from './tasks.ts'

const optionalRun = z.string().min(1).nullable().default(null)

export const ReportConfig = z.strictObject({
  ...rewardFields,
  rewardWeighted: optionalRun.describe('Run of `policy reward-weighted`.'),
  dpok: optionalRun.describe('Run of `policy dpok`.'),
  ...loraScaleField,
  bestOf: z.int().positive().default(4).describe('Images among which best-of-n picks; 1 leaves it out.'),
  seen: optionalRun.describe('File of the prompts that were trained on; shapes has a list of its own.'),
  unseen: optionalRun.describe('File of prompts that were not; shapes has a list of its own.'),
  ...promptColumnField,
  scorer: optionalRun.describe(
    'Reward that measures alignment where there is no judge: the share of images that it prefers to the base’s. Best one that no policy was trained on; --reward without it.',
  ),
  referenceImages: optionalRun.describe(
    'Folder of images that fidelity is measured against where there are no true renders; other images of the base without it.',
  ),
  imagesPerPrompt: z.int().min(2).default(8).describe('Images of each prompt and policy.'),
  klRollouts: z.int().positive().default(256).describe('Roll-outs from which the KL of a policy is estimated.'),
  seed: z.int().nonnegative().default(0).describe('Seed of the images; none of them was used in training.'),
  ...samplingFields,
  ...modelFields,
  processes: z
    .int()
    .positive()
    .nullable()
    .default(null)
    .describe(
      'Processes at once, each with the model in its memory; two for shapes and one for real checkpoints without it.',
    ),
  resume: resumeField,
  out: z.string().min(1).describe('Run folder to write: report.html, report.json and the images as drawn.'),
})
export type ReportConfig = z.infer<typeof ReportConfig>

/** What the runs do not tell, for the page. */
export type ReportExtra = Partial<
  Pick<ReportContext, 'seconds' | 'stages' | 'caveats' | 'config' | 'tuningSeed' | 'selectionRule'>
>

/** The prompts that a world brings with it. */
export interface OwnPrompts {
  readonly seen: () => Prompt[]
  readonly unseen: () => Prompt[]
}

/** What the report takes from whoever knows all models. */
export interface ReportWorld extends ReportTools {
  /** What a child process executes; see `tasks.ts`. */
  readonly tasksFile: URL
  readonly promptsOf: (model: string) => Promise<OwnPrompts | undefined>
}

/** Below this many images a policy and split, the page warns. */
const enoughImages = 400

/**
 * @throws {VocabularyError} a prompt that the model or the judge cannot read
 * @throws {FileError | FormatError} a run that is missing, unfinished, or of another kind
 */
export async function makeReport(config: ReportConfig, world: ReportWorld, extra: ReportExtra = {}): Promise<Report> {
  const { out, resume, ...settings } = config
  const began = Date.now()
  const trained = trainedPolicies(config)
  const reward = rewardRun(config.reward)
  if (reward !== undefined) rewardResults(reward)
  const parents = { reward: config.reward, ...Object.fromEntries(trained.map(({ name, run }) => [name, run.folder])) }
  using run = startRun({ folder: out, stage: 'report', config: settings, parents, resume })
  const opened = await world.open(config)
  // What is wrong is told before the long work.
  const { range: rewardRange } = await openReward(config.reward, config, () => Promise.resolve(opened))
  if (config.scorer !== null) await openReward(config.scorer, config, () => Promise.resolve(opened))
  for (const { run } of trained) openPolicy(opened.model, run.folder, config)
  const judge = await world.judgeOf(config.model)
  const { prompts, ofFiles } = await promptsOf(config, opened, await world.promptsOf(config.model))
  const sampling = samplingOf(opened.model, config)
  const plan: EvaluationPlan = {
    prompts,
    imagesPerPrompt: config.imagesPerPrompt,
    seed: config.seed,
    sampling,
    sampler: samplerOf(opened.model, sampling).name,
    klRollouts: config.klRollouts,
  }
  if (judge !== undefined) statedAttributes(plan.prompts)
  writing(run.path('drawn'), () => mkdirSync(run.path('drawn'), { recursive: true }))

  const measured = await measure(
    { plan, trained, config, isJudged: judge !== undefined },
    (name) => run.path(`drawn/${name}.safetensors`),
    world.tasksFile,
  )
  const past = runsBehind([config.reward, ...trained.map(({ run }) => run.folder)])
  const raters = reward === undefined ? {} : await ratersOf(reward)
  const own = { finishedAt: new Date().toISOString(), seconds: (Date.now() - began) / 1000 }
  const report = assembleReport(
    plan,
    measured,
    { reward, policies: trained },
    {
      seconds: coveredSeconds([...past.map(({ manifest }) => manifest), own]),
      torch: describeLibrary().version,
      stages: [
        ...past.map(({ manifest: { stage, seconds } }) => ({ name: stage, seconds })),
        { name: 'report', seconds: own.seconds },
      ],
      config: flatConfig(past),
      rewardRange,
      rewardName: config.reward,
      ...(judge === undefined && { scorer: scorerOf(config), reference: referencePhrase(config) }),
      ...raters,
      ...extra,
      caveats: [
        ...caveats(plan),
        ...(judge === undefined ? scorerCaveats(config) : []),
        ...(raters.caveats ?? []),
        ...(extra.caveats ?? []),
      ],
    },
  )
  for (const name of reportFiles) run.path(name)
  writeReport(run.folder, { report, grids: await sampleRows(plan, measured) })
  run.finish({ seconds: own.seconds, policies: measured.map(({ name }) => name), ...ofFiles })
  return report
}

const scorerOf = ({ scorer, reward }: ReportConfig) => scorer ?? reward
const referencePhrase = ({ referenceImages }: ReportConfig) =>
  referenceImages === null ? 'other images of the base model' : `the images of ${referenceImages}`

function scorerCaveats(config: ReportConfig): string[] {
  return scorerOf(config) === config.reward
    ? [
        'Policies are measured by the reward that they were trained on: what the reward gets wrong cannot show here. Give another one with --scorer.',
      ]
    : []
}

/** The run that trained the reward; none where the reward is a model from elsewhere. */
function rewardRun(reward: string): PastRun | undefined {
  return existsSync(join(reward, rewardFileName)) ? pastRun(reward) : undefined
}

/**
 * @returns ofFiles what was repeated in the files or is cut, for the manifest
 * @throws {ConfigError} a model that brings no prompts needs files of them
 */
async function promptsOf(
  { seen, unseen, promptColumn, model }: ReportConfig,
  opened: OpenPolicy,
  own: OwnPrompts | undefined,
): Promise<{ prompts: EvaluationPlan['prompts']; ofFiles: Readonly<Record<string, KnownPrompts['results']>> }> {
  const read = async (
    file: string | null,
    flag: string,
    bring: (() => Prompt[]) | undefined,
  ): Promise<KnownPrompts> => {
    if (file !== null) return readKnownPrompts({ prompts: file, prompt: null, promptColumn }, opened)
    if (bring !== undefined) return { prompts: bring(), results: {} }
    throw new ConfigError({
      where: flag,
      expected: `a prompt file, since ${model} brings no prompts`,
      received: 'nothing',
      remedy: 'give the prompts that were trained on as --seen and others as --unseen',
    })
  }
  const [first, second] = [await read(seen, '--seen', own?.seen), await read(unseen, '--unseen', own?.unseen)]
  return {
    prompts: [
      ...first.prompts.map((prompt) => ({ ...prompt, split: 'seen' as const })),
      ...second.prompts.map((prompt) => ({ ...prompt, split: 'unseen' as const })),
    ],
    ofFiles: { seenPrompts: first.results, unseenPrompts: second.results },
  }
}

interface TrainedPolicy {
  readonly name: Extract<PolicyName, 'reward-weighted' | 'dpok'>
  readonly run: PastRun
}

function trainedPolicies({ rewardWeighted, dpok }: ReportConfig): TrainedPolicy[] {
  return [
    ...(rewardWeighted === null ? [] : [{ name: 'reward-weighted' as const, run: pastRun(rewardWeighted) }]),
    ...(dpok === null ? [] : [{ name: 'dpok' as const, run: pastRun(dpok) }]),
  ]
}

/** Draws in one round of processes, measures in another. */
async function measure(
  {
    plan,
    trained,
    config,
    isJudged,
  }: {
    readonly plan: EvaluationPlan
    readonly trained: readonly TrainedPolicy[]
    readonly config: ReportConfig
    readonly isJudged: boolean
  },
  fileOf: (name: string) => string,
  tasksFile: URL,
): Promise<MeasuredPolicy[]> {
  const { reward, bestOf, referenceImages } = config
  // A judge means the embedded world, whose networks are small enough to be held twice.
  const atOnce = config.processes ?? (isJudged ? 2 : 1)
  const images = plan.prompts.length * plan.imagesPerPrompt
  const { encoder, loraScale } = config
  const shared = { plan, model: { ...modelSettingsOf(config), encoder, loraScale } }
  const candidates = Array.from({ length: bestOf }, (_, candidate) => fileOf(`base-${candidate}`))
  // Images of the base that neither it nor best-of-n is measured by.
  const reference = isJudged || referenceImages !== null ? [] : [fileOf('reference')]
  const drawing: ReportTask[] = [
    ...candidates.map((file, candidate) => ({ ...shared, kind: 'images' as const, reward, candidate, file })),
    ...trained.map(({ name, run }) => {
      return { ...shared, kind: 'images' as const, policy: run.folder, reward, candidate: 0, file: fileOf(name) }
    }),
    ...trained.map(({ run }) => ({ ...shared, kind: 'kl' as const, policy: run.folder })),
    ...reference.map((file) => ({ ...shared, kind: 'images' as const, reward, candidate: bestOf, file })),
  ]
  const bar = progress(
    'report',
    images * (bestOf + trained.length + reference.length) + plan.klRollouts * trained.length,
    'images',
  )
  const onCount = (count: number) => bar.advance(count)
  const drawn = await runTasks<ReportTask, ReportTaskResult>(tasksFile, drawing, { atOnce, onCount })
  bar.done()

  const free = { imagesDrawn: 0, updates: 0, seconds: 0 }
  const labelled = await judgedImages(rewardRun(reward))
  const costs = await Promise.all(trained.map(({ run }) => costOf(run, labelled)))
  const subjects = [
    { name: 'base' as const, files: candidates.slice(0, 1), cost: free },
    ...(bestOf === 1
      ? []
      : [
          {
            name: 'best-of-n' as const,
            bestOf,
            files: candidates,
            cost: {
              ...free,
              imagesDrawn: labelled.size + images * bestOf,
              seconds: drawn.slice(0, bestOf).reduce((sum, { seconds }) => sum + seconds, 0),
            },
          },
        ]),
    ...trained.map(({ name }, i) => ({
      name,
      files: [fileOf(name)],
      cost: costs[i],
      kl: drawn[bestOf + trained.length + i].result as number[][],
    })),
  ]
  const judging = subjects.map(({ files }): ReportTask =>
    isJudged
      ? { ...shared, kind: 'judge', files }
      : {
          ...shared,
          kind: 'compare',
          files,
          base: candidates[0],
          scorer: scorerOf(config),
          reference: referenceImages ?? reference[0],
        },
  )
  const judged = await runTasks<ReportTask, ReportTaskResult>(tasksFile, judging, { atOnce })
  return subjects.map(({ files, ...policy }, i) => ({
    ...policy,
    drawn: pickBest(files.map(readDrawn)),
    evaluation: judged[i].result as Evaluation,
  }))
}

/** Ids of the images that people judged for the reward. */
async function judgedImages(reward: PastRun | undefined): Promise<Set<string>> {
  if (reward === undefined) return new Set()
  await using store = await openExistingFeedback(reward.manifest.parents.feedback)
  return new Set((await store.judgments()).flatMap(({ images }) => images))
}

/**
 * Of a policy and of those that it was trained further from. Every image that was drawn for it counts once: those that
 * were judged for its reward, those that it was fitted to, and its own roll-outs.
 */
async function costOf(
  { manifest: { stage, results, parents } }: PastRun,
  judged: ReadonlySet<string>,
): Promise<Pick<PolicyReport, 'imagesDrawn' | 'updates' | 'seconds'>> {
  const number = (value: unknown) => (typeof value === 'number' ? value : 0)
  const earlier = parents.policy === undefined ? undefined : await costOf(pastRun(parents.policy), new Set())
  const folders = Object.entries(parents).flatMap(([role, folder]) => (role.startsWith('images') ? [folder] : []))
  const fitted = folders.length === 0 ? [] : (await readImages(...folders)).map(({ record }) => record.id)
  const rollouts = stage === 'policy dpok' ? number(results.imagesDrawn) : 0
  return {
    imagesDrawn: new Set([...judged, ...fitted]).size + rollouts + (earlier?.imagesDrawn ?? 0),
    updates: number(results.updates) + (earlier?.updates ?? 0),
    seconds: number(results.seconds) + (earlier?.seconds ?? 0),
  }
}

/** Who gave the labels: rates where they were simulated, and a caveat where that is not the whole story. */
async function ratersOf({ manifest }: PastRun): Promise<Pick<ReportContext, 'simulatedRater' | 'caveats'>> {
  if (manifest.results.simulated !== true) return {}
  await using store = await openExistingFeedback(manifest.parents.feedback)
  const judgments = await store.judgments()
  const simulated = new Set(judgments.filter(({ raterKind }) => raterKind === 'simulated').map(({ rater }) => rater))
  const [name] = simulated
  const [, error, skip] = /error ([\d.]+) %, skip ([\d.]+) %/.exec(name) ?? []
  const known = simulated.size === 1 && skip !== undefined
  return {
    ...(known && { simulatedRater: { errorRate: Number(error) / 100, skipRate: Number(skip) / 100 } }),
    caveats: [
      ...(known ? [] : ['Labels were simulated: a program gave them, not people.']),
      ...(judgments.every(({ raterKind }) => raterKind === 'simulated')
        ? []
        : ['Labels of people and of a simulated rater are mixed.']),
    ],
  }
}

function caveats({ prompts, imagesPerPrompt }: EvaluationPlan): string[] {
  const least = Math.min(
    ...(['seen', 'unseen'] as const).map((split) => prompts.filter((prompt) => prompt.split === split).length),
  )
  return least * imagesPerPrompt >= enoughImages
    ? []
    : [`Small: fewer than ${enoughImages} images per policy and split were measured, so intervals are wide.`]
}
