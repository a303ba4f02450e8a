import type { Tensor } from '../tensor/tensor.ts'
import type { TextLength } from './text-length.ts'
import type { Change, Weights } from './weights.ts'

/** A pair of encoders, images and texts to unit vectors of one space, as rewards use it. */
export interface ImageTextEncoder {
  readonly name: string
  /** SHA-256 of the weights' file. Rewards are bound to it. */
  readonly sha256: string
  /** Width d of the embeddings. */
  readonly width: number
  /** Where it computes, and where the embeddings lie: `cpu`, `cuda:0`. */
  readonly device: string
  /** Pixels [B, 3, H, W] in [-1, 1], on any device → unit vectors [B, d], float32. */
  embedImages(pixels: Tensor): Tensor
  /** As `embedImages`, with a graph to the pixels: what rounds them to 8 bits is left out. */
  embedWithGradient(pixels: Tensor): Tensor
  /** The same by its shapes alone, which belong to the scope in force: see `GenerativeModel.hollow`. */
  readonly hollow?: () => ImageTextEncoder
  /** Whether it knows all words of a text; absent where it takes any. */
  readonly canRead?: (text: string) => boolean
  /** How much of a text is read; absent where texts that are too long are refused. */
  readonly textLength?: (text: string) => TextLength
  /** → unit vectors [B, d], float32. @throws {VocabularyError} */
  embedTexts(texts: readonly string[]): Tensor
  /** Absent where its weights cannot be changed. */
  readonly tuning?: EncoderTuning
}

/** What fine-tuning an encoder needs to know of it. */
export interface EncoderTuning {
  /** As they were loaded. */
  readonly weights: Weights
  /** The parameter that says what cosines are multiplied by to be logits, and what it says. */
  readonly logitScale: { readonly parameter: string; readonly value: number }
  /** Whether low-rank adapters change this weight. */
  isAdapterTarget(name: string): boolean
  /** The same encoder with a change in front: its embeddings have a graph to what is trained. Its SHA-256 does not tell of the change. */
  with(change: Change): ImageTextEncoder
  /** Where nothing else is said. */
  readonly usual: { readonly batchSize: number; readonly learningRates: Readonly<Record<'lora' | 'all', number>> }
  /**
   * Writes other weights as a checkpoint of its own, which opens without this one; absent where the encoder is there wherever
   * Attune is.
   * @param tensors all parameters by their names, float32
   * @throws {FileError}
   */
  save?(folder: string, tensors: ReadonlyMap<string, Tensor>): void
}
