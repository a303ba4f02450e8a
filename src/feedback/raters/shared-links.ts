/** Links that show one thing to whoever has them. Only a hash of the token in the link is kept. */
import { z } from 'zod'
import type { FeedbackDatabase } from '../store/database.ts'

const SharedKind = z.enum(['report', 'comparison'])

export interface SharedLink {
  readonly id: string
  readonly kind: z.infer<typeof SharedKind>
  /** Of the report or the comparison. */
  readonly name: string
  readonly createdBy: string
  readonly createdAt: string
}

/** Newest first. */
export async function readSharedLinks(database: FeedbackDatabase): Promise<SharedLink[]> {
  const rows = await database
    .selectFrom('shared_links')
    .selectAll()
    .orderBy('created_at', 'desc')
    .orderBy('id')
    .execute()
  return rows.map(linkOf)
}

export async function addSharedLink(
  database: FeedbackDatabase,
  { id, kind, name, createdBy, createdAt, tokenHash }: SharedLink & { readonly tokenHash: string },
): Promise<void> {
  await database
    .insertInto('shared_links')
    .values({ id, kind, name, created_by: createdBy, created_at: createdAt, token_hash: tokenHash })
    .execute()
}

/** @returns undefined where there is none with this token, or it was withdrawn */
export async function findSharedLink(database: FeedbackDatabase, tokenHash: string): Promise<SharedLink | undefined> {
  const row = await database
    .selectFrom('shared_links')
    .selectAll()
    .where('token_hash', '=', tokenHash)
    .executeTakeFirst()
  return row && linkOf(row)
}

/** @returns whether there was one */
export async function removeSharedLink(database: FeedbackDatabase, id: string): Promise<boolean> {
  const { numDeletedRows } = await database.deleteFrom('shared_links').where('id', '=', id).executeTakeFirstOrThrow()
  return numDeletedRows > 0n
}

type Row = Record<'id' | 'kind' | 'name' | 'created_by' | 'created_at', string>

const linkOf = ({ id, kind, name, created_by, created_at }: Row): SharedLink => ({
  id,
  kind: SharedKind.parse(kind),
  name,
  createdBy: created_by,
  createdAt: created_at,
})
