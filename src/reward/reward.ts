/** What a reward is to the stages that use it. */
import type { RewardInfo } from './http/protocol.ts'
import type { Tensor } from '../tensor/tensor.ts'

/** Scores images of prompts. */
export interface Reward {
  /** The run that trained it, or the name of the model. */
  readonly name: string
  /** Of all weights that its scores depend on: SHA-256 of a head and of its encoder, with a space between them. */
  readonly sha256: string
  /** Lowest and highest score there can be; undefined where there are no bounds, or the scale has no meaning. */
  readonly range: readonly [low: number, high: number] | undefined
  /**
   * Its scores tell images of one prompt apart and nothing else: a prompt may be worth more than another whatever is drawn of
   * it, as in what learned from comparisons alone. Without it they compare images of all prompts.
   */
  readonly isWithinPrompt?: true
  /** What the server that scores says of itself. */
  readonly server?: RewardInfo
  /**
   * Scores of images for prompts.
   * @param pixels [B, 3, H, W] in [-1, 1], on any device
   * @param texts  B prompts
   * @returns      [B], float32, on the CPU
   */
  score(pixels: Tensor, texts: readonly string[]): Tensor
  /**
   * The score with a graph to the pixels, where a reward has gradients: of `score` as if nothing was rounded to 8 bits,
   * so the two differ by as much as such a rounding makes of a score. No gradient comes from pixels beyond [-1, 1].
   * @param pixels [B, 3, H, W], on any device
   * @param texts  B prompts
   * @returns      [B], float32, on the CPU
   */
  scoreWithGradient?(pixels: Tensor, texts: readonly string[]): Tensor
  /** Its mean score less k standard deviations, where it has an ensemble that differs. */
  lowerBound?(k: number): Reward
  /** What it sees of an image, whatever the prompt: [B, d] of unit length, float32, on the CPU. */
  embedImages(pixels: Tensor): Tensor
  /** The same by the shapes of its encoder alone, which belong to the scope in force: see `GenerativeModel.hollow`. */
  readonly hollow?: () => Reward
  /**
   * What the score is made from, [B, f], float32, on any device: lets a value function see states as the reward does. Of many
   * states, whoever asks reads it from there at once.
   */
  features(pixels: Tensor, texts: readonly string[]): Tensor
}
