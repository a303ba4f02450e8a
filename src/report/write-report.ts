/** Puts a report together from what was drawn, judged and recorded, and writes it as `report.json` and `report.html`. */
import { cpus, totalmem } from 'node:os'
import { join } from 'node:path'
import { z } from 'zod'
import { FormatError } from '../errors.ts'
import { writeFileAtomic } from '../files.ts'
import { bestOfNKl } from '../policy/trajectory-kl.ts'
import { reportFiguresName, reportPageName } from '../run-files.ts'
import type { DrawnImages, EvaluationPlan } from './draw.ts'
import {
  alignmentDifference,
  bootstrapResamples,
  embeddingScale,
  frechetSubsets,
  meanOverPrompts,
  splitReport,
  type Evaluation,
} from './evaluate.ts'
import { metricsOf, type PastRun } from './lineage.ts'
import type { SampleRow } from './page/samples-section.ts'
import { reportPage, type ReportInput } from './page/page.ts'
import { Report, splits, type Comparison, type Curve, type PolicyName, type PolicyReport } from './schema.ts'
import { thumbnailOf } from './page/thumbnail.ts'
import { samplerTitles, type Mark } from './page/wording.ts'

/** One policy with all that was found out about it. */
export interface MeasuredPolicy {
  readonly name: PolicyName
  readonly bestOf?: number
  readonly drawn: DrawnImages
  readonly evaluation: Evaluation
  /** Σ_t KL_t of fresh roll-outs, a list a prompt; absent for the base and best-of-n. */
  readonly kl?: readonly (readonly number[])[]
  readonly cost: Pick<PolicyReport, 'imagesDrawn' | 'updates' | 'seconds'>
}

/** What a reward run says of itself in its manifest. */
const share = z.number().min(0).max(1)
const RewardResults = z.object({
  labels: z.int().nonnegative(),
  simulated: z.boolean().optional(),
  heldOut: z.object({
    n: z.int().nonnegative(),
    accuracy: share.nullable(),
    auc: share.nullable(),
    clipScoreAuc: share.nullable(),
    ece: share.nullable(),
    reliability: z
      .array(z.object({ low: share, high: share, n: z.int().nonnegative(), predicted: share, observed: share }))
      .optional(),
    comparisons: z.int().nonnegative().default(0),
    pairAccuracy: share.nullable().default(null),
    clipScorePairAccuracy: share.nullable().default(null),
  }),
})
type RewardResults = z.infer<typeof RewardResults>

/** What only the caller knows. */
export type ReportContext = Pick<Report, 'seconds' | 'torch'> &
  Pick<NonNullable<Report['details']>, 'stages' | 'caveats' | 'config'> & {
    /** See {@link Report}; undefined where there are no bounds. */
    readonly rewardRange: readonly [number, number] | undefined
    readonly rewardName?: string
    /** Name of the reward that stands for a judge. */
    readonly scorer?: string
    /** What the Fréchet distance is to, as a phrase, where there are no true renders. */
    readonly reference?: string
    readonly simulatedRater?: { readonly errorRate: number; readonly skipRate: number }
    readonly tuningSeed?: number
    readonly selectionRule?: string
  }

