/** What a study is: arms that are measured once a seed, claims that are decided from them, and pictures. */
import type { Interval } from '../report/interval.ts'
import type { Prompt } from '../records.ts'
import type { Split } from '../report/schema.ts'
import type { Source, Step, Steps } from './steps.ts'

/** How much of everything. */
export interface StudySize {
  /** One in so many prompts is used. */
  readonly promptStride: number
  /** Of each seen prompt: images that are labelled, and images that a fine-tuning may draw. */
  readonly labelledPerPrompt: number
  readonly drawnPerPrompt: number
  /** Updates of a supervised fine-tuning. */
  readonly updates: number
  /** Of the report by which an arm is measured. */
  readonly imagesPerPrompt: number
  readonly klRollouts: number
}

export interface StudyPrompts {
  /** Their images are labelled. */
  readonly labelled: Source
  /** A labelled one of each category, alone. */
  readonly singles: readonly (Source & Pick<Prompt, 'text' | 'category'>)[]
  /** Policies are trained on them, and how many there are. */
  readonly trained: Source
  readonly trainedCount: number
  /** All that the world has but those held back: nobody labels an image of most of them. */
  readonly many: Source
  /** Arms are measured on them. */
  readonly seen: Source
  readonly unseen: Source
  /** A quarter each of the seen ones, by the share of the pre-training captions of their wording that are wrong, on average. */
  readonly faults: readonly (Source & { readonly wrong: number })[]
  /** Of the seen ones, those of colours that pre-training had often and seldom with their object. */
  readonly colors: { readonly common: Source; readonly rare: Source }
}

/** What the arms of one seed are built from. */
export interface Bench {
  readonly seed: number
  readonly size: StudySize
  readonly prompts: StudyPrompts
  readonly steps: Steps
}

/** Settings of a method that are chosen rather than studied. */
export type Coefficients = Readonly<Record<string, number>>

/** One family of arms whose coefficients are chosen together, by the one rule of all. */
export interface Tuning {
  readonly name: string
  readonly candidates: readonly Coefficients[]
  /** Trains with a candidate. */
  train(bench: Bench, coefficients: Coefficients): Step
}

/** One measured number. */
export interface Finding {
  readonly measure: string
  readonly split?: Split
  readonly value: number
  /** Of the one seed, over its prompts or images. */
  readonly interval?: Interval
}

/** What is measured of one seed under one name. */
export interface Arm {
  /** Short and unique within the study: `kl-0.01`. */
  readonly name: string
  readonly title: string
  /** Where it stands on the axis of a sweep. */
  readonly at?: number
  readonly step: Step
  /** What of its step it is: arms of any study that say the same of one step have the same numbers. */
  readonly part: string
  /** Reads the step when it is done. */
  read(): readonly Finding[]
}

/** The value of an arm of one seed; throws where it was not measured. */
export type Look = (arm: string, measure: string, split?: Split) => number

export interface ClaimPart {
  readonly says: string
  /** The larger, the better for the claim; of one seed. */
  of(look: Look): number
  /** It holds above this. */
  readonly bound?: number
  /** How the number is written. */
  readonly unit: 'points' | 'number' | 'nats'
}

/** A sentence of a paper or of ours that figures can support or refute. */
export interface Claim {
  readonly says: string
  /** Who says it. */
  readonly source: string
  readonly parts: readonly ClaimPart[]
}

/** One quantity over the axis of a sweep, a line for each list of arms. */
export interface Sweep {
  readonly title: string
  readonly axis: string
  readonly isLogarithmic?: true
  readonly measures: readonly { readonly measure: string; readonly split?: Split }[]
  readonly lines: readonly { readonly title: string; readonly arms: readonly string[] }[]
}

export interface Study {
  readonly name: string
  readonly title: string
  readonly question: string
  readonly tunings: readonly Tuning[]
  /** @param chosen the coefficients of each tuning, by its name */
  arms(bench: Bench, chosen: Readonly<Record<string, Coefficients>>): readonly Arm[]
  readonly claims: readonly Claim[]
  readonly sweeps: readonly Sweep[]
}
