/** What a policy changed by a reward that no policy learned from, paired with the base by prompt and seed. */
import { decimal, type Unit } from '../format.ts'
import { pairedDifference } from '../interval.ts'
import { bootstrapOf, type Measure } from './measure.ts'

const signed: Unit = { text: '', write: (value) => (value > 0 ? `+${decimal(value)}` : decimal(value)) }

export const heldOutChange = {
  name: 'held-out-change',
  title: 'Held-out change',
  unit: signed,
  better: 'higher',
  needs: 'images',
  section: 'splits',
  ofBase: 0,
  note: () => 'paired with base',
  explanation: () => undefined,
  of: (set, { base }) => set.heldOut && base.heldOut && pairedDifference(set.heldOut, base.heldOut, bootstrapOf(set)),
} as const satisfies Measure
