import type { GalleryImage } from '../../../src/studio/schemas/gallery.ts'
import { figure } from '../../format.ts'

/** What people and the reward say of an image, in short. */
export const answersOf = ({ good, bad, judged, score }: GalleryImage): string =>
  [
    good + bad > 0 ? `${good} good, ${bad} bad` : judged ? 'judged' : 'not judged',
    score === null ? undefined : `reward ${figure(score)}`,
  ]
    .filter(Boolean)
    .join(' · ')
