/** `report`: measures policies on prompts and noise that no training used, and writes the report. */
import { existsSync, mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { runTasks } from '../child-processes.ts'
import { ConfigError, FormatError } from '../errors.ts'
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
import { openChange } from '../policy/policy-file.ts'
import { progress } from '../progress.ts'
import type { Prompt } from '../records.ts'
import { samplerOf } from '../images/draw.ts'
import { pickBest, readDrawn, type EvaluationPlan } from './draw.ts'
import { frechetSubsets, statedAttributes, type Evaluation } from './evaluate.ts'
import { coveredSeconds, flatConfig, pastRun, runsBehind, type PastRun } from './lineage.ts'
import { checkReference } from './reference.ts'
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
import { sha256, sha256OfWeights } from '../sha256.ts'
import { describeLibrary } from '../tensor/library.ts'
import type { ReportTask, ReportTaskResult, ReportTools } from './tasks.ts'

const optionalRun = z.string().min(1).nullable().default(null)

export const ReportConfig = z.strictObject({
  ...rewardFields,
  rewardWeighted: optionalRun.describe('Run of `policy reward-weighted`.'),
  dpok: optionalRun.describe('Run of `policy dpok`.'),
  ...loraScaleField,
  bestOf: z.int().positive().max(1000).default(4).describe('Images among which best-of-n picks; 1 leaves it out.'),
  seen: optionalRun.describe('File of the prompts that were trained on; shapes has a list of its own.'),
  unseen: optionalRun.describe('File of prompts that were not; shapes has a list of its own.'),
  ...promptColumnField,
  scorer: optionalRun.describe(
    'Reward that measures alignment where there is no judge: the share of images that it prefers to the base’s. Best one that no policy was trained on; --reward without it.',
  ),
  referenceImages: optionalRun.describe(
    'Folder of images that fidelity is measured against where there are no true renders; other images of the base without it.',
  ),
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
  processes: z
    .int()
    .positive()
    .max(1024)
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
  for (const { run } of trained) openChange(opened.model, run.folder, config)
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
  expectApart(prompts, config)
  expectEnough(plan)
  if (judge !== undefined) statedAttributes(plan.prompts)
  else if (config.referenceImages !== null) await checkReference(config.referenceImages, 2 * frechetSubsets)
  run.dependsOn({
    prompts: sha256(JSON.stringify(prompts)),
    model: opened.model.sha256,
    ...Object.fromEntries(trained.map(({ name, run: { folder } }) => [`${name} policy`, sha256OfWeights(folder)])),
    ...(existsSync(config.reward) ? { reward: sha256OfWeights(config.reward) } : {}),
  })
  writing(run.path('drawn'), () => mkdirSync(run.path('drawn'), { recursive: true }))

  const measured = await measure(
    { plan, trained, config, isJudged: judge !== undefined },
    (name) => run.path(`drawn/${name}`),
    world.tasksFile,
    () => run.keep(),
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

/** @throws {FormatError} a run of another stage than its flag says */
function trainedPolicies({ rewardWeighted, dpok }: ReportConfig): TrainedPolicy[] {
  const given = (name: TrainedPolicy['name'], folder: string | null): TrainedPolicy[] => {
    if (folder === null) return []
    const run = pastRun(folder)
    const { stage } = run.manifest
    if (stage === `policy ${name}`) return [{ name, run }]
    throw new FormatError({
      where: `--${name} ${folder}`,
      expected: `a run of policy ${name}`,
      received: `one of ${stage}`,
      remedy:
        stage === 'policy best-of-n'
          ? bestOfNAdvice
          : /^policy /.test(stage)
            ? `give it as --${stage.slice(7)}`
            : 'give the folder of such a run',
    })
  }
  return [...given('reward-weighted', rewardWeighted), ...given('dpok', dpok)]
}
const bestOfNAdvice = 'it trained nothing, and the report draws best-of-n by itself: say among how many with --best-of'

/** What a text encoder makes the same of: it reads lower case, and any space as one. */
const asRead = (text: string) => text.normalize('NFC').toLowerCase().replace(/\s+/g, ' ').trim()

/** @throws {ConfigError} a prompt that is in both lists: nothing unseen would be measured */
function expectApart(prompts: EvaluationPlan['prompts'], { unseen }: ReportConfig): void {
  const textsOf = (split: string) => prompts.filter((prompt) => prompt.split === split).map(({ text }) => text)
  const seen = new Set(textsOf('seen').map(asRead))
  const both = textsOf('unseen').filter((text) => seen.has(asRead(text)))
  if (both.length === 0) return
  throw new ConfigError({
    where: unseen === null ? '--seen' : `--unseen ${unseen}`,
    expected: 'prompts that are not among those of --seen',
    received: both.length === seen.size ? 'the same ones' : `${both.length} of them, such as "${both[0]}"`,
    remedy: 'give prompts that no training has used',
  })
}

/** @throws {ConfigError} fewer than two images for each part of the interval */
function expectEnough({ prompts, imagesPerPrompt }: EvaluationPlan): void {
  if (prompts.length * imagesPerPrompt >= 2 * frechetSubsets) return
  throw new ConfigError({
    where: '--images-per-prompt',
    expected: `at least ${2 * frechetSubsets} images of each policy, two for each part of the interval`,
    received: `${imagesPerPrompt} of each of ${prompts.length} prompts`,
    remedy: 'draw more of each, or give more prompts',
  })
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
  placeOf: (name: string) => string,
  tasksFile: URL,
  keep: () => void,
): Promise<MeasuredPolicy[]> {
  const { reward, bestOf, referenceImages } = config
  // A judge means the embedded world, whose networks are small enough to be held twice.
  const atOnce = config.processes ?? (isJudged ? 2 : 1)
  const images = plan.prompts.length * plan.imagesPerPrompt
  const { encoder, loraScale } = config
  const shared = { plan, model: { ...modelSettingsOf(config), encoder, loraScale } }
  const fileOf = (name: string) => placeOf(`${name}.safetensors`)
  const candidates = Array.from({ length: bestOf }, (_, candidate) => fileOf(`base-${candidate}`))
  const imagesOf = (file: string, candidate: number) => {
    return { ...shared, kind: 'images' as const, reward, candidate, file }
  }
  // Images of the base that neither it nor best-of-n is measured by.
  const reference = isJudged || referenceImages !== null ? [] : [fileOf('reference')]
  const drawing: ReportTask[] = [
    ...candidates.map((file, candidate) => imagesOf(file, candidate)),
    ...trained.map(({ name, run }) => ({ ...imagesOf(fileOf(name), 0), policy: run.folder })),
    ...trained.map(({ name, run }) => {
      return { ...shared, kind: 'kl' as const, policy: run.folder, parts: placeOf(`${name}-kl-parts`) }
    }),
    ...reference.map((file) => imagesOf(file, bestOf)),
  ]
  const bar = progress(
    'report',
    images * (bestOf + trained.length + reference.length) + plan.klRollouts * trained.length,
    'images',
  )
  const onCount = (count: number) => {
    keep()
    bar.advance(count)
  }
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
  for (const { name } of trained) rmSync(placeOf(`${name}-kl-parts`), { recursive: true, force: true })
  return subjects.map(({ files, cost, ...policy }, i) => {
    const drawn = pickBest(files.map(readDrawn))
    return {
      ...policy,
      drawn,
      cost: policy.name === 'best-of-n' ? { ...cost, seconds: drawn.seconds! } : cost,
      evaluation: judged[i].result as Evaluation,
    }
  })
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
