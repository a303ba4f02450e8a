import type { Tensor } from '../../tensor/tensor.ts'

/** What a report says of the features that it measures images in. */
export interface SpaceFacts {
  /** The network and what is taken from it, as a phrase: `Inception-v3 of the FID, last pooling`. */
  readonly network: string
  /** How an image gets the size that the network takes, with the filter and whether it antialiases, as a phrase. */
  readonly resize: string
  /** SHA-256 of the weights; absent where they come with a model or a reward. */
  readonly sha256?: string
}

/** A space in which images are compared: a frozen network that makes a row of numbers of each. */
export interface FeatureSpace extends SpaceFacts {
  /** Numbers of a row, d. */
  readonly width: number
  /** Where it computes, and where rows lie: `cpu`, `cuda:0`. */
  readonly device: string
  /** Pixels [B, 3, H, W] in [-1, 1], on any device → [B, d], float32, as the network gives them. */
  features(pixels: Tensor): Tensor
}
