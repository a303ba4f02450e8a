/** What a reward is to the stages that use it. */
import type { Tensor } from '../tensor/tensor.ts'

export interface Reward {
  /** The run that trained it, or the name of the model. */
  readonly name: string
  /** Lowest and highest score there can be. */
  readonly range: readonly [low: number, high: number]
  /**
   * Scores of images for prompts.
   * @param pixels [B, 3, H, W] in [-1, 1]
   * @param texts  B prompts
   * @returns      [B]
   */
  score(pixels: Tensor, texts: readonly string[]): Tensor
  /** What the score is made from, [B, f]: lets a value function see states as the reward does. */
  features(pixels: Tensor, texts: readonly string[]): Tensor
}
