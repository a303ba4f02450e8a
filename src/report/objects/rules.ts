/** Whether an image shows what is asked for, by the boxes that were found in it: the rules of GenEval (Ghosh et al. 2023). */
import type { Composition, relations } from '../../records.ts'

/** Left, top, right, bottom, in pixels. */
export type Box = readonly [number, number, number, number]

export interface FoundObject {
  readonly box: Box
  /** In (0, 1). */
  readonly score: number
}

/** Objects of a class that count, at most. */
const mostOfClass = 16
/** Boxes of one class that share more of their union than this are one object. */
const mostOverlap = 0.5

/** Objects from the surest one down, without those that lie over a surer one of their class. */
export function distinct(found: readonly FoundObject[], threshold: number): FoundObject[] {
  const kept: FoundObject[] = []
  for (const one of found.filter(({ score }) => score > threshold).sort((a, b) => b.score - a.score)) {
    if (kept.length === mostOfClass) break
    if (kept.every(({ box }) => overlap(box, one.box) <= mostOverlap)) kept.push(one)
  }
  return kept
}

/** Area that two boxes share, by that of both together. */
export function overlap(a: Box, b: Box): number {
  const area = ([left, top, right, bottom]: Box) => Math.max(right - left, 0) * Math.max(bottom - top, 0)
  const shared = area([Math.max(a[0], b[0]), Math.max(a[1], b[1]), Math.min(a[2], b[2]), Math.min(a[3], b[3])])
  const both = area(a) + area(b) - shared
  return both > 0 ? shared / both : 0
}

/** Of the sum of two boxes' sides: so far apart their middles must be before one is beside the other. */
const margin = 0.1
/** Of the distance of the middles. */
const least = 0.5

/** Where `a` stands as seen from `b`: none, one, or two on a diagonal. */
export function relationsOf(a: Box, b: Box): (typeof relations)[number][] {
  const middle = (box: Box, axis: 0 | 1) => (box[axis] + box[axis + 2]) / 2
  const side = (box: Box, axis: 0 | 1) => Math.abs(box[axis + 2] - box[axis])
  const offsets = ([0, 1] as const).map((axis) => middle(a, axis) - middle(b, axis))
  const distance = Math.hypot(...offsets)
  const beyond = offsets.map((offset, i) => {
    const axis = i as 0 | 1
    return Math.max(Math.abs(offset) - margin * (side(a, axis) + side(b, axis)), 0) * Math.sign(offset)
  })
  if (beyond.every((offset) => Math.abs(offset) < 1e-3)) return []
  const [x, y] = beyond.map((offset) => offset / distance)
  return [
    ...(x < -least ? (['left of'] as const) : []),
    ...(x > least ? (['right of'] as const) : []),
    ...(y < -least ? (['above'] as const) : []),
    ...(y > least ? (['below'] as const) : []),
  ]
}

/**
 * Every entry of `include` needs as many objects as it says, the surest ones of its class, in its colour and place; no
 * entry of `exclude` may have as many as it says.
 *
 * @param found  objects of each class, the surest first
 * @param colors names the colour of each of some objects of a class
 */
export function shows(
  { include, exclude = [] }: Composition,
  found: ReadonlyMap<string, readonly FoundObject[]>,
  colors: (name: string, objects: readonly FoundObject[]) => readonly string[],
): boolean {
  const groups: (readonly FoundObject[])[] = []
  for (const { class: name, count, color, position } of include) {
    const objects = (found.get(name) ?? []).slice(0, count)
    if (objects.length < count) return false
    if (color !== undefined && colors(name, objects).some((one) => one !== color)) return false
    if (position !== undefined) {
      const [relation, target] = position
      const isThere = objects.every(({ box }) =>
        groups[target].every((other) => relationsOf(box, other.box).includes(relation)),
      )
      if (!isThere) return false
    }
    groups.push(objects)
  }
  return exclude.every(({ class: name, count }) => (found.get(name) ?? []).length < count)
}
