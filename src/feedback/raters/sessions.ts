/** Who is logged in. Only a hash of the token in the cookie is kept. */
import { z } from 'zod'
import type { FeedbackDatabase } from '../store/database.ts'

const BegunBy = z.enum(['link', 'password'])

export interface Session {
  readonly rater: string
  readonly createdAt: string
  readonly expiresAt: string
  readonly begunBy: z.infer<typeof BegunBy>
}

/** Adds a session, and forgets those that have expired. */
export async function addSession(
  database: FeedbackDatabase,
  { tokenHash, rater, createdAt, expiresAt, begunBy }: Session & { readonly tokenHash: string },
): Promise<void> {
  await database.deleteFrom('sessions').where('expires_at', '<=', createdAt).execute()
  await database
    .insertInto('sessions')
    .values({ token_hash: tokenHash, rater, created_at: createdAt, expires_at: expiresAt, begun_by: begunBy })
    .execute()
}

/** @returns undefined where there is none with this token, or it has expired */
export async function findSession(
  database: FeedbackDatabase,
  tokenHash: string,
  now: Date,
): Promise<Session | undefined> {
  const row = await database
    .selectFrom('sessions')
    .selectAll()
    .where('token_hash', '=', tokenHash)
    .where('expires_at', '>', now.toISOString())
    .executeTakeFirst()
  if (row === undefined) return undefined
  const { rater, created_at, expires_at, begun_by } = row
  return { rater, createdAt: created_at, expiresAt: expires_at, begunBy: BegunBy.parse(begun_by) }
}

/** Who of these is signed in somewhere. */
export async function signedIn(
  database: FeedbackDatabase,
  names: readonly string[],
  now: Date,
): Promise<ReadonlySet<string>> {
  if (names.length === 0) return new Set()
  const rows = await database
    .selectFrom('sessions')
    .select('rater')
    .where('rater', 'in', names)
    .where('expires_at', '>', now.toISOString())
    .execute()
  return new Set(rows.map(({ rater }) => rater))
}

export async function endSession(database: FeedbackDatabase, tokenHash: string): Promise<void> {
  await database.deleteFrom('sessions').where('token_hash', '=', tokenHash).execute()
}

/** On all devices of a rater. */
export async function endSessionsOf(database: FeedbackDatabase, rater: string): Promise<void> {
  await database.deleteFrom('sessions').where('rater', '=', rater).execute()
}
