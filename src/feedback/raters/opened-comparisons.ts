/** Comparisons that a rater has opened: from then on this rater knows which policy drew what, and votes on it no more. */
import type { FeedbackDatabase } from '../store/database.ts'

/** @returns by the names of the comparisons when each was opened, ISO 8601 */
export async function openedBy(database: FeedbackDatabase, rater: string): Promise<ReadonlyMap<string, string>> {
  const rows = await database
    .selectFrom('opened_comparisons')
    .select(['comparison', 'opened_at'])
    .where('rater', '=', rater)
    .execute()
  return new Map(rows.map(({ comparison, opened_at }) => [comparison, opened_at]))
}

/** The first time counts. */
export async function addOpening(
  database: FeedbackDatabase,
  { comparison, rater, at }: { readonly comparison: string; readonly rater: string; readonly at: string },
): Promise<void> {
  await database
    .insertInto('opened_comparisons')
    .values({ comparison, rater, opened_at: at })
    .onConflict((conflict) => conflict.doNothing())
    .execute()
}
