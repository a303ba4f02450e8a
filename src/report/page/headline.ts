/** What the numbers say, in words, and which goals they meet. */
import { policyTitle } from './chart.ts'
import { compact, decimal, duration, percent, points, pointsRange, whole } from './format.ts'
import type { Interval } from '../interval.ts'
import type { Comparison, PolicyName, PolicyReport, Report, Split } from '../schema.ts'
import { referenceOf, scorerOf, wordingOf } from './wording.ts'

/** The policy that the report is about: DPOK, or the best that was made without it. */
export function subjectOf(report: Report): PolicyReport | undefined {
  const order: readonly PolicyName[] = ['dpok', 'reward-weighted', 'best-of-n']
  return order.map((name) => policyOf(report, name)).find((policy) => policy !== undefined)
}

export const policyOf = (report: Report, name: PolicyName): PolicyReport | undefined =>
  report.policies.find((policy) => policy.name === name)

/** A difference whose interval lies on one side of zero has a direction; any other has none. */
export const direction = ({ low, high }: Interval): 'up' | 'down' | 'unclear' =>
  low > 0 ? 'up' : high < 0 ? 'down' : 'unclear'

/** Sentences: what changed on seen and on unseen prompts; what became of fidelity; what it cost. */
export function headline(report: Report): string[] {
  const base = policyOf(report, 'base')
  const subject = subjectOf(report)
  if (!base || !subject) return ['Only the base model was measured: there is nothing to compare it with.']
  return [
    ...(subject.seen.measuredBy === 'judge' ? judgedChange(base, subject) : wins(report, base, subject)),
    `It cost ${whole(subject.imagesDrawn)} images drawn, ${whole(subject.updates)} updates and ${duration(subject.seconds)}${report.reward === null ? '' : `, besides ${whole(report.reward.labels)} labels`}.`,
  ]
}

function judgedChange(base: PolicyReport, subject: PolicyReport): string[] {
  const change = (split: Split) => {
    const { alignment, differenceToBase } = subject[split]
    const moved = `from ${percent(base[split].alignment.mean)} % to ${percent(alignment.mean)} % (${points(differenceToBase.mean)} points, 95 % interval ${pointsRange(differenceToBase)})`
    switch (direction(differenceToBase)) {
      case 'up':
        return `rose ${moved} on ${split} prompts`
      case 'down':
        return `fell ${moved} on ${split} prompts`
      case 'unclear':
        return `did not measurably change on ${split} prompts: ${moved}, which includes zero`
    }
  }
  const both = direction(subject.seen.differenceToBase) === direction(subject.unseen.differenceToBase)
  const clean = [base, subject].map(({ fidelity }) => percent(fidelity.validShare ?? 0))
  return [
    `With ${policyTitle(subject)}, the share of images that show everything their prompt asks for ${change('seen')}${both ? ', and' : '; it'} ${change('unseen')}.`,
    `${frechetChange(base, subject, 'true renders')}, and clean renders from ${clean.join(' % to ')} % of images.`,
  ]
}

function wins(report: Report, base: PolicyReport, subject: PolicyReport): string[] {
  const verdicts = { up: 'better than the base', down: 'worse than the base', unclear: 'no clear difference' }
  const share = (split: Split) => {
    const { alignment, differenceToBase } = subject[split]
    const range = `${percent(alignment.low)} to ${percent(alignment.high)}`
    return `${percent(alignment.mean)} % of images on ${split} prompts (95 % interval ${range}: ${verdicts[direction(differenceToBase)]})`
  }
  return [
    `With ${policyTitle(subject)}, ${share('seen')} and ${share('unseen')} score higher by ${scorerOf(report)} than the base's image of the same prompt and noise; ties count half.`,
    `${frechetChange(base, subject, referenceOf(report))}.`,
  ]
}

function frechetChange({ fidelity: before }: PolicyReport, { fidelity: after }: PolicyReport, to: string): string {
  const direction =
    after.high < before.low
      ? 'closer'
      : after.low > before.high
        ? 'further away'
        : 'the intervals overlap, so no clear change'
  return `The Fréchet distance to ${to} went from ${compact(before.frechet)} to ${compact(after.frechet)} (${direction})`
}

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
  if (wordingOf(report).measuredBy === 'reward' || report.details?.measurement?.selectionRule === undefined) return []
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
  for (const split of ['seen', 'unseen'] as const) {
    const difference = dpok[split].differenceToBase
    found.push({
      aim: `DPOK gains at least ${100 * wanted[split]} points over the base on ${split} prompts, interval clear of zero`,
      outcome: difference.mean >= wanted[split] ? (difference.low > 0 ? 'met' : 'unclear') : 'missed',
      found: differenceText(difference),
    })
    for (const rival of ['reward-weighted', 'best-of-n'] as const) {
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
    found.push({
      aim: 'DPOK is no further from true renders (Fréchet distance) than reward-weighted',
      outcome: dpok.fidelity.frechet <= weighted.fidelity.frechet ? 'met' : 'missed',
      found: `${compact(dpok.fidelity.frechet)} against ${compact(weighted.fidelity.frechet)}`,
    })
  }
  return found
}

function comparisonOf(report: Report, policy: PolicyName, against: PolicyName, split: Split): Interval | undefined {
  return report.details?.comparisons?.find(
    (row: Comparison) => row.policy === policy && row.against === against && row.split === split,
  )?.difference
}

function differenceText(difference: Interval): string {
  const text = `${points(difference.mean)} points (${pointsRange(difference)})`
  return direction(difference) === 'unclear' ? `${text}: the interval includes zero` : text
}
