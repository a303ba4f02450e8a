/** Free of everything: reports, the studio and its pages read it. */
const [least, most] = [20, 5000]

/**
 * About how many more labels, or pairs, it takes until the interval of a figure is clear of a bar. Were the figure as good as it
 * seems, its interval narrows with the root of their number; where it seems no better at all, as many again.
 *
 * @param had    labels that it was learned from
 * @param low    lower end of the interval of `value`
 * @param atLeast where something else says that it takes more
 * @returns      rounded up to tens, from 100 on to fifties
 */
export function moreUntilClear(had: number, value: number, low: number, bar: number, atLeast = 0): number {
  const ahead = value - bar
  const more = Math.max(atLeast, ahead <= 0 ? had : had * (((value - low) / ahead) ** 2 - 1))
  const step = more < 100 ? 10 : 50
  return Math.min(most, Math.max(least, Math.ceil(more / step) * step))
}
