/** Which images, or pairs, two raters are asked about. */
import { seedOf } from '../../random.ts'
import { queueStreams } from '../../streams.ts'

export interface SecondShare {
  readonly seed: number
  /** Share of the images, or of the pairs, that a second rater is asked about too. */
  readonly overlapShare: number
}

/** Whether images are among the share: the same for every rater. */
export function isDrawn({ seed, overlapShare }: SecondShare, ids: readonly string[]): boolean {
  const images = ids.map((id) => Number.parseInt(id.slice(0, 12), 16))
  return seedOf(...queueStreams.overlap(seed, images)) / 2 ** 53 < overlapShare
}
