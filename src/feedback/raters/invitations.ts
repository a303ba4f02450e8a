/** Links by which people join. Only a hash of the token in the link is kept. */
import { z } from 'zod'
import type { FeedbackDatabase } from '../store/database.ts'
import type { Role } from './raters.ts'

export interface Invitation {
  readonly id: string
  /** For whom. */
  readonly name: string
  readonly role: Role
  readonly createdAt: string
  readonly expiresAt: string
  readonly acceptedAt: string | null
}

/** Newest first. */
export async function readInvitations(database: FeedbackDatabase): Promise<Invitation[]> {
  const rows = await database
    .selectFrom('invitations')
    .selectAll()
    .orderBy('created_at', 'desc')
    .orderBy('id')
    .execute()
  return rows.map(invitationOf)
}

export async function addInvitation(
  database: FeedbackDatabase,
  invitation: Omit<Invitation, 'acceptedAt'> & { readonly tokenHash: string },
): Promise<void> {
  const { id, tokenHash, name, role, createdAt, expiresAt } = invitation
  await database
    .insertInto('invitations')
    .values({ id, token_hash: tokenHash, name, role, created_at: createdAt, expires_at: expiresAt, accepted_at: null })
    .execute()
}

/** @returns undefined where there is none; it may have been used or have expired */
export async function findInvitation(
  database: FeedbackDatabase,
  by: { readonly id: string } | { readonly tokenHash: string },
): Promise<Invitation | undefined> {
  const rows = database.selectFrom('invitations').selectAll()
  const found = 'id' in by ? rows.where('id', '=', by.id) : rows.where('token_hash', '=', by.tokenHash)
  const row = await found.executeTakeFirst()
  return row && invitationOf(row)
}

/**
 * Uses an invitation up: of several who try at once one succeeds.
 *
 * @returns undefined where there is none with this token, or it was used or has expired
 */
export async function acceptInvitation(
  database: FeedbackDatabase,
  tokenHash: string,
  now: Date,
): Promise<Invitation | undefined> {
  const row = await database
    .updateTable('invitations')
    .set({ accepted_at: now.toISOString() })
    .where('token_hash', '=', tokenHash)
    .where('accepted_at', 'is', null)
    .where('expires_at', '>', now.toISOString())
    .returningAll()
    .executeTakeFirst()
  return row && invitationOf(row)
}

/** @returns whether there was one */
export async function removeInvitation(database: FeedbackDatabase, id: string): Promise<boolean> {
  const { numDeletedRows } = await database.deleteFrom('invitations').where('id', '=', id).executeTakeFirstOrThrow()
  return numDeletedRows > 0n
}

/** Whether somebody of this name has accepted one, and was not withdrawn since. */
export async function hasAccepted(database: FeedbackDatabase, name: string): Promise<boolean> {
  const row = await database
    .selectFrom('invitations')
    .select('id')
    .where('name', '=', name)
    .where('accepted_at', 'is not', null)
    .executeTakeFirst()
  return row !== undefined
}

/** All links of a name, used or not. */
export async function removeInvitationsOf(database: FeedbackDatabase, name: string): Promise<void> {
  await database.deleteFrom('invitations').where('name', '=', name).execute()
}

const Row = z.object({
  id: z.string(),
  name: z.string(),
  role: z.enum(['admin', 'rater']),
  created_at: z.string(),
  expires_at: z.string(),
  accepted_at: z.string().nullable(),
})

function invitationOf(row: unknown): Invitation {
  const { id, name, role, created_at, expires_at, accepted_at } = Row.parse(row)
  return { id, name, role, createdAt: created_at, expiresAt: expires_at, acceptedAt: accepted_at }
}
