/** Where report.json has the value of a measure. */
import type { Interval } from '../interval.ts'
import { splits, type PolicyReport, type Report, type Split } from '../schema.ts'
import type { Measure } from './measure.ts'

type Place = (policy: PolicyReport, split: Split) => Interval | undefined

/** Of the measures with fields of their own. All others stand by their names in the record `measures` of a policy or split. */
const fields: Readonly<Record<string, Place>> = {
  alignment: (policy, split) => policy[split].alignment,
  'win-rate': (policy, split) => policy[split].alignment,
  'difference-to-base': (policy, split) => policy[split].differenceToBase,
  frechet: ({ fidelity: { frechet: mean, low, high } }) => ({ mean, low, high }),
  diversity: ({ diversity }) => diversity,
  'mean-reward': ({ meanReward }) => meanReward,
  kl: ({ klNats: { of, mean, low, high } }) => (of === 'none' ? undefined : { mean, low, high }),
}

/** Whether its value goes into the record. */
export const isRecorded = ({ name }: Pick<Measure, 'name'>): boolean => !Object.hasOwn(fields, name)

/**
 * The value of a policy, or of a policy on the prompts of a split; undefined where it was not measured.
 *
 * @param split for a measure of `splits`; of no meaning for others
 */
export function valueOf(policy: PolicyReport, { name, section }: Measure, split: Split = 'seen'): Interval | undefined {
  if (!isRecorded({ name })) return fields[name](policy, split)
  const recorded = (section === 'splits' ? policy[split] : policy).measures
  if (recorded !== undefined && Object.hasOwn(recorded, name)) return recorded[name]
  // A report of version 0.1 has it without an interval.
  const { validShare } = policy.fidelity
  return name === 'valid-share' && validShare !== null
    ? { mean: validShare, low: validShare, high: validShare }
    : undefined
}

/** Whether any policy has a value. */
export const isMeasured = ({ policies }: Pick<Report, 'policies'>, measure: Measure): boolean =>
  splits.some((split) => policies.some((policy) => valueOf(policy, measure, split) !== undefined))
