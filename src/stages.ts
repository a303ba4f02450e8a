/**
 * The facts of every stage that makes runs: all that is known of it without its code. The command line, the studio, its
 * pages and the report read them, so a new policy algorithm is one more entry here. Free of tensors, schemas and Node.
 */

/** What a run is to those that look at it: images to judge, what scores images, what draws them, what was measured. */
export type RunKind = 'round' | 'reward' | 'policy' | 'best-of-n' | 'report'

/**
 * What a stage is made from:
 * - `prompts` to draw images of; `images` that were drawn before; `pretraining images` with captions of a user's own.
 * - `judgments` of any kind; `pairs`: those that say which of two images of a prompt is better.
 * - `reward`, `policies`: runs of these kinds.
 */
export type StageInput = 'prompts' | 'images' | 'pretraining images' | 'judgments' | 'pairs' | 'reward' | 'policies'

/** Results of a run that count as its cost: images that it drew itself while it trained, and updates of its weights. */
type Cost = 'imagesDrawn' | 'updates'

/** A stage as a form of the studio. */
interface FormFacts {
  /** Settings that matter beside those that name what it takes, in their order; all others come under "more". */
  readonly main: readonly string[]
  /** For the embedded model: a first experience of a minute or two on two cores. */
  readonly embeddedDefaults: Readonly<Record<string, number>>
  /** Its time grows with the product of these: settings, of a list its length; of several the first that is set. */
  readonly work: readonly (readonly string[])[]
  /** Of the embedded model, on a core of a machine of 2026. */
  readonly secondsPerWork: number
}

/** A paper on arXiv. */
export interface Paper {
  /** `Fan et al. 2023` */
  readonly authors: string
  readonly title: string
  /** `2305.16381` */
  readonly arxiv: string
}

interface StageFacts {
  readonly kind: RunKind
  /** `DPOK` */
  readonly title: string
  /** What it does, as --help and the studio say it. */
  readonly sentence: string
  readonly takes: readonly StageInput[]
  readonly cost: readonly Cost[]
  /** Of a method: the paper that it comes from. */
  readonly paper?: Paper
  /** The processes of a launch can divide its work among them; all such stages can go on with an unfinished run. */
  readonly isShared?: true
  /** Null: the studio does not offer it. */
  readonly form: FormFacts | null
}

