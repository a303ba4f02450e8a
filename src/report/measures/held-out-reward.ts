/** The mean of a reward that no policy learned from. */
import { plainNumber } from '../format.ts'
import { bootstrapMean } from '../interval.ts'
import type { Report } from '../schema.ts'
import { bootstrapOf, type Measure } from './measure.ts'

const heldOutOf = ({ details }: Report) => details?.measurement?.heldOutReward

export const heldOutReward = {
  name: 'held-out-reward',
  title: 'Held-out reward',
  unit: plainNumber,
  better: 'higher',
  needs: 'images',
  section: 'splits',
  note: (report) => `of ${heldOutOf(report)?.name ?? 'another reward'}`,
  explanation(report) {
    const { labels } = heldOutOf(report) ?? {}
    const whence =
      labels === undefined
        ? 'it learned from no labels of ours'
        : labels === null
          ? 'its labels are not where they were'
          : labels.shared === 0
            ? 'it learned from other labels'
            : `${labels.shared} of its ${labels.of} labels taught the policies or their reward too`
    return `The mean of a reward from which no policy learned and by which no image was chosen; ${whence}. Where the trained reward rises and this one does not, the reward was exploited.`
  },
  of: (set) => set.heldOut && bootstrapMean(set.heldOut, bootstrapOf(set)),
} as const satisfies Measure
