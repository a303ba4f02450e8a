/** Labels about which raters differ, and that somebody who has not judged them is asked about: see `isDisputed`. */
import { z } from 'zod'
import { settledKinds, type Label } from '../agreement/disagreed-labels.ts'
import type { FeedbackDatabase } from '../store/database.ts'
import { chunks } from '../store/chunks.ts'

/** A label that one more rater is asked about. */
export interface ThirdOpinion extends Pick<Label, 'question' | 'kind' | 'images'> {
  /** Who had judged it before. */
  readonly raters: readonly string[]
  readonly askedBy: string
  /** ISO 8601, UTC. */
  readonly askedAt: string
}

const Names = z.array(z.string())
const Kind = z.enum(settledKinds)

export async function readThirdOpinions(database: FeedbackDatabase): Promise<ThirdOpinion[]> {
  const rows = await database.selectFrom('third_opinions').selectAll().orderBy('asked_at').orderBy('question').execute()
  return rows.map(({ question, kind, images, raters, asked_by, asked_at }) => ({
    question,
    kind: Kind.parse(kind),
    images: Names.parse(JSON.parse(images)),
    raters: Names.parse(JSON.parse(raters)),
    askedBy: asked_by,
    askedAt: asked_at,
  }))
}

/** Asks for opinions about labels; of one that was asked for before, those who have judged since are not asked again either. */
export async function askThirdOpinions(
  database: FeedbackDatabase,
  labels: readonly Label[],
  { by, at }: { readonly by: string; readonly at: string },
): Promise<void> {
  const rows = labels.map(({ question, kind, images, judgments }) => ({
    question,
    kind,
    images: JSON.stringify(images),
    raters: JSON.stringify(judgments.map(({ rater }) => rater)),
    asked_by: by,
    asked_at: at,
  }))
  await database.transaction().execute(async (transaction) => {
    for (const chunk of chunks(rows)) {
      await transaction
        .insertInto('third_opinions')
        .values(chunk)
        .onConflict((conflict) =>
          conflict.column('question').doUpdateSet((row) => ({
            raters: row.ref('excluded.raters'),
            asked_by: row.ref('excluded.asked_by'),
            asked_at: row.ref('excluded.asked_at'),
          })),
        )
        .execute()
    }
  })
}

/**
 * Whether somebody who had not judged a label before has settled it.
 *
 * @param label as it stands now; undefined where no answer of it stands
 */
export const isSettledBy = ({ raters }: Pick<ThirdOpinion, 'raters'>, label: Label | undefined): boolean =>
  label?.judgments.some(({ rater }) => !raters.includes(rater)) ?? false