export function assembleReport(
  plan: EvaluationPlan,
  measured: readonly MeasuredPolicy[],
  runs: {
    /** Undefined where the policies were trained on a reward that learned from no labels of ours. */
    readonly reward: PastRun | undefined
    readonly policies: readonly { readonly name: PolicyName; readonly run: PastRun }[]
  },
  context: ReportContext,
): Report {
  const base = measured.find(({ name }) => name === 'base')!
  const { reliability, ...reward } = runs.reward === undefined ? { reward: null } : rewardQuality(runs.reward)
  const curves = runs.policies.flatMap(({ name, run }) => curveOf(name, run) ?? [])
  const { seconds, torch, stages, caveats, config, rewardRange, ...about } = context
  const count = (split: string) => plan.prompts.filter((prompt) => prompt.split === split).length
  return Report.parse({
    schema: 1,
    seconds,
    machine: machine(),
    torch,
    ...reward,
    policies: measured.map((policy) => policyReport(plan, policy, base)),
    details: {
      measurement: {
        seed: plan.seed,
        promptsSeen: count('seen'),
        promptsUnseen: count('unseen'),
        imagesPerPrompt: plan.imagesPerPrompt,
        sampler: samplerTitles[plan.sampler],
        ...plan.sampling,
        frechetSubsets: {
          subsets: frechetSubsets,
          images: Math.floor(base.drawn.pictures.length / frechetSubsets),
        },
        bootstrapResamples,
        diversity: `The mean distance between two images of one prompt, in the features in which the Fréchet distance is taken; they are ${featureScale[base.evaluation.measuredBy]}.`,
        ...(rewardRange && { rewardRange: [...rewardRange] }),
        ...about,
      },
      comparisons: comparisons(plan, measured),
      ...(curves.length > 0 && { curves }),
      ...(reliability && { reliability }),
      stages,
      caveats,
      config,
    },
  })
}

const featureScale: Record<Evaluation['measuredBy'], string> = {
  judge: 'scaled so that true pre-training images have a total variance of 100',
  reward: `unit vectors times ${embeddingScale}`,
}

function policyReport(plan: EvaluationPlan, policy: MeasuredPolicy, base: MeasuredPolicy): PolicyReport {
  const { name, bestOf, evaluation, cost } = policy
  const { mean: frechet, low, high } = evaluation.frechet
  return {
    name,
    ...cost,
    ...(bestOf === undefined ? {} : { bestOf }),
    klNats: klOf(plan, policy),
    meanReward: meanOverPrompts(plan, evaluation.rewards),
    // the interval is Student's: below zero there is no distance
    fidelity: { frechet, low: Math.max(0, low), high, validShare: evaluation.validShare },
    diversity: evaluation.diversity,
    seen: splitReport(plan, 'seen', evaluation, base.evaluation),
    unseen: splitReport(plan, 'unseen', evaluation, base.evaluation),
  }
}

function klOf(plan: EvaluationPlan, { bestOf, kl }: MeasuredPolicy): PolicyReport['klNats'] {
  const exact = (nats: number) => ({ mean: nats, low: nats, high: nats })
  if (bestOf !== undefined) return { ...exact(bestOfNKl(bestOf)), of: 'image' }
  return kl === undefined ? exact(0) : { ...meanOverPrompts(plan, kl), of: 'trajectory' }
}

/** Every fine-tuned policy against the other and against best-of-n. */
function comparisons(plan: EvaluationPlan, measured: readonly MeasuredPolicy[]): Comparison[] {
  const pairs: [PolicyName, PolicyName][] = [
    ['dpok', 'reward-weighted'],
    ['dpok', 'best-of-n'],
    ['reward-weighted', 'best-of-n'],
  ]
  const found = (name: PolicyName) => measured.find((policy) => policy.name === name)?.evaluation
  return pairs.flatMap(([policy, against]) => {
    const [left, right] = [found(policy), found(against)]
    if (left === undefined || right === undefined) return []
    return splits.map((split) => ({
      policy,
      against,
      split,
      difference: alignmentDifference(plan, split, left, right),
    }))
  })
}

/** The training log as a curve; none where no row tells a reward (reward-weighted training draws no images online). */
export function curveOf(policy: PolicyName, run: PastRun): Curve | undefined {
  const number = (value: unknown) => (typeof value === 'number' && Number.isFinite(value) ? value : undefined)
  const points = metricsOf(run).flatMap((row): Curve['points'] => {
    const [imagesDrawn, reward] = [number(row.images_drawn), number(row.reward_mean)]
    if (imagesDrawn === undefined || reward === undefined) return []
    const [klNats, explainedVariance] = [number(row.kl), number(row.explained_variance)]
    return [
      {
        imagesDrawn,
        reward,
        ...(klNats === undefined ? {} : { klNats }),
        ...(explainedVariance === undefined ? {} : { explainedVariance }),
      },
    ]
  })
  return points.length === 0 ? undefined : { policy, points }
}

