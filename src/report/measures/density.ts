/** How densely true images lie around those of a policy. */
import { plainNumber } from '../format.ts'
import type { Measure } from './measure.ts'
import { nearestImages, neighbours } from './nearest-images.ts'

export const density = {
  name: 'density',
  title: 'Density',
  unit: plainNumber,
  better: 'higher',
  needs: 'images',
  section: 'quality',
  note: () => `k = ${neighbours}`,
  explanation: () =>
    `In how many of these balls an image lies, divided by ${neighbours} (Naeem et al. 2020): as precision, but a single true image that lies far out does not make the images around it precise. About 1 where the images are like the true ones; above, where they keep to where these are dense.`,
  ...nearestImages('density'),
} as const satisfies Measure
