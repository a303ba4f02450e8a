/**
 * What every stage sees of a text-to-image model: one interface for the embedded model and for real checkpoints. No
 * stage knows which it has.
 */
import type { NoiseProcess } from '../diffusion/process.ts'
import { cat } from '../tensor/create.ts'
import type { Dtype } from '../tensor/dtype.ts'
import type { Tensor } from '../tensor/tensor.ts'
import type { TextLength } from './text-length.ts'
import type { Change, Weights } from './weights.ts'

/** Encoded prompts: named tensors with one row a prompt. Opaque to everything but the model that made it. */
export type Conditioning = Readonly<Record<string, Tensor>>

/** Attention projections (to_q, to_k, to_v, to_out), feed-forward layers, convolutions. */
export const adapterLayers = ['attention', 'feed-forward', 'convolutions'] as const
export type AdapterLayers = (typeof adapterLayers)[number]

export interface ModelDefaults {
  readonly steps: number
  readonly eta: number
  readonly guidance: number
  /** Images drawn or transitions computed at once. */
  readonly batchSize: number
  /** What fine-tuning changes: the part that reads the prompt, or low-rank adapters. */
  readonly parameters: 'text' | 'lora'
}

/** In pixels. */
export interface ImageSize {
  readonly width: number
  readonly height: number
}

export interface GenerativeModel {
  readonly name: string
  /** SHA-256 of the pre-trained weights' file; rewards and runs record it. */
  readonly sha256: string
  /** Shape of one state x_t without the batch: [C, h, w]. */
  readonly stateShape: readonly number[]
  readonly imageSize: ImageSize
  /** Where it computes: states, times and conditionings are expected there. */
  readonly device: string
  /** How it was trained to take noise away, and how it is sampled. */
  readonly process: NoiseProcess
  /** What stages use where they are not told otherwise. */
  readonly defaults: ModelDefaults
  /** Of its predictions; the codec's are none of them. */
  readonly weights: Weights
  /** Whether a parameter belongs to the part that reads the prompt: text encoder, cross-attention, text projection. */
  isTextPath(name: string): boolean
  /** Whether low-rank adapters change this weight when they are put on these kinds of layers. */
  isAdapterTarget(name: string, layers: readonly AdapterLayers[]): boolean
  /** One row a text; the empty text is "no prompt". @throws {VocabularyError} */
  encodeText(texts: readonly string[]): Conditioning
  /** How much of a text is read; absent where texts that are too long are refused. */
  readonly textLength?: (text: string) => TextLength
  /** Of a network that was distilled with guidance: conditionings with the scale that it is to predict for. */
  readonly tellGuidance?: (rows: Conditioning, scale: number) => Conditioning
  /** The network's prediction for states [B, C, h, w] at times [B] of its process. */
  predict(xt: Tensor, t: Tensor, conditioning: Conditioning): Tensor
  /** x_0 [B, C, h, w] → pixels [B, 3, H, W], clamped to [-1, 1]. */
  decode(x0: Tensor): Tensor
  /** As `decode`, but as cheap and as small as a reward can do with: for states on the way, which nobody looks at. */
  preview(x0: Tensor): Tensor
  /** Pixels [B, 3, H, W] in [-1, 1] → x_0 [B, C, h, w]. */
  encode(pixels: Tensor): Tensor
  /** The same network with a fine-tuning change in front; all unchanged weights are shared. */
  with(change: Change): GenerativeModel
  /** The same network and weights, with predictions and conditionings computed in another element type. */
  in(dtype: Dtype): GenerativeModel
}

/** Rows of a conditioning by int64 index [B]. */
export function conditioningRows(conditioning: Conditioning, index: Tensor): Conditioning {
  return Object.fromEntries(Object.entries(conditioning).map(([name, rows]) => [name, rows.indexSelect(0, index)]))
}

/** The rows of two conditionings after each other. */
export function joinConditionings(first: Conditioning, second: Conditioning): Conditioning {
  return Object.fromEntries(Object.entries(first).map(([name, rows]) => [name, cat([rows, second[name]])]))
}
