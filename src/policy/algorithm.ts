/** What a method of training is to the stage that runs it. A new one is a file beside the others, see algorithms/index.ts. */
import type { z } from 'zod'
import type { Sampler } from '../diffusion/process.ts'
import type { AtOnce } from '../images/at-once.ts'
import type { PretrainingSource } from '../images/open-model.ts'
import type { CleanStates, GenerativeModel } from '../networks/generative-model.ts'
import type { Comparison } from '../reward/examples/reward-examples.ts'
import type { Reward } from '../reward/reward.ts'
import type { PolicyStage, stages } from '../stages.ts'
import type { Group } from '../tensor/group.ts'
import type { TrainableChange } from './trainable.ts'
import type { Row, StepMetrics, Trainer } from './training-run.ts'

/** What a training is given of each thing that its stage takes. */
interface Inputs {
  readonly prompts: {
    /** Each is drawn equally often. */
    readonly texts: readonly string[]
    readonly sampler: Sampler
    readonly guidance: number
  }
  readonly images: {
    readonly images: readonly ScoredImage[]
    /** Of the images, [N, …] each, on the CPU. */
    readonly states: CleanStates
    /** By which more of their prompts are drawn. */
    readonly sampler: Sampler
    readonly guidance: number
  }
  readonly pairs: {
    /** Their images are rows of the states. */
    readonly pairs: readonly Comparison[]
    /** Of the images, [N, …] each, on the CPU. */
    readonly states: CleanStates
  }
  readonly 'pretraining images': { readonly pretraining: PretrainingSource }
  readonly reward: { readonly reward: Reward }
}
export type TrainingInput = keyof Inputs

/** A generated image with the reward's score of it. */
export interface ScoredImage {
  readonly text: string
  readonly score: number
}

/** The intersection of a union. */
export type All<Union> = (Union extends unknown ? (one: Union) => void : never) extends (all: infer Every) => void
  ? Every
  : never

/** All that a trainer is made from. */
export type Given<Takes extends TrainingInput, Settings> = All<Inputs[Takes]> & {
  readonly model: GenerativeModel
  readonly trainable: TrainableChange
  readonly seed: number
  readonly settings: Settings
  /** The processes that train as one; this one alone without it. */
  readonly group?: Group
}

/**
 * The same by shapes alone, for a trainer that is tried out before it begins: networks, what is trained and the reward are
 * hollow (`GenerativeModel.hollow`), and a trajectory has a step or two.
 */
export type HollowGiven<Takes extends TrainingInput, Settings> = Given<Exclude<Takes, 'images' | 'pairs'>, Settings> & {
  /** Of a trajectory, as it will be. */
  readonly steps: number
  readonly sampler: Sampler
  readonly guidance: number
}

/** What it takes to draw one image with the policy. */
export interface Drawing {
  /** Steps of a trajectory. */
  readonly steps: number
  /** Passes through the denoiser in a step: 2 with classifier-free guidance, else 1. */
  readonly passes: number
}

/** A method as the stage sees it that runs it. */
export interface AnyAlgorithm {
  /** Its settings, beside those of what it takes and of every training. */
  readonly fields: z.ZodRawShape
  /**
   * It follows the gradient of the reward: which has to have one, and to be watched, since what it gets wrong is found within few
   * updates. A held-out reward must be given, and an alarm ends the training unless that is turned off.
   */
  readonly followsGradient?: true
  /** Settings that may be others when an unfinished run goes on, beside those of every training. */
  readonly changeable: readonly string[]
  /** Settings that the file of the policy tells. */
  readonly recorded: readonly string[]
  /** Steps between checkpoints unless told otherwise. */
  readonly checkpointEvery: number
  /** Settings that a run chooses by the memory that is free, where they are not given: those of `atOnce`. */
  readonly chosen?: readonly string[]
  /** How many are computed at once, by those settings. @param given what it would be made from, hollow */
  atOnce?(given: never): readonly AtOnce[]
  /** @param given of what its stage takes @throws {ConfigError | RewardError | ScheduleError} nothing can be learned from it */
  begin(given: never): Trainer
  /**
   * What a training computes, in passes of one row through the denoiser, of which one with gradients counts three times; by
   * its settings. What only looks at the training is measured by it, and left out where it is not told.
   */
  work?(settings: never, drawing: Drawing): number
  /** What stands at the end of the progress line. */
  note(metrics: Partial<StepMetrics>): string
  /** What is to be said of the last of these rows, which have all steps so far. */
  warningOf(rows: readonly Row[]): string | undefined
}

/** The method of a stage. */
export interface Algorithm<S extends PolicyStage, Fields extends z.ZodRawShape> extends AnyAlgorithm {
  readonly fields: Fields
  readonly changeable: readonly (keyof Fields & string)[]
  readonly recorded: readonly (keyof Fields & string)[]
  readonly chosen?: readonly (keyof Fields & string)[]
  atOnce?(
    given: HollowGiven<(typeof stages)[S]['takes'][number] & TrainingInput, z.output<z.ZodObject<Fields>>>,
  ): readonly AtOnce[]
  begin(given: Given<(typeof stages)[S]['takes'][number] & TrainingInput, z.output<z.ZodObject<Fields>>>): Trainer
  work?(settings: z.output<z.ZodObject<Fields>>, drawing: Drawing): number
}
