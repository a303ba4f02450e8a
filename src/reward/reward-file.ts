/** A trained reward on disk: the head's weights, bound to the encoder whose embeddings it reads. */
import { FormatError } from '../errors.ts'
import type { ImageTextEncoder } from '../networks/image-text-encoder.ts'
import { Weights } from '../networks/weights.ts'
import { readSafetensors, writeSafetensors } from '../tensor/safetensors.ts'
import { agreement, rewardOf } from './reward-head.ts'
import type { Reward } from './reward.ts'
import { cat } from '../tensor/create.ts'

export const rewardFileName = 'reward.safetensors'

/** A head on its encoder, as the other stages see it: scores in [0, 1]. */
export function rewardModel(name: string, encoder: ImageTextEncoder, head: Weights): Reward {
  return {
    name,
    range: [0, 1],
    score: (pixels, texts) => rewardOf(head, encoder.embedImages(pixels), encoder.embedTexts(texts), encoder.width),
    features(pixels, texts) {
      const { product, mixed } = agreement(head, encoder.embedImages(pixels), encoder.embedTexts(texts), encoder.width)
      return cat([product, mixed], 1)
    },
  }
}

/** @throws {FileError} */
export function writeReward(file: string, encoder: ImageTextEncoder, head: Weights): void {
  writeSafetensors(file, head.tensors(), {
    format: 'attune-reward-1',
    encoder: encoder.name,
    encoderSha256: encoder.sha256,
  })
}

/**
 * @param name what scores will be attributed to: the run folder
 * @throws {FileError} no such file
 * @throws {FormatError} not a reward, or one of another encoder
 */
export function readReward(file: string, name: string, encoder: ImageTextEncoder): Reward {
  const { tensors, metadata } = readSafetensors(file)
  const expectEqual = (what: string, expected: string, received: string | undefined, remedy: string) => {
    if (received === expected) return
    throw new FormatError({ where: `${file} ${what}`, expected, received: received ?? 'nothing', remedy })
  }
  expectEqual('format', 'attune-reward-1', metadata.format, 'give the folder of a `reward train` run')
  expectEqual(
    'encoder',
    encoder.sha256,
    metadata.encoderSha256,
    'this reward was trained on another encoder; train it again on this one',
  )
  return rewardModel(name, encoder, Weights.of(tensors))
}
