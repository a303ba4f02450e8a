/** Rewards beside those of other images of the same prompt: how good an image is where nothing foretells its reward. */

/** Advantages are held in ±this: one image far from all others must not rule an update. */
export const mostAdvantage = 5
/** Added to a deviation, so that groups of nearly equal rewards do not teach by their rounding. */
const leastDeviation = 1e-4

/** What advantages are divided by: the deviation of the prompt's own rewards, or of all rewards of the batch together. */
export const advantageDeviations = ['group', 'batch'] as const
export type AdvantageDeviation = (typeof advantageDeviations)[number]

/**
 * A = (r − mean of the group)/(deviation + 1e-4), held in ±{@link mostAdvantage}. A group whose rewards are all the same has
 * advantages of exactly 0. Deviations are those of a population: divided by the number of rewards.
 *
 * @param rewards   N numbers
 * @param groups    the group of each, N: rewards of one prompt are compared with each other, wherever they stand
 * @param deviation `group` weighs every prompt alike; `batch` leaves prompts of little spread their little weight
 * @returns         N numbers, without a unit
 * @see Shao et al. 2024 (GRPO, arXiv:2402.03300), §4.1.2; Liu et al. 2025 (Flow-GRPO, arXiv:2505.05470), whose code takes
 *      the deviation of the batch
 */
export function groupAdvantages(
  rewards: readonly number[],
  groups: readonly string[],
  deviation: AdvantageDeviation,
): number[] {
  const members = Map.groupBy(rewards.keys(), (i) => groups[i])
  const overall = momentsOf(rewards).deviation
  const advantages = new Array<number>(rewards.length)
  for (const places of members.values()) {
    const own = momentsOf(places.map((i) => rewards[i]))
    const scale = (deviation === 'group' ? own.deviation : overall) + leastDeviation
    for (const i of places) advantages[i] = boundedAdvantage((rewards[i] - own.mean) / scale)
  }
  return advantages
}

export const boundedAdvantage = (advantage: number): number =>
  Math.min(mostAdvantage, Math.max(-mostAdvantage, advantage))

/** Mean and deviation of a population. Of equal numbers the mean is that number to the bit, and the deviation 0. */
export function momentsOf(numbers: readonly number[]): { readonly mean: number; readonly deviation: number } {
  const [first] = numbers
  const average = (of: (one: number) => number) => numbers.reduce((sum, one) => sum + of(one), 0) / numbers.length
  const mean = first + average((one) => one - first)
  return { mean, deviation: Math.sqrt(average((one) => (one - mean) ** 2)) }
}
