/**
 * The first two places of images whose ranks contradict their overall ratings: an image that was rated higher has a better
 * rank; equal ratings may be ranked in any way (ImageReward, Xu et al. 2023, asks for the same).
 *
 * @param ranks    [n], 1 is best, ties allowed
 * @param overall  [n], 7 is best; undefined for an image that was not rated
 * @returns        [the one rated higher, the one rated lower], or undefined where all agree
 */
export function rankingConflict(
  ranks: readonly number[],
  overall: readonly (number | undefined)[],
): [higher: number, lower: number] | undefined {
  for (const [i, higher] of overall.entries()) {
    for (const [j, lower] of overall.entries()) {
      if (higher !== undefined && lower !== undefined && higher > lower && ranks[i] >= ranks[j]) return [i, j]
    }
  }
  return undefined
}
