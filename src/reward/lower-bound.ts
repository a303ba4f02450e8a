/** What a reward gives at least, by an ensemble of heads that were fitted to other draws of the same judgments. */
import { hashWeights } from '../networks/checkpoint/hash-weights.ts'
import type { ImageTextEncoder } from '../networks/image-text-encoder.ts'
import { stack } from '../tensor/create.ts'
import { sha256OfParts } from './composition/shared-parts.ts'
import { embeddingReward } from './embedding-reward.ts'
import { readEnsemble } from './ensemble-file.ts'
import { headFeatures, headOn, headScore, type RewardHead } from './heads/reward-head.ts'
import type { Reward } from './reward.ts'

/**
 * The mean score of the members less k times their standard deviation, √(Σ (s_i − s̄)²/(K − 1)): an image gets less where more
 * judgments might have led elsewhere, which is where a policy finds what a reward gets wrong.
 *
 * @param file of the members
 * @param head of the reward, with its mixture with the CLIP score
 */
export function ensembleLowerBound(
  { name, sha256, isWithinPrompt }: Reward,
  k: number,
  { file, head, encoder }: { readonly file: string; readonly head: RewardHead; readonly encoder: ImageTextEncoder },
): Reward {
  const members = readEnsemble(file, head)
  const beside = headOn(encoder.device, head)
  return embeddingReward({
    name: `lower(${name}; k=${k})`,
    sha256: sha256OfParts(`lower ${k} ${hashWeights([file])}`, [{ sha256 }]),
    range: undefined,
    ...(isWithinPrompt && { isWithinPrompt }),
    encoder,
    score(images, texts) {
      const words = texts()
      const scores = stack(members.map((member) => headScore(member, images, words))) // [K, B]
      // Where all agree the root has no slope, and none is wanted.
      return scores.mean(0).sub(scores.variance(0).clamp(1e-12).sqrt().mul(k))
    },
    features: (images, texts) => headFeatures(beside, images, texts),
  })
}
