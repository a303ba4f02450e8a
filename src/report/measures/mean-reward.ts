/** The mean of the reward that the policies were trained on. */
import { plainNumber } from '../format.ts'
import { bootstrapMean } from '../interval.ts'
import { isJudged } from '../report-facts.ts'
import { bootstrapOf, type Measure } from './measure.ts'

export const meanReward = {
  name: 'mean-reward',
  title: 'Mean reward',
  unit: plainNumber,
  better: 'higher',
  needs: 'images',
  section: 'training',
  note(report) {
    const { rewardName, rewardRange } = report.details?.measurement ?? {}
    return [
      ...(!isJudged(report) && rewardName !== undefined ? [`of ${rewardName}`] : []),
      ...(rewardRange ? [`range ${rewardRange.join(' to ')}`] : []),
    ].join(', ')
  },
  explanation: () => undefined,
  of: (set) => bootstrapMean(set.rewards, bootstrapOf(set)),
} as const satisfies Measure
