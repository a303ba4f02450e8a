/** Gold items: images whose good-or-bad answer is known. They show how careful a rater is, and are not trained on. */
import { z } from 'zod'
import { UnknownRecordError } from '../../errors.ts'
import type { FeedbackDatabase } from '../store/database.ts'

const GoldAnswer = z.enum(['good', 'bad'])
export type GoldAnswer = z.infer<typeof GoldAnswer>

/** The right answer of each gold image, by its id. */
export type Gold = ReadonlyMap<string, GoldAnswer>

export function isSameGold(a: Gold, b: Gold): boolean {
  return a.size === b.size && [...a].every(([image, answer]) => b.get(image) === answer)
}

export async function readGold(database: FeedbackDatabase): Promise<Gold> {
  const rows = await database.selectFrom('gold').selectAll().orderBy('image').execute()
  return new Map(rows.map(({ image, answer }) => [image, GoldAnswer.parse(answer)]))
}

/**
 * Makes an image a gold item, or an ordinary one again (null).
 *
 * @throws {UnknownRecordError} no such image
 */
export async function setGold(database: FeedbackDatabase, image: string, answer: GoldAnswer | null): Promise<void> {
  if (answer === null) {
    await database.deleteFrom('gold').where('image', '=', image).execute()
    return
  }
  const known = await database.selectFrom('images').select('id').where('id', '=', image).executeTakeFirst()
  if (known === undefined) {
    throw new UnknownRecordError({
      where: 'gold item',
      expected: 'an image of this store',
      received: `unknown image ${image}`,
      remedy: 'add the image first',
    })
  }
  await database
    .insertInto('gold')
    .values({ image, answer })
    .onConflict((conflict) => conflict.column('image').doUpdateSet({ answer }))
    .execute()
}