function rewardQuality(run: PastRun): Pick<Report, 'reward'> & Pick<NonNullable<Report['details']>, 'reliability'> {
  const { labels, heldOut } = rewardResults(run)
  const { n, accuracy, auc, clipScoreAuc, ece, reliability, pairAccuracy, clipScorePairAccuracy } = heldOut
  const isLabelled = accuracy !== null && auc !== null && clipScoreAuc !== null && ece !== null
  const isCompared = pairAccuracy !== null && clipScorePairAccuracy !== null
  return {
    reward: {
      labels,
      heldOut: isLabelled ? { n, accuracy, auc, clipScoreAuc, ece } : null,
      ...(isCompared && { comparisons: { n: heldOut.comparisons, pairAccuracy, clipScorePairAccuracy } }),
    },
    reliability,
  }
}

/** @throws {FormatError} the manifest lacks them */
export function rewardResults({ folder, manifest }: PastRun): RewardResults {
  const parsed = RewardResults.safeParse(manifest.results)
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  const unmeasured = manifest.results.heldOut === null
  throw new FormatError({
    where: `${folder} manifest.json results ${issue.path.join('.')}`.trim(),
    expected: 'the labels and held-out quality of a reward run',
    received: unmeasured ? 'a reward that was measured on no held-out prompts' : issue.message,
    remedy: unmeasured ? 'train it with --held-out 0.2' : 'give --reward the folder of a `reward train` run',
    cause: parsed.error,
  })
}

/** Prompts of each split in the grids, and images of each prompt. */
const gridPrompts = 8
const gridImages = 4

/** The first images of prompts spread evenly over each split's list; nothing is picked. */
export async function sampleRows(plan: EvaluationPlan, measured: readonly MeasuredPolicy[]): Promise<SampleRow[]> {
  const { prompts, imagesPerPrompt } = plan
  const images = Array.from({ length: Math.min(gridImages, imagesPerPrompt) }, (_, k) => k)
  const places = splits.flatMap((split) => {
    const all = prompts.flatMap((prompt, place) => (prompt.split === split ? [place] : []))
    const shown = Math.min(gridPrompts, all.length)
    return Array.from({ length: shown }, (_, i) => all[Math.floor(((i + 0.5) * all.length) / shown)])
  })
  return Promise.all(
    places.map(async (place) => ({
      prompt: prompts[place].text,
      split: prompts[place].split,
      cells: await Promise.all(
        measured.map(async ({ name, drawn, evaluation }) => ({
          policy: name,
          images: await Promise.all(
            images.map(async (k) => ({
              thumbnail: await thumbnailOf(drawn.pictures[place * imagesPerPrompt + k]),
              mark: markOf(name, evaluation, evaluation.aligned[place][k]),
              seed: k + 1,
            })),
          ),
        })),
      ),
    })),
  )
}

/** The base is not compared with itself. */
function markOf(policy: PolicyName, { measuredBy }: Evaluation, aligned: number): Mark | undefined {
  if (measuredBy === 'reward' && policy === 'base') return undefined
  return aligned === 1 ? 'good' : aligned === 0 ? 'bad' : 'equal'
}

/** What {@link writeReport} writes. */
export const reportFiles = [reportFiguresName, reportPageName] as const

/**
 * Writes both files whole or not at all.
 *
 * @throws {FileError}
 */
export function writeReport(folder: string, { report, grids }: ReportInput): void {
  const [numbers, page] = reportFiles.map((name) => join(folder, name))
  writeFileAtomic(numbers, `${JSON.stringify(report, null, 2)}\n`)
  writeFileAtomic(page, reportPage({ report, grids }))
}

/** `2 × AMD EPYC 7B13, 8 GiB, Linux x64`. */
export function machine(): string {
  const processors = cpus()
  const system = { linux: 'Linux', darwin: 'macOS' }[process.platform as string] ?? process.platform
  const memory = Math.round(totalmem() / 2 ** 30)
  return `${processors.length} × ${processors[0]?.model.trim() ?? 'processor'}, ${memory} GiB, ${system} ${process.arch}`
}
