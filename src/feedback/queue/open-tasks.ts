/** What is open for a rater, and what every way of asking has in common. */
import type { Random } from '../../random.ts'
import type { StandingChange } from '../raters/standing.ts'
import type { ImageState, QueueImage } from './fresh-order.ts'
import type { FreshWalk } from './fresh-walk.ts'
import type { Gold } from './gold.ts'
import type { SecondShare } from './second-share.ts'

/** What the queue knows beside the judgments. */
export interface QueueBasis extends SecondShare {
  /** Those that may be asked about. */
  readonly images: readonly QueueImage[]
  readonly gold?: Gold | undefined
  /** How unsure the reward is of an image, in any unit; images that are not in it count as the most uncertain. */
  readonly uncertainties?: ReadonlyMap<string, number> | undefined
}

/** Who asks for tasks. */
export interface Asked {
  readonly rater: string
  readonly raterSeed: number
  readonly without: ReadonlySet<string>
  readonly reserved: ReadonlySet<string>
}

/** What is open for a rater, for one request: what is taken does not come again. All images of a task are of one prompt. */
export interface OpenTasks {
  /** Images (or pairs) that this rater has answered. */
  readonly done: number
  /** Those that are still to be asked, with what the rater holds. */
  readonly left: number
  readonly walk: FreshWalk
  /** Overall ratings by this rater. */
  readonly rated: ReadonlyMap<ImageState, number>
  /** A task that was left half-done. */
  broken(): readonly ImageState[] | undefined
  /** A task of fresh images. */
  fresh(stream: Random): readonly ImageState[] | undefined
  /** A task of what one other rater has judged. */
  second(stream: Random): readonly ImageState[] | undefined
  /** A task with a gold item. */
  gold(stream: Random): readonly ImageState[] | undefined
}

/** What is open in one way of asking, kept up to date with every judgment. */
export interface ModeIndex {
  change(change: StandingChange): void
  open(asked: Asked): OpenTasks
}
