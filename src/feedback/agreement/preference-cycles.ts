/** Preferences of one rater that go round in a circle: A over B, B over C, C over A. */
import { getOrAdd } from '../../get-or-add.ts'

/** One image was said to be better than another. */
export interface Preference {
  readonly better: string
  readonly worse: string
}

/** More of them are not looked for: whoever contradicts that much is seen at once. */
const mostCycles = 50

/**
 * Shortest circles of preferences, each set of images once, at most fifty.
 *
 * @returns of each circle its preferences, where what is worse in one is better in the next
 */
export function preferenceCycles<P extends Preference>(preferences: readonly P[]): P[][] {
  const left = withinCircles(preferences)
  const from = Map.groupBy(left, ({ better }) => better)
  const found = new Map<string, P[]>()
  for (const preference of left) {
    if (found.size >= mostCycles) break
    const back = shortestWay(from, preference.worse, preference.better)
    if (back === undefined) continue
    const cycle = [preference, ...back]
    getOrAdd(found, cycle.map(({ better }) => better).sort().join(' '), () => cycle) // prettier-ignore
  }
  return [...found.values()]
}

/** Those that are on a circle or between two of them: what leads nowhere, or comes from nowhere, is taken off. */
const withinCircles = <P extends Preference>(preferences: readonly P[]): readonly P[] => {
  const forwards = withoutDeadEnds(preferences, ({ better }) => better, ({ worse }) => worse) // prettier-ignore
  return withoutDeadEnds(forwards, ({ worse }) => worse, ({ better }) => better) // prettier-ignore
}

function withoutDeadEnds<P>(steps: readonly P[], from: (step: P) => string, to: (step: P) => string): readonly P[] {
  const into = Map.groupBy(steps, to)
  const onward = new Map<string, number>()
  for (const step of steps) onward.set(from(step), (onward.get(from(step)) ?? 0) + 1)
  const ends = new Set([...into.keys()].filter((image) => !onward.has(image)))
  // A set is walked through in the order in which it grows.
  for (const end of ends) {
    for (const step of into.get(end) ?? []) {
      const left = onward.get(from(step))! - 1
      onward.set(from(step), left)
      if (left === 0) ends.add(from(step))
    }
  }
  return steps.filter((step) => !ends.has(to(step)) && !ends.has(from(step)))
}

function shortestWay<P extends Preference>(
  from: ReadonlyMap<string, readonly P[]>,
  start: string,
  end: string,
): P[] | undefined {
  const reachedBy = new Map<string, P | undefined>([[start, undefined]])
  // A map is walked through in the order in which it grows.
  for (const image of reachedBy.keys()) {
    if (image === end) break
    for (const step of from.get(image) ?? []) if (!reachedBy.has(step.worse)) reachedBy.set(step.worse, step)
  }
  if (!reachedBy.has(end)) return undefined
  const way: P[] = []
  for (let step = reachedBy.get(end); step !== undefined; step = reachedBy.get(step.better)) way.unshift(step)
  return way
}
