/** Comments: what people say of an image in their own words. They train nothing, and are taken back by who wrote them. */
import { UnknownRecordError } from '../errors.ts'
import type { FeedbackDatabase } from './store/database.ts'

export interface Comment {
  /** Of its rater's comments none has the same. */
  readonly id: string
  readonly rater: string
  readonly image: string
  readonly text: string
  readonly at: string
}

/**
 * Adds a comment; one that is there already counts once.
 *
 * @returns whether it is new
 * @throws {UnknownRecordError} no such image
 */
export async function addComment(database: FeedbackDatabase, comment: Comment): Promise<boolean> {
  const { id, rater, image, text, at } = comment
  const known = await database.selectFrom('images').select('id').where('id', '=', image).executeTakeFirst()
  if (known === undefined) {
    throw new UnknownRecordError({
      where: 'comment',
      expected: 'an image of this store',
      received: `unknown image ${image}`,
      remedy: 'add the image first',
    })
  }
  const { numInsertedOrUpdatedRows = 0n } = await database
    .insertInto('comments')
    .values({ id, rater, image, text, at })
    .onConflict((conflict) => conflict.columns(['rater', 'id']).doNothing())
    .executeTakeFirst()
  return numInsertedOrUpdatedRows > 0n
}

/** Those that stand, in order of time. */
export async function readComments(
  database: FeedbackDatabase,
  { image, rater }: { readonly image?: string; readonly rater?: string } = {},
): Promise<Comment[]> {
  let found = database
    .selectFrom('comments')
    .select(['id', 'rater', 'image', 'text', 'at'])
    .where('removed_at', 'is', null)
  if (image !== undefined) found = found.where('image', '=', image)
  if (rater !== undefined) found = found.where('rater', '=', rater)
  const rows = await found.orderBy('at').orderBy('rater').orderBy('id').execute()
  return rows.map((row) => ({ ...row }))
}

/**
 * Takes a comment back, or lets it stand again; its row stays.
 *
 * @returns whether it changed: false of one that is unknown, or as wanted already
 */
export async function removeComment(
  database: FeedbackDatabase,
  { rater, id }: Pick<Comment, 'rater' | 'id'>,
  isRemoved = true,
): Promise<boolean> {
  const { numUpdatedRows } = await database
    .updateTable('comments')
    .set({ removed_at: isRemoved ? new Date().toISOString() : null })
    .where('rater', '=', rater)
    .where('id', '=', id)
    .where('removed_at', isRemoved ? 'is' : 'is not', null)
    .executeTakeFirstOrThrow()
  return numUpdatedRows > 0n
}
