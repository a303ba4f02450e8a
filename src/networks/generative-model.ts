/**
 * What the rest of the house sees of a text-to-image model: one interface for the embedded model and for real checkpoints.
 *
 * A model is a list of stages, each of which draws one state from noise: Stable Diffusion and the embedded model have one, a
 * cascade draws a small image and then a larger one from it, unCLIP an embedding and then the image. One of them is the
 * policy: it is trained, and sampled as its user says. The others belong to the environment.
 *
 * The walk of an image that is drawn, for B prompts:
 *
 *   text     = encodeText(prompts)                                    rows for all stages, which take from them what they need
 *   given    = stages[k].condition(text, [x_0 of stages 0 … k − 1])   what stage k is told, a row a sample
 *   x_0 of k = its process, sampled by predict(x_t, t, given)
 *   pixels   = decode([x_0 of all stages])
 *
 * That of an image that is learned from (supervised training, reward-weighted training, preferences):
 *
 *   { x0, earlier } = encode(pixels)                                  the policy’s stage, and what stands before it
 *   given           = policy.condition(text, earlier)
 *   loss            = the policy’s process, of predict(noised x0, t, given)
 *
 * For a cascade 64 → 256, x0 is the image made small and nothing is before it where the first stage is the policy; where the
 * second is, x0 is the image itself and the small one is before it. For unCLIP, x0 is the image’s CLIP embedding where the
 * prior is the policy; where the decoder is, the embedding is before x0. What comes after the policy’s stage is never
 * encoded: training does not reach it.
 *
 * Noise that a stage puts on what came before (noise augmentation in cascades, Ho et al. 2022) is a stage as well, of one
 * step: so it is drawn once an image from its own stream, and the policy, its reference and every update see the same.
 */
import type { NoiseProcess } from '../diffusion/process.ts'
import { withoutGrad } from '../tensor/autograd.ts'
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

/** How a stage is sampled. */
export interface Sampling {
  readonly steps: number
  /** 0 deterministic … 1 as noisy as DDPM. */
  readonly eta: number
  /** Scale of classifier-free guidance; 1 and less are without. */
  readonly guidance: number
}

/** What is used where nothing else is said. */
export interface ModelDefaults {
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

/** One denoiser of a model, with its own noise process and states. */
export interface ModelStage {
  /** Names its stream of noise and its states in files; no two stages of a model have the same. */
  readonly name: string
  /** How noise is put into its states, and how they are sampled. */
  readonly process: NoiseProcess
  /** Shape of one state x_t without the batch: [C, h, w], or [width] of an embedding. */
  readonly stateShape: readonly number[]
  /** Where nothing else is said; always, of a stage that is not the policy. */
  readonly sampling: Sampling
  /**
   * What this stage is told of its samples. Differentiable in the text.
   * @param text    encoded prompts, one row a sample
   * @param earlier x_0 of the stages before it, in their order, [B, …] each
   */
  condition(text: Conditioning, earlier: readonly Tensor[]): Conditioning
  /** The network's prediction for states [B, …] at times [B] of the process. */
  predict(xt: Tensor, t: Tensor, given: Conditioning): Tensor
  /** Of a network that was distilled with guidance: what it is told, with the scale that it is to predict for. */
  readonly tellGuidance?: (given: Conditioning, scale: number) => Conditioning
}

/** Images as the states of a model; the walk is told above. */
export interface CleanStates {
  /** Of the policy's stage, [B, …]. */
  readonly x0: Tensor
  /** Of the stages before it, in their order, [B, …] each. */
  readonly earlier: readonly Tensor[]
}

/** The same of every state. */
export function mapStates({ x0, earlier }: CleanStates, of: (state: Tensor) => Tensor): CleanStates {
  return { x0: of(x0), earlier: earlier.map(of) }
}

/** A text-to-image model: stages that are sampled one after the other, one of which is the policy, and a codec. */
export interface GenerativeModel {
  readonly name: string
  /** SHA-256 of the pre-trained weights' file; rewards and runs record it. */
  readonly sha256: string
  /** In the order in which they draw. */
  readonly stages: readonly ModelStage[]
  /** Place of the policy among them. */
  readonly policyStage: number
  readonly imageSize: ImageSize
  /** Where it computes: states, times and conditionings are expected there. */
  readonly device: string
  readonly defaults: ModelDefaults
  /** Of the policy's stage and of what reads prompts for it: what fine-tuning may change. */
  readonly weights: Weights
  /** Whether a parameter belongs to the part that reads the prompt: text encoder, cross-attention, text projection. */
  isTextPath(name: string): boolean
  /** Whether low-rank adapters change this weight when they are put on these kinds of layers. */
  isAdapterTarget(name: string, layers: readonly AdapterLayers[]): boolean
  /** One row a text, for all stages; the empty text is "no prompt". @throws {VocabularyError} */
  encodeText(texts: readonly string[]): Conditioning
  /** How much of a text is read; absent where texts that are too long are refused. */
  readonly textLength?: (text: string) => TextLength
  /** x_0 of all stages, [B, …] each → pixels [B, 3, H, W], clamped to [-1, 1]. */
  decode(samples: readonly Tensor[]): Tensor
  /**
   * Pixels [B, 3, h, w] of states on the way, which nobody looks at: as cheap and as small as a reward can do with.
   * @param samples of the stages up to the policy's, the last of them predicted; those after it are not drawn for this
   */
  preview(samples: readonly Tensor[]): Tensor
  /** Pixels [B, 3, H, W] in [-1, 1] → clean states. A function of the pixels: an image is encoded alike in any batch. */
  encode(pixels: Tensor): CleanStates
  /** The same model with a fine-tuning change of the policy's stage in front; all unchanged weights are shared. */
  with(change: Change): GenerativeModel
  /**
   * The same networks and change by their shapes alone, on the device `meta`: what is computed with it takes no memory, and
   * what it would take is counted (`mostHeld`). Its tensors belong to the scope in force. Absent of models that compute
   * with other things than their weights; what they take is not foretold.
   * @param imageSize of its images, where they can have another: what it has then tells
   */
  readonly hollow?: (imageSize?: ImageSize) => GenerativeModel
  /** The same networks and weights, with predictions and conditionings computed in another element type. */
  in(dtype: Dtype): GenerativeModel
}

/** The stage that is trained, and sampled as its user says. */
export function policyOf(model: GenerativeModel): ModelStage {
  return model.stages[model.policyStage]
}

/**
 * A policy for many passes without gradients: its adapters are converted once, not in each pass. Its own tensors belong to the
 * scope in force.
 */
export function forDrawing(policy: GenerativeModel): GenerativeModel {
  const change = withoutGrad(() => policy.weights.convertedAdapters())
  return change === undefined ? policy : policy.with(change)
}

/** Rows of a conditioning by int64 index [B]. */
export function conditioningRows(conditioning: Conditioning, index: Tensor): Conditioning {
  return Object.fromEntries(Object.entries(conditioning).map(([name, rows]) => [name, rows.indexSelect(0, index)]))
}

/** The rows of two conditionings after each other. */
export function joinConditionings(first: Conditioning, second: Conditioning): Conditioning {
  return Object.fromEntries(Object.entries(first).map(([name, rows]) => [name, cat([rows, second[name]])]))
}
