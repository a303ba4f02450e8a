/** What images count in a loss: by their reward, or by how much better they are than others of their prompt. */
import { ConfigError, RewardError } from '../errors.ts'
import { acrossPrompts, centredWords } from '../reward/across-prompts.ts'
import type { Reward } from '../reward/reward.ts'
import { unitRange } from '../reward/unit-range.ts'
import type { ScoredImage } from './algorithm.ts'
import { groupAdvantages, mostAdvantage, type AdvantageDeviation } from './group-advantages.ts'

/** A generated image that is learned from. */
export interface WeighedImage {
  readonly text: string
  readonly weight: number
  /** Of its x_0. */
  readonly row: number
}

export interface Weighed {
  readonly images: readonly WeighedImage[]
  /** What a reader of the run has to know of the weights. */
  readonly results: Readonly<Record<string, unknown>>
  /** What its user has to know before it begins. */
  readonly note?: string
}

interface Weighing {
  readonly klD: number
  readonly threshold: number
}

/**
 * max(0, r + γ), r being the reward in [0, 1]; images with a lower one than the threshold are left out.
 *
 * @throws {RewardError} nothing is left to learn from, or a reward is not finite
 */
export function weighByReward(images: readonly ScoredImage[], reward: Reward, { klD, threshold }: Weighing): Weighed {
  const comparable = acrossPrompts(
    reward,
    images.map(({ score }) => score),
    images.map(({ text }) => text),
  )
  const { scores, singles } = comparable
  const range = unitRange({ name: reward.name, range: comparable.range }, scores)
  const rewards = scores.map((score) => range.map(score))
  const kept = images
    .map(({ text }, row) => ({ text, weight: Math.max(0, rewards[row] + klD), row }))
    .filter(({ row }) => !(rewards[row] < threshold))
  expectWeights(
    kept.map(({ row }) => rewards[row]),
    kept.some(({ weight }) => weight > 0),
  )
  return {
    images: kept,
    ...(singles !== undefined && { note: centredWords(reward, singles) }),
    results: {
      ...(singles !== undefined && { rewardCentred: 'by prompt', promptsOfOneImage: singles }),
      ...((range.low !== 0 || range.high !== 1) && { rewardMappedFrom: [range.low, range.high] }),
    },
  }
}

function expectWeights(rewards: readonly number[], isSome: boolean): void {
  const broken = rewards.find((one) => !Number.isFinite(one))
  if (broken === undefined && isSome) return
  throw new RewardError({
    where: 'rewards of the generated images',
    expected: 'finite rewards, some of them above the threshold and above −γ',
    received: broken === undefined ? `${rewards.length} images, none with a positive weight` : String(broken),
    remedy: 'check the reward, lower --threshold, or raise --kl-d',
  })
}

/** Advantages of images among those of their prompt, in [-1, 1]. */
export function weighByAdvantage(images: readonly ScoredImage[], deviation: AdvantageDeviation): Weighed {
  const advantages = groupAdvantages(
    images.map(({ score }) => score),
    images.map(({ text }) => text),
    deviation,
  )
  return {
    images: images.map(({ text }, row) => ({ text, weight: advantages[row] / mostAdvantage, row })),
    results: { weighedBy: 'advantage' },
  }
}

/** @throws {RewardError} no image is better than others of its prompt */
export function expectAdvantages(images: readonly WeighedImage[]): void {
  if (images.some(({ weight }) => weight !== 0)) return
  throw new RewardError({
    where: 'advantages of the generated images',
    expected: 'several images of a prompt that the reward tells apart',
    received: `${images.length} images, none better than others of its prompt`,
    remedy: 'draw more images of each prompt, or weigh by the reward itself, without --signed',
  })
}

/** @throws {ConfigError} settings of weights by reward beside advantages */
export function expectSigned({ klD, threshold }: Weighing): void {
  const other = klD === 0 ? (threshold === 0 ? undefined : (['--threshold', threshold] as const)) : (['--kl-d', klD] as const) // prettier-ignore
  if (other === undefined) return
  throw new ConfigError({
    where: other[0],
    expected: '0 beside --signed: advantages have no scale of their own that it could refer to',
    received: String(other[1]),
    remedy: 'leave one of the two out',
  })
}
