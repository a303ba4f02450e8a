/** What `report.json` holds. The page is made from it and from images alone. */
import { z } from 'zod'
import { Category } from '../records.ts'
import { PolicyName } from './policy-name.ts'

export const splits = ['seen', 'unseen'] as const
export const Split = z.enum(splits)
export type Split = z.infer<typeof Split>

/** `other` is free text, which the judge cannot read. */
export const JudgedCategory = Category.exclude(['other'])
export type JudgedCategory = z.infer<typeof JudgedCategory>

const share = z.number().min(0).max(1)
const seconds = z.number().nonnegative()
const count = z.int().nonnegative()
const ordered = ({ low, mean, high }: { low: number; mean: number; high: number }) => low <= mean && mean <= high

const MeanInterval = z
  .strictObject({ mean: z.number(), low: z.number(), high: z.number() })
  .refine(ordered, 'low ≤ mean ≤ high')
const ShareInterval = z.strictObject({ mean: share, low: share, high: share }).refine(ordered, 'low ≤ mean ≤ high')

/** By name: measures that have no field of their own; see src/report/measures. */
const Measures = z.record(z.string(), MeanInterval)

const SplitReport = z.strictObject({
  /** Images judged. */
  n: count,
  measuredBy: z.enum(['judge', 'reward']),
  /**
   * By a judge the share of images with every stated attribute right, by a reward the share of images that it prefers to
   * the base's of the same prompt and noise (so the base has one half). Every prompt weighs the same; bootstrap over
   * prompts.
   */
  alignment: ShareInterval,
  /** Paired with the base by prompt and seed; zero for the base itself. */
  differenceToBase: MeanInterval,
  byCategory: z.partialRecord(
    JudgedCategory,
    z.strictObject({ n: count, mean: share, low: share, high: share }).refine(ordered, 'low ≤ mean ≤ high'),
  ),
  measures: Measures.optional(),
})
export type SplitReport = z.infer<typeof SplitReport>

const PolicyReport = z.strictObject({
  /** `base`, `best-of-n`, or what the report was told to call a trained policy. */
  name: PolicyName,
  /** That trained it: `dpok`. */
  algorithm: z.string().optional(),
  /** Images drawn to make the policy; for best-of-n, those drawn for each image shown are counted too. */
  imagesDrawn: count,
  /** Optimiser steps. */
  updates: count,
  seconds,
  /** The n of best-of-n. */
  bestOf: z.int().min(2).optional(),
  /** Σ_t KL_t on fresh on-policy roll-outs, nats. `image`: of the image drawn, log n − (n−1)/n for best-of-n. `none`: it has none, since no step of the sampler has noise. */
  klNats: z
    .strictObject({
      mean: z.number(),
      low: z.number(),
      high: z.number(),
      of: z.enum(['trajectory', 'image', 'none']).optional(),
    })
    .refine(ordered, 'low ≤ mean ≤ high'),
  /** Of the reward model, on the images of both splits. */
  meanReward: MeanInterval,
  fidelity: z.strictObject({
    /** Fréchet distance to true renders, or to reference images; smaller is closer. Interval from disjoint subsets. */
    frechet: z.number(),
    low: z.number(),
    high: z.number(),
    /** Share of images that are a clean render of anything; null where nothing can tell. */
    validShare: share.nullable(),
  }),
  diversity: MeanInterval,
  measures: Measures.optional(),
  /** By kind of prompt: shares of images that show the objects asked for; see `objects` of the measures. */
  objectsByKind: z
    .record(
      z.string(),
      z
        .strictObject({ prompts: count, n: count, mean: share, low: share, high: share })
        .refine(ordered, 'low ≤ mean ≤ high'),
    )
    .optional(),
  seen: SplitReport,
  unseen: SplitReport,
})
export type PolicyReport = z.infer<typeof PolicyReport>

/** Paired difference in alignment between two policies of the report. */
const Comparison = z.strictObject({ policy: PolicyName, against: PolicyName, split: Split, difference: MeanInterval })
export type Comparison = z.infer<typeof Comparison>

const Curve = z.strictObject({
  policy: PolicyName,
  points: z.array(
    z.strictObject({
      imagesDrawn: count,
      reward: z.number(),
      /** Σ_t KL_t to the pre-trained model, where the run measured it. */
      klNats: z.number().optional(),
      /** Of the value function, on roll-outs that it has not seen. */
      explainedVariance: z.number().optional(),
    }),
  ),
})
export type Curve = z.infer<typeof Curve>

const Reliability = z.strictObject({ low: share, high: share, n: count, predicted: share, observed: share })

const Detection = z.strictObject({
  network: z.string(),
  resize: z.string(),
  sha256: z.string(),
  /** Score above which a box counts. */
  threshold: share,
  /** CLIPModel that tells colours; null where none was given. */
  colors: z.string().nullable(),
  /** Prompts that were checked. */
  prompts: count,
  /** Prompts that ask for a colour, which nothing could tell. */
  withoutColor: count,
  /** Prompts that state nothing that can be checked. */
  unstated: count,
})
export type Detection = z.infer<typeof Detection>

