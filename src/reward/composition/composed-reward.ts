/** One score from several rewards, each on the scale of its own scores of base images. */
import { hashOfJson } from '../../content-hash.ts'
import { cat, stack } from '../../tensor/create.ts'
import { tensorScope } from '../../tensor/scope.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import type { Reward } from '../reward.ts'
import type { Composition } from './composition.ts'
import { sha256OfParts } from './shared-parts.ts'

/** Of a part's scores of base images. */
export interface Normal {
  readonly mean: number
  /** > 0 */
  readonly deviation: number
}

export interface NormalisedReward {
  readonly reward: Reward
  readonly normal: Normal
}

/**
 * With z = (score − mean) / deviation of each part:
 *
 * - `sum`      Σ_i w_i z_i
 * - `min`      min_i z_i
 * - `product`  Π_i u_i in [0, 1], u = the score of a part that lies in [0, 1] itself, the logistic function of z of any other
 * - `lower`    the mean of all z less k times their standard deviation, √(Σ (z_i − z̄)²/(K − 1)): what one part alone likes
 *              counts for less than what all like
 *
 * Gradients reach the pixels where all parts have them. It compares images of one prompt only where a part does.
 *
 * @param parts in the order of the composition
 * @see Coste et al. 2024 (arXiv:2310.02743), who take off the variance, and the worst of the parts, against over-optimisation
 */
export function composedReward(name: string, composition: Composition, parts: readonly NormalisedReward[]): Reward {
  const { kind, k } = composition
  const rewards = parts.map(({ reward }) => reward)
  const normals = parts.map(({ normal }) => normal)
  const scored = (scoreOf: (reward: Reward) => Tensor) => {
    using scope = tensorScope()
    return scope.keep(combined(composition, parts, rewards.map(scoreOf)))
  }
  const beside = (seenBy: (reward: Reward) => Tensor) => {
    const seen = rewards.map(seenBy)
    return cat(
      seen.map((one) => one.to(seen[0].device)),
      1,
    )
  }
  const weights = composition.parts.map(({ weight }) => weight)
  return {
    name,
    sha256: sha256OfParts(`${kind} ${hashOfJson([k, weights, normals])}`, rewards),
    range: kind === 'product' ? [0, 1] : undefined,
    ...(rewards.some(({ isWithinPrompt }) => isWithinPrompt) && { isWithinPrompt: true as const }),
    score: (pixels, texts) => scored((reward) => reward.score(pixels, texts)),
    ...(rewards.every(({ scoreWithGradient }) => scoreWithGradient !== undefined) && {
      scoreWithGradient: (pixels: Tensor, texts: readonly string[]) =>
        scored((reward) => reward.scoreWithGradient!(pixels, texts)),
    }),
    embedImages(pixels) {
      using scope = tensorScope()
      return scope.keep(beside((reward) => reward.embedImages(pixels)).div(Math.sqrt(parts.length)))
    },
    features(pixels, texts) {
      using scope = tensorScope()
      return scope.keep(beside((reward) => reward.features(pixels, texts)))
    },
    ...(rewards.some(({ hollow }) => hollow !== undefined) && { hollow: () => hollowed(name, composition, parts) }),
  }
}

/** Of parts that compute with other things than an encoder nothing is foretold: they are left out. */
function hollowed(name: string, composition: Composition, parts: readonly NormalisedReward[]): Reward {
  const kept = parts.flatMap(({ reward, normal }, place) =>
    reward.hollow === undefined ? [] : { part: composition.parts[place], reward: reward.hollow(), normal },
  )
  return composedReward(name, { ...composition, parts: kept.map(({ part }) => part) }, kept)
}

/** @param scores of each part, [B] @returns [B] */
function combined(
  { kind, k, parts }: Composition,
  normalised: readonly NormalisedReward[],
  scores: readonly Tensor[],
): Tensor {
  const z = scores.map((score, i) => {
    const { mean, deviation } = normalised[i].normal
    return score.sub(mean).div(deviation)
  })
  switch (kind) {
    case 'sum':
      return z.map((one, i) => one.mul(parts[i].weight)).reduce((sum, one) => sum.add(one))
    case 'min':
      return z.reduce((least, one) => least.minimum(one))
    case 'product':
      return z
        .map((one, i) => (liesInUnit(normalised[i].reward) ? scores[i] : one.sigmoid()))
        .reduce((product, one) => product.mul(one))
    case 'lower': {
      const all = stack(z) // [K, B]
      // Where all parts agree the root has no slope, and none is wanted.
      return all.mean(0).sub(all.variance(0).clamp(1e-12).sqrt().mul(k))
    }
  }
}

const liesInUnit = ({ range }: Reward) => range?.[0] === 0 && range[1] === 1
