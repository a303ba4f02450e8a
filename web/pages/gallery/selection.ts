/** Which images of a list are chosen, by clicks and keys as lists of files have them. */

export interface Selection {
  readonly ids: ReadonlySet<string>
  /** From where a range reaches. */
  readonly anchor: number
}

export const noneSelected: Selection = { ids: new Set(), anchor: 0 }

export function toggled({ ids }: Selection, all: readonly string[], place: number): Selection {
  const next = new Set(ids)
  if (!next.delete(all[place])) next.add(all[place])
  return { ids: next, anchor: place }
}

/** All between the anchor and a place come in. */
export function reached({ ids, anchor }: Selection, all: readonly string[], place: number): Selection {
  const [from, to] = anchor < place ? [anchor, place] : [place, anchor]
  return { ids: new Set([...ids, ...all.slice(from, to + 1)]), anchor }
}
