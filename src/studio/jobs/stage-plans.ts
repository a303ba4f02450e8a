/** How the studio offers each stage: which settings come first, which it sets itself, and where its own defaults differ. */
import type { SettingValue, StageName } from '../schemas/jobs.ts'
import type { RunKind } from '../runs.ts'

export interface StagePlan {
  /** `dpok`: its runs are named `dpok-1`, `dpok-2`, … */
  readonly base: string
  readonly title: string
  readonly sentence: string
  /** Settings that matter, in their order; all others come under "more". */
  readonly main: readonly string[]
  /** Settings that name runs: which kind, and where only one stage's. */
  readonly runs: Readonly<Record<string, { readonly kind: RunKind; readonly stage?: StageName }>>
  /** Settings of the studio's own, that the stage has in another form. */
  readonly own: Readonly<Record<string, OwnField>>
  /** For the embedded model: a first experience of a minute or two on two cores. */
  readonly embeddedDefaults: Readonly<Record<string, SettingValue>>
  /** With these. */
  readonly takes: string
}

export interface OwnField {
  readonly type: 'integer' | 'list'
  readonly sentence: string
  readonly expected: string
  readonly default: SettingValue
  readonly max?: number
}

/** Set by the studio, or paths, which never come from a request. */
export const hiddenFields: ReadonlySet<string> = new Set([
  'out',
  'resume',
  'feedback',
  'model',
  'encoder',
  'prompt',
  'promptColumn',
  'latents',
  'outputLatents',
  'distractorsFile',
  'trainDataDir',
  'imageColumn',
  'captionColumn',
  'maxTrainSamples',
  'centerCrop',
  'randomFlip',
  'seen',
  'unseen',
  'referenceImages',
])

const prompts = (sentence: string): OwnField => ({
  type: 'list',
  sentence,
  expected: 'texts, one a line',
  default: null,
})

export const stagePlans: Readonly<Record<StageName, StagePlan>> = {
  'images generate': {
    base: 'round',
    title: 'Draw images',
    sentence: 'A policy draws images of prompts; people judge them.',
    main: ['policy', 'prompts', 'promptCount', 'perPrompt'],
    runs: { policy: { kind: 'policy' } },
    own: {
      prompts: prompts('Prompts, one a line; some of the embedded model’s own without them.'),
      promptCount: {
        type: 'integer',
        sentence: 'How many of the embedded model’s own prompts, where none are given: those drawn least so far.',
        expected: 'a whole number from 1 to 105',
        default: 32,
        max: 105,
      },
    },
    embeddedDefaults: { perPrompt: 3 },
    takes: 'a few seconds',
  },
  'reward train': {
    base: 'reward',
    title: 'Train a reward',
    sentence: 'Learns from all judgments that count what people like, to score any image of a prompt.',
    main: ['heldOut', 'epochs', 'seed'],
    runs: {},
    own: {},
    embeddedDefaults: { batchSize: 32 },
    takes: 'a few seconds',
  },
  'policy reward-weighted': {
    base: 'reward-weighted',
    title: 'Fine-tune, weighted by the reward',
    sentence: 'Trains on images that were drawn, each weighted by its reward (Lee et al. 2023).',
    main: ['reward', 'images', 'updates', 'pretrainingWeight', 'policy', 'seed'],
    runs: {
      reward: { kind: 'reward' },
      images: { kind: 'round' },
      policy: { kind: 'policy' },
      scorer: { kind: 'reward' },
    },
    own: {},
    embeddedDefaults: { updates: 120, pretrainingWeight: 0, checkpointEvery: 20, sampleEvery: 20, samples: 32 },
    takes: 'about half a minute',
  },
  'policy dpok': {
    base: 'dpok',
    title: 'Fine-tune with DPOK',
    sentence: 'Draws images, scores them by the reward and learns from them, held near the start (Fan et al. 2023).',
    main: ['reward', 'imagesDrawn', 'klWeight', 'policy', 'seed'],
    runs: { reward: { kind: 'reward' }, policy: { kind: 'policy' }, scorer: { kind: 'reward' } },
    own: { prompts: prompts('Prompts to train on, one a line; those of all rounds without them.') },
    embeddedDefaults: { imagesDrawn: 1536, checkpointEvery: 2, sampleEvery: 2, samples: 32 },
    takes: 'about a minute',
  },
  report: {
    base: 'report',
    title: 'Write a report',
    sentence: 'Measures policies on prompts and noise that no training has used.',
    main: ['reward', 'rewardWeighted', 'dpok', 'imagesPerPrompt', 'bestOf'],
    runs: {
      reward: { kind: 'reward' },
      rewardWeighted: { kind: 'policy', stage: 'policy reward-weighted' },
      dpok: { kind: 'policy', stage: 'policy dpok' },
      scorer: { kind: 'reward' },
    },
    own: {},
    embeddedDefaults: { imagesPerPrompt: 2, klRollouts: 32 },
    takes: 'about a minute',
  },
}