/** By their commands, in the order of the flow. */
export const stages = {
  'images generate': {
    kind: 'round',
    title: 'Draw images',
    sentence: 'Draw images of prompts, for people to judge.',
    takes: ['prompts'],
    cost: [],
    isShared: true,
    form: {
      main: ['policy', 'prompts', 'promptCount', 'perPrompt'],
      embeddedDefaults: { perPrompt: 3 },
      work: [['prompts', 'promptCount'], ['perPrompt']],
      secondsPerWork: 0.005,
    },
  },
  'images upload': {
    kind: 'round',
    title: 'Upload images',
    sentence: 'Bring images of your own with their prompts, to be judged.',
    takes: [],
    cost: [],
    form: null,
  },
  'reward train': {
    kind: 'reward',
    title: 'Train a reward',
    sentence: 'Learn from all judgments that count what people like, to score any image of a prompt.',
    takes: ['judgments'],
    cost: [],
    isShared: true,
    form: {
      main: ['heldOut', 'epochs', 'seed'],
      embeddedDefaults: { batchSize: 32 },
      work: [['epochs']],
      secondsPerWork: 0.1,
    },
  },
  'policy best-of-n': {
    kind: 'best-of-n',
    title: 'Best of n',
    sentence: 'Pick the best of each n images by the reward.',
    takes: ['images', 'reward'],
    cost: [],
    isShared: true,
    form: null,
  },
  'policy reward-weighted': {
    kind: 'policy',
    title: 'Reward-weighted',
    sentence:
      'Fine-tune on images that were drawn before, each weighted by its reward (Lee et al. 2023), or in rounds on new ones.',
    takes: ['reward', 'images', 'pretraining images'],
    cost: ['imagesDrawn', 'updates'],
    paper: {
      authors: 'Lee et al. 2023',
      title: 'Aligning Text-to-Image Models using Human Feedback',
      arxiv: '2302.12192',
    },
    isShared: true,
    form: {
      main: ['updates', 'pretrainingWeight', 'imagesDrawn'],
      embeddedDefaults: { updates: 120, pretrainingWeight: 0, checkpointEvery: 20, sampleEvery: 20, samples: 32 },
      work: [['updates']],
      secondsPerWork: 0.15,
    },
  },
  'policy dpo': {
    kind: 'policy',
    title: 'DPO',
    sentence: 'Learn from pairs of images which is better, without a reward and without drawing (Wallace et al. 2023).',
    takes: ['pairs'],
    cost: ['updates'],
    paper: {
      authors: 'Wallace et al. 2023',
      title: 'Diffusion Model Alignment Using Direct Preference Optimization',
      arxiv: '2311.12908',
    },
    isShared: true,
    form: {
      main: ['updates', 'beta'],
      embeddedDefaults: { updates: 200, checkpointEvery: 20, sampleEvery: 20, samples: 32 },
      work: [['updates']],
      secondsPerWork: 0.26,
    },
  },
  'policy nft': {
    kind: 'policy',
    title: 'DiffusionNFT',
    sentence:
      'Draw images of each prompt by any sampler, and learn on noise put into them what makes the better ones (Zheng et al. 2025).',
    takes: ['reward', 'prompts'],
    cost: ['imagesDrawn', 'updates'],
    paper: {
      authors: 'Zheng et al. 2025',
      title: 'DiffusionNFT: Online Diffusion Reinforcement with Forward Process',
      arxiv: '2509.16117',
    },
    isShared: true,
    form: {
      main: ['imagesDrawn', 'groupSize'],
      embeddedDefaults: { imagesDrawn: 1536, checkpointEvery: 2, sampleEvery: 2, samples: 32 },
      work: [['imagesDrawn']],
      secondsPerWork: 0.027,
    },
  },
  'policy draft': {
    kind: 'policy',
    title: 'DRaFT',
    sentence:
      'Follow the gradient of the reward through the last steps of drawing (Clark et al. 2023), until a reward that it does not see falls.',
    takes: ['reward', 'prompts', 'pretraining images'],
    cost: ['imagesDrawn', 'updates'],
    paper: {
      authors: 'Clark et al. 2023',
      title: 'Directly Fine-Tuning Diffusion Models on Differentiable Rewards',
      arxiv: '2309.17400',
    },
    isShared: true,
    form: {
      main: ['heldOutReward', 'imagesDrawn', 'lastSteps', 'pretrainingWeight'],
      embeddedDefaults: { imagesDrawn: 768, lastSteps: 10, checkpointEvery: 8, sampleEvery: 8, samples: 32 },
      work: [['imagesDrawn']],
      secondsPerWork: 0.05,
    },
  },
  'policy dpok': {
    kind: 'policy',
    title: 'DPOK',
    sentence: 'Draw images, score them by the reward and learn from them, held near the start (Fan et al. 2023).',
    takes: ['reward', 'prompts'],
    cost: ['imagesDrawn', 'updates'],
    paper: {
      authors: 'Fan et al. 2023',
      title: 'DPOK: Reinforcement Learning for Fine-tuning Text-to-Image Diffusion Models',
      arxiv: '2305.16381',
    },
    isShared: true,
    form: {
      main: ['imagesDrawn', 'klWeight'],
      embeddedDefaults: { imagesDrawn: 1536, checkpointEvery: 2, sampleEvery: 2, samples: 32 },
      work: [['imagesDrawn']],
      secondsPerWork: 0.04,
    },
  },
  'policy grpo': {
    kind: 'policy',
    title: 'GRPO',
    sentence:
      'Draw several images of each prompt, and learn from what is better than the others of its prompt (Liu et al. 2025).',
    takes: ['reward', 'prompts'],
    cost: ['imagesDrawn', 'updates'],
    paper: {
      authors: 'Liu et al. 2025',
      title: 'Flow-GRPO: Training Flow Matching Models via Online RL',
      arxiv: '2505.05470',
    },
    isShared: true,
    form: {
      main: ['imagesDrawn', 'groupSize', 'klWeight'],
      embeddedDefaults: { imagesDrawn: 1536, checkpointEvery: 2, sampleEvery: 2, samples: 32 },
      work: [['imagesDrawn']],
      secondsPerWork: 0.027,
    },
  },
  'policy ddpo': {
    kind: 'policy',
    title: 'DDPO',
    sentence: 'Draw images, and learn from what is better than the latest images of its prompt (Black et al. 2023).',
    takes: ['reward', 'prompts'],
    cost: ['imagesDrawn', 'updates'],
    paper: {
      authors: 'Black et al. 2023',
      title: 'Training Diffusion Models with Reinforcement Learning',
      arxiv: '2305.13301',
    },
    isShared: true,
    form: {
      main: ['imagesDrawn', 'promptMemory', 'klWeight'],
      // Of a few dozen prompts, each is drawn about twice as often as this.
      embeddedDefaults: { imagesDrawn: 1536, promptMemory: 4, checkpointEvery: 2, sampleEvery: 2, samples: 32 },
      work: [['imagesDrawn']],
      secondsPerWork: 0.028,
    },
  },
  report: {
    kind: 'report',
    title: 'Write a report',
    sentence: 'Measure policies on prompts and noise that no training has used, and write report.html and report.json.',
    takes: ['reward', 'policies'],
    cost: [],
    isShared: true,
    form: {
      main: ['imagesPerPrompt', 'bestOf'],
      embeddedDefaults: { imagesPerPrompt: 2, klRollouts: 32 },
      work: [['imagesPerPrompt']],
      secondsPerWork: 6,
    },
  },
} as const satisfies Readonly<Record<string, StageFacts>>

