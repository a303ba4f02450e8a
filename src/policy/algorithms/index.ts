/** The methods that train a policy, by their stages. A file is loaded when its method is asked for. */
import type { PolicyStage } from '../../stages.ts'
import type { AnyAlgorithm } from '../algorithm.ts'

export const algorithms = {
  'policy reward-weighted': async () => (await import('./reward-weighted.ts')).rewardWeighted,
  'policy dpo': async () => (await import('./dpo.ts')).dpo,
  'policy nft': async () => (await import('./nft.ts')).nft,
  'policy grpo': async () => (await import('./grpo.ts')).grpo,
  'policy ddpo': async () => (await import('./ddpo.ts')).ddpo,
  'policy draft': async () => (await import('./draft.ts')).draft,
  'policy dpok': async () => (await import('./dpok.ts')).dpok,
} as const satisfies Readonly<Record<PolicyStage, () => Promise<AnyAlgorithm>>>
