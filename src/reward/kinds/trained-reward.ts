/** A trained head on its encoder, as the other stages see it. */
import { FormatError } from '../../errors.ts'
import type { ImageTextEncoder } from '../../networks/image-text-encoder.ts'
import { tensorScope } from '../../tensor/scope.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { headFeatures, headScore, type RewardHead } from './reward-head.ts'
import type { RewardFile } from '../reward-file.ts'
import type { Reward } from '../reward.ts'

/** Scores in [0, 1]. @param sha256 of the head's file */
export function trainedReward(name: string, encoder: ImageTextEncoder, head: RewardHead, sha256: string): Reward {
  const embedImages = (pixels: Tensor) => encoder.embedImages(pixels).to('cpu')
  const compute = (from: typeof headScore, pixels: Tensor, texts: readonly string[]) => {
    using scope = tensorScope()
    return scope.keep(from(head, embedImages(pixels), encoder.embedTexts(texts).to('cpu')))
  }
  return {
    name,
    sha256: `${sha256} ${encoder.sha256}`,
    range: [0, 1],
    embedImages,
    score: (pixels, texts) => compute(headScore, pixels, texts),
    features: (pixels, texts) => compute(headFeatures, pixels, texts),
  }
}

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
