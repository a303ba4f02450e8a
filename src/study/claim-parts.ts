/** Parts that claims of several studies have. */
import { splits } from '../report/schema.ts'
import type { ClaimPart } from './study.ts'

/** An arm aligns better than the pre-trained model, on seen and on unseen prompts. */
export const alignsBetter = (arm: string): readonly ClaimPart[] =>
  splits.map((split) => ({
    says: `alignment on ${split} prompts, against the pre-trained model`,
    unit: 'points',
    of: (look) => look(arm, 'alignment', split) - look('base', 'alignment', split),
  }))
