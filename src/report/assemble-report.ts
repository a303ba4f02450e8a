/** Puts a report together from what was drawn, judged and recorded. */
import { machineName } from '../machine-name.ts'
import type { SpaceFacts } from '../networks/features/feature-space.ts'
import { tensorScope } from '../tensor/scope.ts'
import type { DrawnImages, EvaluationPlan } from './draw.ts'
import { embeddingScale, evaluatedSet, type Evaluation, type Features } from './evaluate.ts'
import type { HeldOutFacts } from './held-out-reward.ts'
import { curveOf, type PastRun } from './lineage.ts'
import { frechetSubsets } from './measures/frechet.ts'
import type { EvaluatedSet } from './measures/measure.ts'
import { bootstrapResamples } from './measures/measure.ts'
import { samplerTitles } from './page/wording.ts'
import type { PolicyCost } from './policy-cost.ts'
import type { PolicyName } from './policy-name.ts'
import { comparisons, lacks, policyReport } from './policy-report.ts'
import { rewardQuality } from './reward-quality.ts'
import { Report, type Detection } from './schema.ts'
import { strengthsOf, votesReport, type PeopleVotes } from './votes/people-votes.ts'

/** One policy with all that was found out about it. */
export interface MeasuredPolicy {
  readonly name: PolicyName
  /** That trained it. */
  readonly algorithm?: string
  readonly bestOf?: number
  readonly drawn: DrawnImages
  readonly evaluation: Evaluation
  /** Of the images, into the tensor scope of the caller. */
  readonly features: () => Features
  /** Σ_t KL_t of fresh roll-outs, a list a prompt; absent for the base and best-of-n. */
  readonly kl?: readonly (readonly number[])[]
  /** See {@link EvaluatedSet}. */
  readonly objects?: EvaluatedSet['objects']
  readonly cost: PolicyCost
}

/** What only the caller knows. */
export type ReportContext = Pick<Report, 'seconds' | 'torch'> &
  Pick<NonNullable<Report['details']>, 'stages' | 'caveats' | 'config'> & {
    /** See {@link Report}; undefined where there are no bounds. */
    readonly rewardRange: readonly [number, number] | undefined
    readonly rewardName?: string
    readonly heldOutReward?: HeldOutFacts
    readonly votes?: PeopleVotes
    /** Name of the reward that stands for a judge. */
    readonly scorer?: string
    /** What the Fréchet distance is to, as a phrase, where there are no true renders. */
    readonly reference?: string
    /** By what objects were found. */
    readonly detector?: Detection
    /** The features in which images were compared. */
    readonly space: SpaceFacts
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
  using _scope = tensorScope()
  const sets = measured.map(({ drawn, evaluation, features, name, bestOf, kl, objects }) =>
    evaluatedSet(
      plan,
      { name, bestOf, kl, votes: strengthsOf(context.votes, name), ...(objects && { objects }) },
      drawn,
      { ...evaluation, ...features() },
    ),
  )
  const base = sets.find(({ name }) => name === 'base')!
  const { reliability, ...reward } = runs.reward === undefined ? { reward: null } : rewardQuality(runs.reward)
  const curves = runs.policies.flatMap(({ name, run }) => curveOf(name, run) ?? [])
  const { seconds, torch, stages, caveats, config, rewardRange, space, votes, ...about } = context
  const notMeasured = lacks(sets)
  const count = (split: string) => plan.prompts.filter((prompt) => prompt.split === split).length
  return Report.parse({
    schema: 1,
    seconds,
    machine: machineName(),
    torch,
    ...reward,
    policies: measured.map(({ algorithm, cost }, i) => ({
      ...policyReport(sets[i], base),
      ...cost,
      ...(algorithm !== undefined && { algorithm }),
    })),
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
          images: Math.floor(base.features.shape[0] / frechetSubsets),
        },
        bootstrapResamples,
        diversity: `The mean distance between two images of one prompt, in the features in which the Fréchet distance is taken; they are ${space.sha256 === undefined ? featureScale[base.measuredBy] : 'as the network gives them'}.`,
        ...(rewardRange && { rewardRange: [...rewardRange] }),
        features: { ...space, width: base.features.shape[1] },
        ...about,
      },
      comparisons: comparisons(sets),
      ...(votes && { votes: votesReport(votes) }),
      ...(Object.keys(notMeasured).length > 0 && { notMeasured }),
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
