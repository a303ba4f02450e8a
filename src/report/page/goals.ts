/** Which goals the demonstration meets. */
import { compact, decimal, points, pointsRange } from '../format.ts'
import type { Interval } from '../interval.ts'
import { frechet } from '../measures/frechet.ts'
import { valueOf } from '../measures/value-of.ts'
import { isJudged } from '../report-facts.ts'
import { splits, type Report, type Split } from '../schema.ts'
import { comparisonOf, direction, policyOf } from './headline.ts'
import { policyTitle } from './policy-look.ts'

/** A goal set before the run. `unclear`: the mean is on the right side, its interval is not. */
export interface Goal {
  readonly aim: string
  readonly outcome: 'met' | 'missed' | 'unclear'
  readonly found: string
}

/**
 * The goals of the demonstration, as far as the report can answer them. Whoever states how the coefficients were chosen has
 * planned the run beforehand; for any other, and where no judge measured it, nobody has set goals.
 */
export function goals(report: Report): Goal[] {
  if (!isJudged(report) || report.details?.measurement?.selectionRule === undefined) return []
  const found: Goal[] = []
  if (report.reward?.heldOut) {
    const { auc, clipScoreAuc } = report.reward.heldOut
    found.push({
      aim: 'The reward model tells good from bad on held-out prompts with AUC ≥ 0.90, better than the CLIP score',
      outcome: auc >= 0.9 && auc > clipScoreAuc ? 'met' : 'missed',
      found: `${decimal(auc, 3)} against ${decimal(clipScoreAuc, 3)}`,
    })
  }
  const dpok = policyOf(report, 'dpok')
  if (!dpok) return found
  const wanted: Record<Split, number> = { seen: 0.15, unseen: 0.05 }
  for (const split of splits) {
    const difference = dpok[split].differenceToBase
    found.push({
      aim: `DPOK gains at least ${100 * wanted[split]} points over the base on ${split} prompts, interval clear of zero`,
      outcome: difference.mean >= wanted[split] ? (difference.low > 0 ? 'met' : 'unclear') : 'missed',
      found: differenceText(difference),
    })
    for (const rival of ['reward-weighted', 'best-of-n']) {
      const other = policyOf(report, rival)
      if (!other) continue
      const paired = comparisonOf(report, 'dpok', rival, split)
      const gain = paired?.mean ?? dpok[split].alignment.mean - other[split].alignment.mean
      found.push({
        aim: `DPOK is above ${policyTitle(other).toLowerCase()} on ${split} prompts`,
        outcome: gain <= 0 ? 'missed' : paired && paired.low <= 0 ? 'unclear' : 'met',
        found: paired ? differenceText(paired) : `${points(gain)} points`,
      })
    }
  }
  const weighted = policyOf(report, 'reward-weighted')
  if (weighted) {
    const [own, others] = [dpok, weighted].map((policy) => valueOf(policy, frechet)!.mean)
    found.push({
      aim: 'DPOK is no further from true renders (Fréchet distance) than reward-weighted',
      outcome: own <= others ? 'met' : 'missed',
      found: `${compact(own)} against ${compact(others)}`,
    })
  }
  return found
}

function differenceText(difference: Interval): string {
  const text = `${points(difference.mean)} points (${pointsRange(difference)})`
  return direction(difference) === 'unclear' ? `${text}: the interval includes zero` : text
}