const Measurement = z.strictObject({
  seed: count,
  /** The coefficients were chosen on this seed. */
  tuningSeed: count.optional(),
  promptsSeen: count,
  promptsUnseen: count,
  imagesPerPrompt: count,
  sampler: z.string(),
  steps: count,
  eta: z.number(),
  guidance: z.number(),
  /** Disjoint subsets of the Fréchet interval, and images in each. */
  frechetSubsets: z.strictObject({ subsets: count, images: count }).optional(),
  bootstrapResamples: count.optional(),
  /** Share of answers flipped and skipped by the simulated rater; absent where people judged. */
  simulatedRater: z.strictObject({ errorRate: share, skipRate: share }).optional(),
  /** How the coefficients were chosen, as a sentence. */
  selectionRule: z.string().optional(),
  /** What `diversity` is, as a sentence. */
  diversity: z.string().optional(),
  /** Lowest and highest value that the reward can have; absent where there are none. */
  rewardRange: z.tuple([z.number(), z.number()]).optional(),
  /** The reward that images were chosen and policies trained by: a run folder, or the name of a model. */
  rewardName: z.string().optional(),
  /** The reward that stands for a judge. */
  scorer: z.string().optional(),
  /** A reward that no policy learned from, and how many of its labels taught them too: see `HeldOutFacts`. */
  heldOutReward: z
    .strictObject({
      name: z.string(),
      labels: z.strictObject({ shared: count, of: count }).nullable().optional(),
    })
    .optional(),
  /** What the Fréchet distance is to, where there are no true renders. */
  reference: z.string().optional(),
  /** By what objects were found; absent where no detector was given. */
  detector: Detection.optional(),
  /** The features in which images are compared: numbers of a row, and the phrases and the hash of `SpaceFacts`. */
  features: z
    .strictObject({ network: z.string(), width: count, resize: z.string(), sha256: z.string().optional() })
    .optional(),
})

/** People's blind votes between the policies of the report. */
const Votes = z.strictObject({
  raters: count,
  pairs: z.array(
    z.strictObject({
      policy: PolicyName,
      against: PolicyName,
      question: z.enum(['alignment', 'fidelity']),
      /** Single images, or sets of them. */
      form: z.enum(['single', 'set']),
      votes: count,
      raters: count,
      /** Images or sets that were compared; the interval counts these. */
      duels: count,
      wins: count,
      ties: count,
      losses: count,
      /** Share that `policy` won, ties half; Wilson's interval. */
      rate: ShareInterval,
      /** Of duels, by the sequential sign test; see `Verdict` in votes/win-rates.ts. Not in reports of before 0.3. */
      verdict: z
        .strictObject({
          better: z.enum(['policy', 'against']).nullable(),
          won: count,
          tied: count,
          lost: count,
          share: ShareInterval.nullable(),
          wanted: z.strictObject({ least: count, about: count.nullable() }).nullable(),
        })
        .optional(),
    }),
  ),
  /** Davidson's ν of each question for which policies have finite strengths. */
  nu: z.array(z.strictObject({ question: z.enum(['alignment', 'fidelity']), nu: z.number().nonnegative() })),
})

/** What the page shows beyond the numbers of the table; each part is left out where it is absent. */
const ReportDetails = z.strictObject({
  measurement: Measurement.optional(),
  comparisons: z.array(Comparison).optional(),
  /** By the names of measures that could not be taken of some policy: why not, as a clause. */
  notMeasured: z.record(z.string(), z.string()).optional(),
  votes: Votes.optional(),
  curves: z.array(Curve).optional(),
  reliability: z.array(Reliability).optional(),
  /** Sentences that a reader must know before believing the numbers. */
  caveats: z.array(z.string()).optional(),
  /** Wall-clock time of each stage, in the order of the flow. */
  stages: z.array(z.strictObject({ name: z.string(), seconds })).optional(),
  /** The resolved configuration, flat: `dpok.klWeight`. */
  config: z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()])).optional(),
})
type ReportDetails = z.infer<typeof ReportDetails>

/** What report.json holds. */
export const Report = z.strictObject({
  schema: z.literal(1),
  /** Wall-clock time of the whole run. */
  seconds,
  /** `2 × AMD EPYC 7B13, 8 GiB, Linux x64`. */
  machine: z.string(),
  /** Version of libtorch. */
  torch: z.string(),
  /** Of the reward that the policies were trained on; null where it learned from no labels of ours. */
  reward: z
    .strictObject({
      /** Labels collected, skips not counted. */
      labels: count,
      /** On prompts that the reward model was not trained on, against the labels as recorded; null where it learned from comparisons alone. */
      heldOut: z
        .strictObject({
          n: count,
          accuracy: share,
          auc: share,
          /** Ends of the 95 % interval over prompts; not in reports of before 0.3. */
          aucInterval: z.tuple([z.number(), z.number()]).optional(),
          clipScoreAuc: share,
          ece: share,
        })
        .nullable(),
      /** On those prompts, pairs in the order that people gave, ties left out. */
      comparisons: z
        .strictObject({
          n: count,
          pairAccuracy: share,
          /** As `aucInterval`. */
          pairInterval: z.tuple([z.number(), z.number()]).optional(),
          clipScorePairAccuracy: share,
          /** Where the reward is a trained encoder: of the head on the frozen one. */
          frozenHeadPairAccuracy: share.optional(),
        })
        .optional(),
    })
    .nullable(),
  policies: z
    .array(PolicyReport)
    .min(1)
    .refine((policies) => new Set(policies.map((policy) => policy.name)).size === policies.length, 'one of each name')
    .refine((policies) => policies.some((policy) => policy.name === 'base'), 'the base is among them'),
  details: ReportDetails.optional(),
})
export type Report = z.infer<typeof Report>
