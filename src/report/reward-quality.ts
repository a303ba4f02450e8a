/** How good the reward is that the policies were trained on, as its run says. */
import { z } from 'zod'
import { FormatError } from '../errors.ts'
import type { PastRun } from './lineage.ts'
import type { Report } from './schema.ts'

/** What a reward run says of itself in its manifest. */
const share = z.number().min(0).max(1)
const ends = z.tuple([z.number(), z.number()]).nullable().default(null)
const RewardResults = z.object({
  labels: z.int().nonnegative(),
  simulated: z.boolean().optional(),
  heldOut: z.object({
    n: z.int().nonnegative(),
    accuracy: share.nullable(),
    auc: share.nullable(),
    aucInterval: ends,
    clipScoreAuc: share.nullable(),
    ece: share.nullable(),
    reliability: z
      .array(z.object({ low: share, high: share, n: z.int().nonnegative(), predicted: share, observed: share }))
      .optional(),
    comparisons: z.int().nonnegative().default(0),
    pairAccuracy: share.nullable().default(null),
    pairAccuracyInterval: ends,
    clipScorePairAccuracy: share.nullable().default(null),
    frozenHead: z.object({ pairAccuracy: share }).optional(),
  }),
})
type RewardResults = z.infer<typeof RewardResults>

export function rewardQuality(
  run: PastRun,
): Pick<Report, 'reward'> & Pick<NonNullable<Report['details']>, 'reliability'> {
  const { labels, heldOut } = rewardResults(run)
  const { n, accuracy, auc, aucInterval, clipScoreAuc, ece, reliability } = heldOut
  const { pairAccuracy, pairAccuracyInterval, clipScorePairAccuracy } = heldOut
  const isLabelled = accuracy !== null && auc !== null && clipScoreAuc !== null && ece !== null
  const isCompared = pairAccuracy !== null && clipScorePairAccuracy !== null
  return {
    reward: {
      labels,
      heldOut: isLabelled ? { n, accuracy, auc, clipScoreAuc, ece, ...(aucInterval && { aucInterval }) } : null,
      ...(isCompared && {
        comparisons: {
          ...{ n: heldOut.comparisons, pairAccuracy, clipScorePairAccuracy },
          ...(pairAccuracyInterval && { pairInterval: pairAccuracyInterval }),
          ...(heldOut.frozenHead && { frozenHeadPairAccuracy: heldOut.frozenHead.pairAccuracy }),
        },
      }),
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
