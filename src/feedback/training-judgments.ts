/** Which judgments train a reward. */
import type { Judgment } from '../records.ts'
import { readGold, type Gold } from './queue/gold.ts'
import { readLeftOut } from './raters/decisions.ts'
import { readRaters } from './raters/raters.ts'
import type { FeedbackDatabase } from './store/database.ts'
import { imagesThatAreGone } from './store/image-writes.ts'
import type { FeedbackStore } from './store/store.ts'

/** What keeps judgments from training. */
export interface Untaught {
  readonly gold: Gold
  /** Names of raters. */
  readonly excluded: ReadonlySet<string>
  /** Ids of judgments. */
  readonly leftOut: ReadonlySet<string>
  /** Ids of images whose files were deleted. */
  readonly gone: ReadonlySet<string>
}

export async function readUntaught(database: FeedbackDatabase): Promise<Untaught> {
  const [gold, raters, leftOut, gone] = await Promise.all([
    readGold(database),
    readRaters(database),
    readLeftOut(database),
    imagesThatAreGone(database),
  ])
  return { gold, leftOut, gone, excluded: new Set(raters.filter(({ excluded }) => excluded).map(({ name }) => name)) }
}

/**
 * Votes do not train (they measure policies), nor what raters said that were excluded, nor answers that were left out, nor
 * the good-or-bad answers to gold items (they measure raters), nor what was said of images that were deleted since.
 *
 * @param judgment one that stands
 */
export const mayTrain = ({ id, kind, rater, images }: Judgment, { gold, excluded, leftOut, gone }: Untaught): boolean =>
  kind !== 'vote' &&
  !leftOut.has(id) &&
  !excluded.has(rater) &&
  !(kind === 'good-bad-skip' && gold.has(images[0])) &&
  !(gone.size > 0 && images.some((image) => gone.has(image)))

/** The judgments that stand and {@link mayTrain}. */
export async function trainingJudgments(store: FeedbackStore): Promise<Judgment[]> {
  const untaught = await readUntaught(store.database)
  return (await store.judgments()).filter((judgment) => mayTrain(judgment, untaught))
}