export type StageName = keyof typeof stages

type WithFacts<F> = { [S in StageName]: (typeof stages)[S] extends F ? S : never }[StageName]

/** Trains a policy. */
export type PolicyStage = WithFacts<{ kind: 'policy' }>
/** Has a form in the studio. */
export type FormStage = WithFacts<{ form: FormFacts }>
/** `dpok` of `policy dpok` */
export type AlgorithmName = PolicyStage extends `policy ${infer Name}` ? Name : never

/** The facts of a stage; undefined of any other name, which a manifest of elsewhere may have. */
export const factsOf = (stage: string): StageFacts | undefined =>
  Object.hasOwn(stages, stage) ? stages[stage as StageName] : undefined

const namesWhere = <S extends StageName>(isMeant: (facts: StageFacts) => boolean): readonly S[] =>
  (Object.keys(stages) as StageName[]).filter((name): name is S => isMeant(stages[name]))

export const policyStages = namesWhere<PolicyStage>(({ kind }) => kind === 'policy')
export const formStages = namesWhere<FormStage>(({ form }) => form !== null)

export const isPolicyStage = (stage: string): stage is PolicyStage => factsOf(stage)?.kind === 'policy'

/** Whether a stage is made from this. */
export const takesInput = (stage: StageName, input: StageInput): boolean =>
  (stages[stage].takes as readonly StageInput[]).includes(input)

/** `dpok` of `policy dpok` */
export const algorithmOf = (stage: PolicyStage): AlgorithmName => stage.slice('policy '.length) as AlgorithmName

/** `dpok`: names of its runs in the studio begin so, and its form's address ends so. */
export const runBase = (stage: FormStage): string => (isPolicyStage(stage) ? algorithmOf(stage) : stages[stage].kind)

/** `DPOK fine-tuning`, `Train a reward` */
export const stageTitle = (stage: StageName): string =>
  isPolicyStage(stage) ? `${stages[stage].title} fine-tuning` : stages[stage].title

/** What the studio trains where nobody has chosen a method. */
export const usualPolicyStage: PolicyStage = 'policy dpok'
