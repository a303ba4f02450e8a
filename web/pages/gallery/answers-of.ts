import type { GalleryImage } from '../../../src/studio/schemas/gallery.ts'
import { texts } from '../../texts/texts.ts'

/** What people and the reward say of an image, in short. */
export function answersOf({ good, bad, judged, score }: GalleryImage): string {
  const { gallery } = texts()
  const people = good + bad > 0 ? gallery.goodAndBad(good, bad) : judged ? gallery.judged : gallery.notJudged
  return score === null ? people : `${people} · ${gallery.rewardIs(score)}`
}
