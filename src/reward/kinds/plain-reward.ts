/** Rewards that a formula gives: no file, no network and nothing that was learned. The prompt does not matter to them. */
import { tensorScope } from '../../tensor/scope.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import type { Reward } from '../reward.ts'
import { plainFeatures } from './plain-features.ts'
import type { RewardKind } from './reward-kind.ts'

interface Formula {
  readonly name: string
  /** Another number whenever the same image would get another score. */
  readonly version: number
  readonly range: Reward['range']
  /** Pixels [B, 3, H, W] in [-1, 1], on any device → [B] */
  score(pixels: Tensor): Tensor
  /** Whether the score has gradients. */
  readonly isSmooth: boolean
}

export function plainReward({ name, version, range, score, isSmooth }: Formula): RewardKind {
  const scored = (pixels: Tensor) => {
    using scope = tensorScope()
    return scope.keep(score(pixels.to('float32').clamp(-1, 1)).to('cpu'))
  }
  const reward: Reward = {
    name,
    sha256: `${name} ${version}`,
    range,
    score: scored,
    ...(isSmooth && { scoreWithGradient: scored }),
    ...plainFeatures,
  }
  return {
    ...{ what: name, names: [name], isPlain: true, claims: () => false, open: () => reward },
    ...(!isSmooth && { hasNoGradient: true }),
  }
}
