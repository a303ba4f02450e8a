/** The share of images that lie where true ones do. */
import { percentage } from '../format.ts'
import type { Measure } from './measure.ts'
import { nearestImages, neighbours, trueImagesOf } from './nearest-images.ts'

export const precision = {
  name: 'precision',
  title: 'Precision',
  unit: percentage,
  better: 'higher',
  needs: 'images',
  section: 'quality',
  note: () => `k = ${neighbours}`,
  explanation: (report) =>
    `The share of images that lie in a ball of ${trueImagesOf(report)} (Kynkäänniemi et al. 2019), in the features of the Fréchet distance; a ball reaches from an image to its ${neighbours}th nearest neighbour in its own set. The interval resamples prompts and leaves the balls as they are. It depends on the number of images, so compare it within this page only; so it is with density, recall and coverage.`,
  ...nearestImages('precision'),
} as const satisfies Measure
