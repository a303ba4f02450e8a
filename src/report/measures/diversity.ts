/** How much the images of one prompt differ. */
import { tensorScope } from '../../tensor/scope.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { plainNumber } from '../format.ts'
import { bootstrapMean } from '../interval.ts'
import { bootstrapOf, type Measure } from './measure.ts'

export const diversity = {
  name: 'diversity',
  title: 'Diversity',
  unit: plainNumber,
  better: 'higher',
  needs: 'images',
  section: 'quality',
  note: () => 'within a prompt',
  explanation: ({ details }) => details?.measurement?.diversity,
  of(set) {
    const perPrompt = set.features.shape[0] / set.prompts.length
    const distances = set.prompts.map((_, p) =>
      pairDistances(set.features.slice(0, p * perPrompt, (p + 1) * perPrompt)),
    )
    return bootstrapMean(distances, bootstrapOf(set))
  },
} as const satisfies Measure

/** Mean Euclidean distance of each row of [K, d] to the others, K ≥ 2; its mean is that over all pairs. */
function pairDistances(rows: Tensor): number[] {
  using _scope = tensorScope()
  const [count] = rows.shape
  const apart = rows.unsqueeze(0).sub(rows.unsqueeze(1)).square().sum(2).sqrt()
  return apart
    .sum(1)
    .div(count - 1)
    .toArray()
}
