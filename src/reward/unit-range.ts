/** Rewards of any scale as numbers in [0, 1]. */
import { RewardError } from '../errors.ts'
import type { Reward } from './reward.ts'

/** A map of scores into [0, 1]. */
export interface UnitRange {
  /** The score that becomes 0. */
  readonly low: number
  /** The score that becomes 1. */
  readonly high: number
  map(score: number): number
}

/** Shares of the scores that may lie below 0 and above 1 before they are clamped. */
const tail = 0.05

/**
 * Maps a reward into [0, 1], so that it can weigh a likelihood. A reward of that range is left alone. Of any other, the
 * 5 % quantile of these scores becomes 0 and the 95 % quantile 1, with a straight line between, and what is beyond is
 * clamped; where the two quantiles are the same number, the lowest and the highest score take their places.
 *
 * @param scores of images of the model before training, at least one, finite
 * @throws {RewardError} all scores are the same, or one is not finite
 */
export function unitRange({ name, range }: Pick<Reward, 'name' | 'range'>, scores: readonly number[]): UnitRange {
  if (range?.[0] === 0 && range[1] === 1) return { low: 0, high: 1, map: (score) => score }
  const broken = scores.find((score) => !Number.isFinite(score))
  const sorted = [...scores].sort((a, b) => a - b)
  const quantiles = [quantile(sorted, tail), quantile(sorted, 1 - tail)] as const
  const [low, high] = quantiles[0] < quantiles[1] ? quantiles : [sorted[0], sorted[sorted.length - 1]]
  if (broken !== undefined || !(low < high)) {
    throw new RewardError({
      where: name,
      expected: 'finite scores that differ between images',
      received: broken === undefined ? `${low} for all ${scores.length} images` : String(broken),
      remedy: 'such a reward cannot tell images apart; check it, or score more images',
    })
  }
  return { low, high, map: (score) => Math.min(1, Math.max(0, (score - low) / (high - low))) }
}

/** Between the two nearest of sorted numbers, as NumPy's default. */
function quantile(sorted: readonly number[], share: number): number {
  const place = share * (sorted.length - 1)
  const below = Math.floor(place)
  const next = Math.min(below + 1, sorted.length - 1)
  return sorted[below] + (place - below) * (sorted[next] - sorted[below])
}
