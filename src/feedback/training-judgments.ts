/** Which judgments train a reward. */
import type { Judgment } from '../records.ts'
import { readGold } from './queue/gold.ts'
import { readRaters } from './raters/raters.ts'
import type { FeedbackStore } from './store/store.ts'

/**
 * The judgments that stand, without votes (they measure policies), without raters that were excluded, and without the
 * good-or-bad answers to gold items (they measure raters).
 */
export async function trainingJudgments(store: FeedbackStore): Promise<Judgment[]> {
  const raters = await readRaters(store.database)
  const excluded = new Set(raters.filter((rater) => rater.excluded).map(({ name }) => name))
  const gold = await readGold(store.database)
  return (await store.judgments()).filter(
    ({ kind, rater, images }) =>
      kind !== 'vote' && !excluded.has(rater) && !(kind === 'good-bad-skip' && gold.has(images[0])),
  )
}
