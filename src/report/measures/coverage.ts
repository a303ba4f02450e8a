/** The share of true images that have one of a policy near. */
import { percentage } from '../format.ts'
import type { Measure } from './measure.ts'
import { nearestImages, neighbours } from './nearest-images.ts'

export const coverage = {
  name: 'coverage',
  title: 'Coverage',
  unit: percentage,
  better: 'higher',
  needs: 'images',
  section: 'diversity',
  note: () => `k = ${neighbours}`,
  explanation: () =>
    'The share of these whose own ball has an image of the policy (Naeem et al. 2020): as recall, but odd images of the policy, whose balls are large, add nothing.',
  ...nearestImages('coverage'),
} as const satisfies Measure
