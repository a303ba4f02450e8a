/** Which of the recorded judgments count. */
import type { Judgment } from '../records.ts'

/**
 * The judgments that stand, out of all rows in order of arrival. A row with `undoes` takes an earlier row back and is no
 * judgment itself (taking that row back restores the earlier one). Of what is left, the latest of each rater about the
 * same images counts: by time, and by arrival where the times are equal.
 */
export function standing(rows: readonly Judgment[]): Judgment[] {
  const undone = new Set<string>()
  // a row can only take back earlier ones: from the end, every row is settled before the one that it undoes
  for (const row of rows.toReversed()) {
    if (row.undoes !== undefined && !undone.has(row.id)) undone.add(row.undoes)
  }
  const latest = new Map<string, Judgment>()
  for (const row of rows) {
    if (row.undoes !== undefined || undone.has(row.id)) continue
    const key = JSON.stringify([row.kind, row.rater, row.images])
    const other = latest.get(key)
    if (other !== undefined && Date.parse(other.at) > Date.parse(row.at)) continue
    latest.delete(key)
    latest.set(key, row)
  }
  return [...latest.values()]
}
