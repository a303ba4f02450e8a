/** What a policy changed: its alignment or win rate minus the base's, paired by prompt and seed. */
import { percentagePoints } from '../format.ts'
import { pairedDifference } from '../interval.ts'
import { bootstrapOf, type Measure } from './measure.ts'

export const differenceToBase = {
  name: 'difference-to-base',
  title: 'Change',
  unit: percentagePoints,
  better: 'higher',
  needs: 'judge',
  section: 'splits',
  ofBase: 0,
  note: () => 'paired with base',
  explanation: () => undefined,
  of: (set, { base }) => pairedDifference(set.aligned, base.aligned, bootstrapOf(set)),
} as const satisfies Measure
