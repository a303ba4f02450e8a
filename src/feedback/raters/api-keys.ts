/** Keys by which scripts call the studio. Only a hash of each is kept. */
import type { Selectable } from 'kysely'
import type { FeedbackDatabase } from '../store/database.ts'
import type { FeedbackTables } from '../store/tables.ts'
import { hasAccepted } from './invitations.ts'
import { findRater, Role } from './raters.ts'

export interface ApiKey {
  readonly id: string
  readonly name: string
  readonly owner: string
  readonly role: Role
  readonly createdAt: string
  readonly expiresAt: string
  readonly lastUsedAt: string | null
}

/** When a key was used is told to the minute. */
const usedStepMs = 60_000

/** Newest first. */
export async function readApiKeys(database: FeedbackDatabase): Promise<ApiKey[]> {
  const rows = await database.selectFrom('api_keys').selectAll().orderBy('created_at', 'desc').orderBy('id').execute()
  return rows.map(keyOf)
}

export async function addApiKey(
  database: FeedbackDatabase,
  {
    id,
    tokenHash,
    name,
    owner,
    role,
    createdAt,
    expiresAt,
  }: Omit<ApiKey, 'lastUsedAt'> & { readonly tokenHash: string },
): Promise<void> {
  const row = { id, token_hash: tokenHash, name, owner, role, created_at: createdAt, expires_at: expiresAt }
  await database
    .insertInto('api_keys')
    .values({ ...row, last_used_at: null })
    .execute()
}

export async function removeApiKey(database: FeedbackDatabase, id: string): Promise<void> {
  await database.deleteFrom('api_keys').where('id', '=', id).execute()
}

export async function removeApiKeysOf(database: FeedbackDatabase, owner: string): Promise<void> {
  await database.deleteFrom('api_keys').where('owner', '=', owner).execute()
}

/**
 * Notes that a key is used.
 *
 * @returns the key, with no more rights than its owner has now; undefined where there is none, it has expired, or its owner was
 *   withdrawn
 */
export async function useApiKey(database: FeedbackDatabase, tokenHash: string, now: Date): Promise<ApiKey | undefined> {
  const row = await database
    .selectFrom('api_keys')
    .selectAll()
    .where('token_hash', '=', tokenHash)
    .where('expires_at', '>', now.toISOString())
    .executeTakeFirst()
  if (row === undefined || !(await hasAccepted(database, row.owner))) return undefined
  if (row.last_used_at === null || now.getTime() - Date.parse(row.last_used_at) >= usedStepMs) {
    await database.updateTable('api_keys').set({ last_used_at: now.toISOString() }).where('id', '=', row.id).execute()
  }
  const owner = await findRater(database, row.owner)
  return { ...keyOf(row), role: owner?.role === 'admin' && row.role === 'admin' ? 'admin' : 'rater' }
}

const keyOf = (row: Selectable<FeedbackTables['api_keys']>): ApiKey => ({
  id: row.id,
  name: row.name,
  owner: row.owner,
  role: Role.parse(row.role),
  createdAt: row.created_at,
  expiresAt: row.expires_at,
  lastUsedAt: row.last_used_at,
})
