/** What a model card is made from: everything that it says of a policy. */
import type { Paper } from '../stages.ts'
import type { Ends } from './card-text.ts'

/** What is known of a licence: its id as hubs write it, and its own name and address where the id is `other`. */
export interface Licence {
  readonly id: string
  readonly name?: string
  readonly link?: string
}

export type BaseFamily = 'stable-diffusion' | 'stable-diffusion-2' | 'stable-diffusion-xl' | 'embedded' | 'unknown'

/** How the file says what it changes: as diffusers or kohya's scripts write adapters, or as Attune keeps a policy. */
export type PolicyForm = 'diffusers' | 'kohya' | 'attune'

export interface RewardFacts {
  readonly name: string
  /** Null of a reward from elsewhere, which learned from no judgments of ours. */
  readonly learned: {
    readonly labels: number
    readonly comparisons: number
    readonly prompts: number
    readonly raters: number
    readonly isSimulated: boolean
    readonly encoder: string | null
    /** On judgments of prompts that were held out. */
    readonly heldOut: {
      readonly labels: number
      readonly auc: number | null
      readonly aucInterval: readonly [number, number] | null
      readonly clipScoreAuc: number | null
      readonly comparisons: number
      readonly pairAccuracy: number | null
      readonly pairAccuracyInterval: readonly [number, number] | null
    } | null
  } | null
}

/** A figure of the report, of the policy and of the pre-trained model. */
export interface ReportRow {
  readonly title: string
  readonly policy: Ends
  readonly base: Ends | null
}

export interface ReportFacts {
  readonly name: string
  readonly at: string
  readonly machine: string
  /** What alignment is here, as a clause. */
  readonly alignment: string
  readonly rows: readonly ReportRow[]
  /** In alignment, paired by prompt and noise; positive where the policy is better. */
  readonly unseenDifference: Ends
  readonly imagesPerPrompt: number | null
  /** People's blind votes against the pre-trained model. */
  readonly votes: readonly {
    readonly question: string
    readonly raters: number
    readonly wins: number
    readonly ties: number
    readonly losses: number
    readonly rate: Ends
  }[]
  readonly caveats: readonly string[]
}

export interface CardFacts {
  /** `dpok-1` */
  readonly name: string
  readonly file: {
    readonly name: string
    readonly bytes: number
    readonly sha256: string
    readonly form: PolicyForm
    /** Of adapters, where all have one. */
    readonly rank: number | null
  }
  /** `owner/name` where it is to be published; null of files that stay here. */
  readonly repository: string | null
  /** The strength by which the adapters' change was multiplied as they were written. */
  readonly strength: number
  readonly base: {
    /** As a reader knows it: `owner/name`, or the last part of a path; null where nobody has said. */
    readonly name: string | null
    readonly isOnHub: boolean
    readonly sha256: string | null
    readonly family: BaseFamily
    readonly licence: Licence | null
  }
  /** Null of a file from elsewhere. */
  readonly training: {
    readonly method: string
    readonly sentence: string
    readonly paper: Paper | null
    readonly finishedAt: string
    readonly version: string
    readonly torch: string | null
    /** Policies that it was trained further from, the latest first. */
    readonly earlier: readonly string[]
    /** With what the earlier ones took. */
    readonly cost: { readonly imagesDrawn: number; readonly updates: number; readonly seconds: number }
    readonly settings: readonly (readonly [setting: string, value: string])[]
    /** SHA-256 of what the result depends on, by names as a reader knows them. */
    readonly inputs: readonly (readonly [name: string, sha256: string])[]
    /** A clause behind the policy's name; null without alarms. */
    readonly alarms: string | null
  } | null
  readonly rewards: readonly RewardFacts[]
  /** Judgments from which a method learns without a reward. */
  readonly pairs: { readonly pairs: number; readonly raters: number | null } | null
  readonly report: ReportFacts | null
}
