/** Passwords by which people who were invited come in again. Only a slow hash of each is kept. */
import type { FeedbackDatabase } from '../store/database.ts'

export interface Password {
  readonly name: string
  /** With its cost and its salt. */
  readonly hash: string
  readonly changedAt: string
}

/** @returns undefined where this account has none */
export async function findPassword(database: FeedbackDatabase, name: string): Promise<Password | undefined> {
  const row = await database.selectFrom('passwords').selectAll().where('name', '=', name).executeTakeFirst()
  return row && { name: row.name, hash: row.hash, changedAt: row.changed_at }
}

export async function savePassword(database: FeedbackDatabase, { name, hash, changedAt }: Password): Promise<void> {
  await database
    .insertInto('passwords')
    .values({ name, hash, changed_at: changedAt })
    .onConflict((conflict) => conflict.column('name').doUpdateSet({ hash, changed_at: changedAt }))
    .execute()
}

export async function removePassword(database: FeedbackDatabase, name: string): Promise<void> {
  await database.deleteFrom('passwords').where('name', '=', name).execute()
}
