/** How much the images of one prompt differ. */
import { tensorScope } from '../../tensor/scope.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { rowBlocks } from '../feature-rows.ts'
import { plainNumber } from '../format.ts'
import { bootstrapMean } from '../interval.ts'
import { bootstrapOf, featuresByPrompt, type Measure } from './measure.ts'

export const diversity = {
  name: 'diversity',
  title: 'Diversity',
  unit: plainNumber,
  better: 'higher',
  needs: 'images',
  section: 'diversity',
  note: () => 'within a prompt',
  explanation: ({ details }) => details?.measurement?.diversity,
  of(set) {
    return bootstrapMean(featuresByPrompt(set).map(pairDistances), bootstrapOf(set))
  },
} as const satisfies Measure

/** Mean Euclidean distance of each row of [K, d] to the others, K ≥ 2; its mean is that over all pairs. */
function pairDistances(rows: Tensor): number[] {
  const [count, width] = rows.shape
  return rowBlocks(rows, count * width).flatMap((block) => {
    using _scope = tensorScope()
    const apart = rows.unsqueeze(0).sub(block.unsqueeze(1)).square().sum(2).sqrt()
    return apart
      .sum(1)
      .div(count - 1)
      .toArray()
  })
}
