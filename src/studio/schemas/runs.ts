/** Rounds, rewards, policies and reports, and who came from whom. */
import { z } from 'zod'
import { mostPrompts } from './prompts.ts'
import { count, ImageRef, PolicyRef, PromptText, RunName, share, time } from './basics.ts'

/** What keeps a reward from being proven, and what would help. */
export const RewardLack = z.object({
  /**
   * Measured on no held-out prompts, or on `too-few`; `at-chance` or below; a figure above chance whose interval is not:
   * `not-above-chance`; better than chance, not shown to be better than the CLIP score: `not-above-clip`.
   */
  kind: z.enum(['unmeasured', 'too-few', 'at-chance', 'not-above-chance', 'not-above-clip']),
  /** Null where there is none. */
  figures: z
    .object({
      /** AUC of labels, or the share of pairs that it orders as people do. */
      of: z.enum(['auc', 'pairs']),
      value: z.number(),
      /** 95 %. */
      interval: z.tuple([z.number(), z.number()]),
      /** Chance, or what the CLIP score reaches on the same images where that is more. */
      bar: z.number(),
      /** Held-out labels, or pairs. */
      n: count,
    })
    .nullable(),
  /** About how many more labels would prove it; null where there are no figures. */
  wanted: count.nullable(),
})
export type RewardLack = z.infer<typeof RewardLack>

export const Round = z.object({
  /** Name of the run that drew it; uploads are a round as well. */
  name: z.string(),
  policy: z.string(),
  images: count,
  /** Images with at least one judgment that stands and is no skip. */
  judged: count,
  prompts: count,
  at: time,
})
export type Round = z.infer<typeof Round>
export const Rounds = z.object({ /** Oldest first. */ rounds: z.array(Round) })
export type Rounds = z.infer<typeof Rounds>

export const NewRound = z.strictObject({
  policy: PolicyRef.default('pretrained'),
  /** Texts of prompts; without them `promptCount` prompts of the embedded model's seen ones, other ones every round. */
  prompts: z.array(PromptText).min(1).max(mostPrompts).optional(),
  promptCount: z.int().min(1).max(105).default(32),
  /** Three are judged at a time. */
  perPrompt: z.int().min(1).max(64).default(3),
})
export type NewRound = z.input<typeof NewRound>

/** Ends of a 95 % interval over prompts. */
const Ends = z.tuple([z.number(), z.number()])
const ReliabilityBins = z.array(
  z.object({
    low: share,
    high: share,
    n: count,
    predicted: share,
    observed: share,
    /** Of `observed`, 95 %, by Wilson. */
    interval: Ends,
  }),
)

export const RewardSummary = z.object({
  name: RunName,
  at: time,
  seconds: z.number(),
  /** Empty where the encoder itself was trained. */
  head: z.string(),
  encoder: z.string(),
  /** What was trained of the encoder; null where it is frozen. */
  trainedEncoder: z.enum(['lora', 'all']).nullable(),
  /** Good or bad. */
  labels: count,
  /** Pairs, and those of rankings and ratings. */
  comparisons: count,
  prompts: count,
  raters: count,
  /** Some of the labels are of a simulated rater. */
  simulated: z.boolean(),
  /**
   * Why no policy starts by itself on this reward; null where it is proven: the interval of its AUC on held-out prompts
   * (without labels, of its share of pairs) lies above chance and above the CLIP score's.
   */
  lack: RewardLack.nullable(),
  /** Of the CLIP score in the reward; null where it was left out, or before there was one. */
  clipShare: share.nullable(),
  /** On judgments of prompts that were held out; null where none were, or where the figure does not exist. */
  heldOut: z
    .object({
      /** Labels. */
      n: count,
      prompts: count,
      accuracy: share.nullable(),
      accuracyInterval: Ends.nullable(),
      auc: share.nullable(),
      aucInterval: Ends.nullable(),
      /** Of the CLIP score on the same images. */
      clipScoreAuc: share.nullable(),
      /** Expected calibration error. */
      calibrationError: z.number().nullable(),
      /** Held-out comparisons. */
      comparisons: count,
      /** Share of them, ties left out, in the order that people gave. */
      pairAccuracy: share.nullable(),
      pairAccuracyInterval: Ends.nullable(),
      /** Share of ties among them, and the one that the reward expects. */
      tieShare: share.nullable(),
      expectedTieShare: share.nullable(),
      /** Of a trained encoder: the share of pairs in order by the head on the frozen one, and how far ahead of that it is. */
      frozenPairAccuracy: share.nullable(),
      gain: z.number().nullable(),
      gainInterval: Ends.nullable(),
    })
    .nullable(),
})
export type RewardSummary = z.infer<typeof RewardSummary>
export const Rewards = z.object({ /** Newest first. */ rewards: z.array(RewardSummary) })
export type Rewards = z.infer<typeof Rewards>

