/** When a ranking agrees with the ratings of the same images (ImageReward, Xu et al. 2023). */

/** The slots that the ratings suggest: 1 is best, equal ratings share a slot. */
export function slotsOf(overall: readonly number[]): number[] {
  const steps = [...new Set(overall)].sort((a, b) => b - a)
  return overall.map((rating) => steps.indexOf(rating) + 1)
}

/** Two images of which the first is rated higher and ranked lower, by their places; undefined where there are none. */
export function contradiction(overall: readonly number[], slots: readonly number[]): [number, number] | undefined {
  for (const [a, rating] of overall.entries()) {
    const b = overall.findIndex((other, place) => rating > other && slots[a] > slots[place])
    if (b >= 0) return [a, b]
  }
  return undefined
}

/** Ranks without gaps: slots 1, 3, 3 are the ranks 1, 2, 2. */
export function ranksOf(slots: readonly number[]): number[] {
  const used = [...new Set(slots)].sort((a, b) => a - b)
  return slots.map((slot) => used.indexOf(slot) + 1)
}
