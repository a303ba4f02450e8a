/** What the studio and the process that draws for its playground tell each other: JSON, a line each. */
import type { Complaint } from '../../errors.ts'
import type { ImageRecord, Prompt } from '../../records.ts'

/** A policy whose images are wanted. */
export interface DrawnPolicy {
  /** Run folder or LoRA file, relative to the workspace; null: the pre-trained model. */
  readonly source: string | null
  /** Of its change: 0 is the pre-trained model, 1 the policy as it was trained. */
  readonly strength: number
}

/** Images of one prompt, by each policy from the same noise. */
export interface DrawOrder {
  readonly prompt: Prompt
  readonly policies: readonly DrawnPolicy[]
  readonly seed: number
  /** Of each policy. */
  readonly images: number
  /** The model's own where null. */
  readonly steps: number | null
  readonly guidance: number | null
}

/** To the process. */
export type Asked =
  | { readonly id: number; readonly model: string; readonly draw: DrawOrder }
  /** Whoever asked is gone. */
  | { readonly cancel: number }

/** How far it is: of which policy, by its place, how many images are done; of those under way their share. */
export interface DrawProgress {
  readonly policy: number
  readonly images: number
}

/** An image of a policy, by its place. */
export interface DrawnImage {
  readonly policy: number
  readonly record: ImageRecord
  readonly png: string
  readonly width: number
  readonly height: number
}

/** How it was sampled: the model's own settings where none were given. */
export type UsedSampling = Readonly<Record<'steps' | 'eta' | 'guidance', number>>

/** From the process. */
export type Told = { readonly id: number } &
  /** The model is in memory. */
  (
    | { readonly isLoaded: true }
    | { readonly progress: DrawProgress }
    | { readonly image: DrawnImage }
    | { readonly done: { readonly sampling: UsedSampling } }
    | {
        readonly complaint: Pick<Complaint, 'where' | 'expected' | 'received' | 'remedy'> & { readonly code: string }
      }
  )
