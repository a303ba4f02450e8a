/** The reward of a run, and its scores for images on disk. */
import { join } from 'node:path'
import { pixelsOf, type Picture } from '../images/png.ts'
import type { ImageTextEncoder } from '../networks/image-text-encoder.ts'
import { readRun } from '../run.ts'
import { noGrad } from '../tensor/autograd.ts'
import { tensorScope } from '../tensor/scope.ts'
import { readReward, rewardFileName } from './reward-file.ts'
import type { Reward } from './reward.ts'

/**
 * The reward that a `reward train` run has trained.
 *
 * @throws {FileError} no such run, or it is not finished
 * @throws {FormatError} not a reward, or one of another encoder
 */
export function openReward(folder: string, encoder: ImageTextEncoder): Reward {
  readRun(folder)
  return readReward(join(folder, rewardFileName), folder, encoder)
}

const batchSize = 256

/** Scores of pictures for their prompts, in their order. */
export function scorePictures(reward: Reward, pictures: readonly Picture[], texts: readonly string[]): number[] {
  using _noGrad = noGrad()
  const scores: number[] = []
  for (let from = 0; from < pictures.length; from += batchSize) {
    using _scope = tensorScope()
    const pixels = pixelsOf(pictures.slice(from, from + batchSize))
    scores.push(...reward.score(pixels, texts.slice(from, from + batchSize)).toArray())
  }
  return scores
}
