import type { Tensor } from '../tensor/tensor.ts'
import type { TextLength } from './text-length.ts'

/** A frozen pair of encoders, images and texts to unit vectors of one space, as rewards use it. */
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
}
