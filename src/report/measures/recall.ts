/** The share of true images that lie where those of a policy do. */
import { percentage } from '../format.ts'
import type { Measure } from './measure.ts'
import { nearestImages, neighbours, trueImagesOf } from './nearest-images.ts'

export const recall = {
  name: 'recall',
  title: 'Recall',
  unit: percentage,
  better: 'higher',
  needs: 'images',
  section: 'diversity',
  note: () => `k = ${neighbours}`,
  explanation: (report) =>
    `The share of ${trueImagesOf(report)}, that lie in a ball of the policy's images (Kynkäänniemi et al. 2019): what the policy could have drawn.`,
  ...nearestImages('recall'),
} as const satisfies Measure
