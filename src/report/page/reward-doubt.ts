/** Why the reward of a report is not proven, with what would prove it. */
import { moreUntilClear } from '../../more-until-clear.ts'
import { decimal, whole } from '../format.ts'
import type { Report } from '../schema.ts'

const chance = 0.5

/** A sentence; undefined where the reward is better than chance and than the CLIP score, or learned from no labels of ours. */
export function rewardDoubt({ reward }: Report): string | undefined {
  if (reward === null) return undefined
  const { heldOut, comparisons, labels } = reward
  if (heldOut !== null) {
    const { n, auc, aucInterval, clipScoreAuc } = heldOut
    if (aucInterval === undefined) return undefined
    const bar = Math.max(chance, clipScoreAuc)
    const than = bar === chance ? 'chance' : `the CLIP score (${decimal(clipScoreAuc)})`
    if (aucInterval[0] > bar) return undefined
    return `Label about ${whole(moreUntilClear(labels, auc, aucInterval[0], bar))} more images: the reward is not proven. Its AUC on ${whole(n)} held-out labels is ${decimal(auc)} (${decimal(aucInterval[0])} to ${decimal(aucInterval[1])}), not clear of ${than}.`
  }
  if (comparisons?.pairInterval === undefined) return undefined
  const { n, pairAccuracy, pairInterval } = comparisons
  if (pairInterval[0] > chance) return undefined
  return `Compare about ${whole(moreUntilClear(n, pairAccuracy, pairInterval[0], chance))} more pairs of images: the reward is not proven. It has ${decimal(pairAccuracy)} of ${whole(n)} held-out pairs in order (${decimal(pairInterval[0])} to ${decimal(pairInterval[1])}), not clear of chance.`
}
