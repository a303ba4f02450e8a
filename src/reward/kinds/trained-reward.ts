/** A trained head on its encoder, as the other stages see it. */
import { FormatError } from '../../errors.ts'
import type { ImageTextEncoder } from '../../networks/image-text-encoder.ts'
import { embeddingReward } from './embedding-reward.ts'
import { headFeatures, headScore, type RewardHead } from './reward-head.ts'
import type { RewardFile } from '../reward-file.ts'
import type { Reward } from '../reward.ts'

/** Scores in [0, 1]. @param sha256 of the head's file */
export const trainedReward = (name: string, encoder: ImageTextEncoder, head: RewardHead, sha256: string): Reward =>
  embeddingReward({
    name,
    sha256: `${sha256} ${encoder.sha256}`,
    range: [0, 1],
    encoder,
    score: (images, texts) => headScore(head, images, texts()),
    features: (images, texts) => headFeatures(head, images, texts),
  })

/** @throws {FormatError} the reward reads another encoder's embeddings */
export function expectOwnEncoder(name: string, file: RewardFile, encoder: ImageTextEncoder): void {
  if (encoder.sha256 === file.encoderSha256) return
  throw new FormatError({
    where: `${name} encoder`,
    expected: `${file.encoder} with SHA-256 ${file.encoderSha256.slice(0, 16)}…`,
    received: `${encoder.name} with ${encoder.sha256.slice(0, 16)}…`,
    remedy: 'this reward was trained on another encoder; put that one in its place, or train the reward again',
  })
}