export const RewardDetail = RewardSummary.extend({
  /** Reliability diagram: mean prediction and share of good labels of each bin. */
  reliability: ReliabilityBins,
  /** The same of comparisons that are no ties: how often the first image is expected to be the better one, and was. */
  pairReliability: ReliabilityBins,
  /** The images that people and reward put on different sides of one half, the largest difference first. */
  disagreements: z.array(
    z.object({
      image: ImageRef,
      prompt: z.string(),
      /** Of the reward: its score, or the share of comparisons that it expects the image to win. */
      score: z.number(),
      /** Of people: the share of good, or of comparisons won. */
      people: share,
      judgments: count,
      by: z.enum(['labels', 'comparisons']),
    }),
  ),
  policies: z.array(RunName),
})
export type RewardDetail = z.infer<typeof RewardDetail>

export const PolicySummary = z.object({
  name: RunName,
  /** `dpok` */
  algorithm: z.string(),
  at: time,
  seconds: z.number(),
  /** Made of low-rank adapters, which other programs read; else weights themselves were trained. */
  adapters: z.boolean(),
  /** Name of the run, or a file. */
  reward: z.string().nullable(),
  /** Trained further from this one. */
  policy: z.string().nullable(),
  results: z.record(z.string(), z.number()),
  /** What alarms of over-optimisation say of it, behind its name: `was trained on although …`; null without any. */
  alarms: z.string().nullable(),
})
export type PolicySummary = z.infer<typeof PolicySummary>

export const ReportSummary = z.object({
  name: RunName,
  at: time,
  /** The page, to be shown in `<iframe sandbox>`: `/reports/<name>`. */
  url: z.string(),
  /** The alignment-versus-fidelity picture. */
  policies: z.array(
    z.object({
      name: z.string(),
      /** Of this studio; null of the pre-trained model and of the best of its images. */
      run: RunName.nullable(),
      seen: z.object({ mean: z.number(), low: z.number(), high: z.number() }),
      unseen: z.object({ mean: z.number(), low: z.number(), high: z.number() }),
      /** Fréchet distance; smaller is closer. */
      frechet: z.object({ mean: z.number(), low: z.number(), high: z.number() }),
      /** To the pre-trained model, nats; null where no step of the sampler has noise. */
      klNats: z.number().nullable(),
      reward: z.number(),
    }),
  ),
})
export type ReportSummary = z.infer<typeof ReportSummary>
export const Reports = z.object({ /** Newest first. */ reports: z.array(ReportSummary) })
export type Reports = z.infer<typeof Reports>

export const LineageNode = z.object({
  /** Unique in the graph; the run's name, `pretrained`, or `judgments`. */
  id: z.string(),
  kind: z.enum(['pretrained', 'round', 'judgments', 'reward', 'policy', 'report']),
  /** Of the embedded model: `pretrained`. */
  label: z.string(),
  /** That made it; null of the pre-trained model and of what was brought. */
  stage: z.string().nullable(),
  /** What is told of it, as far as it is known. */
  facts: z.object({
    images: count.optional(),
    judged: count.optional(),
    labels: count.optional(),
    /** On held-out prompts. */
    auc: share.optional(),
    updates: count.optional(),
  }),
  at: time.nullable(),
  /** Column from the left: every edge goes from a smaller to a larger one. */
  depth: count,
  archived: z.boolean(),
})
export type LineageNode = z.infer<typeof LineageNode>
export const Lineage = z.object({
  nodes: z.array(LineageNode),
  edges: z.array(
    z.object({ from: z.string(), to: z.string(), /** `policy`, `reward`, `images`, `judgments` */ role: z.string() }),
  ),
})
export type Lineage = z.infer<typeof Lineage>
