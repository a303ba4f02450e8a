/** Which blind votes tell how policies compare. */
import type { Judgment } from '../records.ts'
import { readLeftOut } from './raters/decisions.ts'
import { readRaters } from './raters/raters.ts'
import type { FeedbackStore } from './store/store.ts'

export type Vote = Extract<Judgment, { kind: 'vote' }>

/** Those of people that stand: none of raters who were excluded, and none that was left out. */
export async function countedVotes(store: Pick<FeedbackStore, 'database' | 'judgments'>): Promise<Vote[]> {
  const [raters, leftOut, judgments] = await Promise.all([
    readRaters(store.database),
    readLeftOut(store.database),
    store.judgments(),
  ])
  const excluded = new Set(raters.filter((rater) => rater.excluded).map(({ name }) => name))
  return judgments.filter(
    (one): one is Vote =>
      one.kind === 'vote' && one.raterKind === 'person' && !excluded.has(one.rater) && !leftOut.has(one.id),
  )
}
