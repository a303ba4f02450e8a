/** How the studio offers each stage: which settings come first, which it sets itself, and which have another form there. */
import { isPolicyStage, stages, takesInput, type FormStage, type RunKind, type StageInput } from '../../stages.ts'
import type { SettingValue } from '../schemas/jobs.ts'

/** A setting of the studio's own, that the stage has in another form. */
export interface OwnField {
  readonly type: 'integer' | 'list'
  readonly sentence: string
  readonly expected: string
  readonly default: SettingValue
  readonly max?: number
}

/** What the studio says of such settings where the command line speaks of paths. */
export const runSentences: Readonly<Partial<Record<string, string>>> = {
  reward: 'The reward that scores the images.',
  images: 'Rounds of images, labelled or not.',
  heldOutReward:
    'Another reward, which a training does not see: an alarm is raised where it falls while the trained one rises.',
}

/** Settings of all stages that name runs of a kind. */
export const runFields: Readonly<Record<string, RunKind>> = {
  reward: 'reward',
  images: 'round',
  policy: 'policy',
  policies: 'policy',
  scorer: 'reward',
  heldOutReward: 'reward',
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
  'vae',
  'modelConfig',
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
  'features',
  'detector',
  'detectorThreshold',
  'votes',
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

/** The settings that matter, in their order; all others come under "more". */
export function mainFields(stage: FormStage): readonly string[] {
  const { takes, form } = stages[stage]
  return [
    ...takes.flatMap((input) => inputFields[input] ?? []),
    ...form.main,
    ...(isPolicyStage(stage) ? ['policy', 'seed'] : []),
  ]
}

/** Settings of the studio's own, by their names. */
export function ownFields(stage: FormStage): Readonly<Record<string, OwnField>> {
  if (!takesInput(stage, 'prompts')) return {}
  return stages[stage].kind === 'round' ? roundFields : trainingFields
}
