/** The figures of policies in report.json, by the measures. */
import { differenceToBase } from './measures/difference-to-base.ts'
import { diversity } from './measures/diversity.ts'
import { frechet } from './measures/frechet.ts'
import { chiefMeasure, measures } from './measures/index.ts'
import { kl } from './measures/kl.ts'
import { meanReward } from './measures/mean-reward.ts'
import { among, canTake, type EvaluatedSet, type Measure } from './measures/measure.ts'
import { objectsByKind } from './measures/objects-as-asked.ts'
import { isRecorded } from './measures/value-of.ts'
import type { PolicyCost } from './policy-cost.ts'
import { JudgedCategory, splits, type Comparison, type PolicyReport, type Split, type SplitReport } from './schema.ts'

/** What is known of a policy by what it drew, beside what it cost. */
export function policyReport(
  set: EvaluatedSet,
  base: EvaluatedSet,
): Omit<PolicyReport, keyof PolicyCost | 'algorithm'> {
  const { name, bestOf } = set
  const { mean, low, high } = frechet.of(set)
  const clean = set.clean?.flat()
  return {
    name,
    ...(bestOf !== undefined && { bestOf }),
    klNats: {
      ...kl.of(set),
      ...(bestOf !== undefined && { of: 'image' as const }),
      ...(set.kl !== undefined && { of: 'trajectory' as const }),
      ...(kl.lack(set) !== undefined && { of: 'none' as const }),
    },
    meanReward: meanReward.of(set),
    fidelity: {
      frechet: mean,
      low,
      high,
      validShare: clean === undefined ? null : clean.filter((one) => one === 1).length / clean.length,
    },
    diversity: diversity.of(set),
    ...(set.objects !== undefined && { objectsByKind: objectsByKind(set) }),
    ...recordOf(set, base, ({ section }) => section !== 'splits'),
    seen: splitReport('seen', set, base),
    unseen: splitReport('unseen', set, base),
  }
}

/** What a policy did on the prompts of one split. */
function splitReport(split: Split, whole: EvaluatedSet, wholeBase: EvaluatedSet): SplitReport {
  const ofSplit = (one: EvaluatedSet) => among(one, (prompt) => prompt.split === split)
  const [set, base] = [ofSplit(whole), ofSplit(wholeBase)]
  const chief = chiefMeasure(set.measuredBy)
  const byCategory: SplitReport['byCategory'] = {}
  for (const category of JudgedCategory.options) {
    if (!set.prompts.some((prompt) => prompt.category === category)) continue
    const [part, ofBase] = [set, base].map((one) => among(one, (prompt) => prompt.category === category))
    byCategory[category] = { n: part.aligned.flat().length, ...chief.of(part, { base: ofBase })! }
  }
  return {
    n: set.aligned.flat().length,
    measuredBy: set.measuredBy,
    alignment: chief.of(set, { base })!,
    differenceToBase: differenceToBase.of(set, { base }),
    byCategory,
    ...recordOf(set, base, ({ section }) => section === 'splits'),
  }
}

/** Values of measures that have no field of their own. */
function recordOf(
  set: EvaluatedSet,
  base: EvaluatedSet,
  isMeant: (measure: Measure) => boolean,
): Pick<PolicyReport, 'measures'> {
  const values = measures
    .filter((measure) => isMeant(measure) && isRecorded(measure) && canTake(measure, set.measuredBy))
    .filter(({ lack }) => lack?.(set) === undefined)
    .flatMap((measure) => {
      const value = measure.ofBase !== undefined && set.name === base.name ? undefined : measure.of(set, { base })
      return value === undefined ? [] : [[measure.name, value] as const]
    })
  return values.length === 0 ? {} : { measures: Object.fromEntries(values) }
}

/** By the names of measures that cannot be taken of some policy: why not. */
export function lacks(sets: readonly EvaluatedSet[]): Record<string, string> {
  const found = measures
    .filter((measure) => canTake(measure, sets[0].measuredBy))
    .flatMap(({ name, lack }) => {
      const why = sets.flatMap((set) => lack?.(set) ?? [])
      return why.length === 0 ? [] : [[name, why[0]] as const]
    })
  return Object.fromEntries(found)
}

/** Every policy against those that stand before it, the last one first; what the base has to say is in the others already. */
export function comparisons(sets: readonly EvaluatedSet[]): Comparison[] {
  const rivals = sets.filter(({ name }) => name !== 'base')
  const parts = splits.map((split) => {
    const ofSplit = (set: EvaluatedSet) => among(set, (prompt) => prompt.split === split)
    return { split, sets: rivals.map(ofSplit) }
  })
  return rivals
    .flatMap((_, first) => rivals.slice(0, first).map((_, second) => [first, second] as const))
    .toSorted(([a, b], [c, d]) => c - a || d - b)
    .flatMap(([first, second]) =>
      parts.map(({ split, sets: ofSplit }) => ({
        policy: rivals[first].name,
        against: rivals[second].name,
        split,
        difference: differenceToBase.of(ofSplit[first], { base: ofSplit[second] }),
      })),
    )
}
