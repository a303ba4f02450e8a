/** How the studio offers each stage: which settings come first, which it sets itself, and where its own defaults differ. */
import {
  isPolicyStage,
  runBase,
  stages,
  stageTitle,
  type FormStage,
  type RunKind,
  type StageInput,
} from '../../stages.ts'
import type { SettingValue } from '../schemas/jobs.ts'

export interface StagePlan {
  /** `dpok`: its runs are named `dpok-1`, `dpok-2`, … */
  readonly base: string
  readonly title: string
  readonly sentence: string
  readonly takes: readonly StageInput[]
  /** Settings that matter, in their order; all others come under "more". */
  readonly main: readonly string[]
  /** Settings of the studio's own, that the stage has in another form. */
  readonly own: Readonly<Record<string, OwnField>>
  /** For the embedded model: a first experience of a minute or two on two cores. */
  readonly embeddedDefaults: Readonly<Record<string, SettingValue>>
  /** With these. */
  readonly duration: string
}

export interface OwnField {
  readonly type: 'integer' | 'list'
  readonly sentence: string
  readonly expected: string
  readonly default: SettingValue
  readonly max?: number
}

/** Settings of all stages that name runs of a kind. */
export const runFields: Readonly<Record<string, RunKind>> = {
  reward: 'reward',
  images: 'round',
  policy: 'policy',
  policies: 'policy',
  scorer: 'reward',
}

/** In front of a name that stands for itself where a run could stand; no run is named so. */
export const standingPrefix = 'named:'

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

/** A round draws prompts that are new; training goes on with those of all rounds. */
const roundFields: Readonly<Record<string, OwnField>> = {
  prompts: prompts('Prompts, one a line; some of the embedded model’s own without them.'),
  promptCount: {
    type: 'integer',
    sentence: 'How many of the embedded model’s own prompts, where none are given: those drawn least so far.',
    expected: 'a whole number from 1 to 105',
    default: 32,
    max: 105,
  },
}
const trainingFields: Readonly<Record<string, OwnField>> = {
  prompts: prompts('Prompts to train on, one a line; those of all rounds without them.'),
}

/** Settings by which a stage is told what it is made from, where a form asks for it first. */
const inputFields: Partial<Readonly<Record<StageInput, string>>> = {
  reward: 'reward',
  images: 'images',
  policies: 'policies',
}

export function planOf(stage: FormStage): StagePlan {
  const { kind, sentence, takes, form } = stages[stage]
  const drawsPrompts = (takes as readonly StageInput[]).includes('prompts')
  return {
    base: runBase(stage),
    title: stageTitle(stage),
    sentence,
    takes,
    main: [
      ...takes.flatMap((input) => inputFields[input] ?? []),
      ...form.main,
      ...(isPolicyStage(stage) ? ['policy', 'seed'] : []),
    ],
    own: !drawsPrompts ? {} : kind === 'round' ? roundFields : trainingFields,
    embeddedDefaults: form.embeddedDefaults,
    duration: form.duration,
  }
}
