/**
 * Coming in and being withdrawn: what belongs together is one transaction, so that nobody who was withdrawn comes in by a
 * link at the same moment, and some admin always stays.
 */
import type { FeedbackDatabase } from '../store/database.ts'
import {
  acceptInvitation,
  findInvitation,
  hasAccepted,
  removeInvitation,
  removeInvitationsOf,
  type Invitation,
} from './invitations.ts'
import { removeApiKeysOf } from './api-keys.ts'
import { findPassword, removePassword, savePassword } from './passwords.ts'
import { changeRoleIn, findRater, saveRater, type Rater } from './raters.ts'
import { addSession, endSessionsOf, type Session } from './sessions.ts'

/** A session that is about to begin. */
export type FreshSession = Omit<Session, 'rater' | 'begunBy'> & { readonly tokenHash: string }

/**
 * Uses an invitation up, and begins a session. A second link, for another device, changes nothing of who somebody is.
 *
 * @returns who has come in; undefined where the invitation is none, was used or has expired
 */
export async function comeIn(
  database: FeedbackDatabase,
  invitationHash: string,
  { tokenHash, createdAt, expiresAt }: FreshSession,
): Promise<Pick<Rater, 'name' | 'role'> | undefined> {
  return await database.transaction().execute(async (transaction) => {
    const invited = await findInvitation(transaction, { tokenHash: invitationHash })
    const wasHere = invited !== undefined && (await hasAccepted(transaction, invited.name))
    const accepted = await acceptInvitation(transaction, invitationHash, new Date(createdAt))
    if (accepted === undefined) return undefined
    const { name } = accepted
    const role = (wasHere ? await findRater(transaction, name) : undefined)?.role ?? accepted.role
    await saveRater(transaction, { name, role })
    await addSession(transaction, { tokenHash, rater: name, createdAt, expiresAt, begunBy: 'link' })
    return { name, role }
  })
}

/**
 * Begins a session by a password that was found right.
 *
 * @param hash of the password as it was kept when it was compared
 * @returns who has come in; undefined where the password was changed or the account withdrawn meanwhile
 */
export async function comeInByPassword(
  database: FeedbackDatabase,
  { name, hash }: { readonly name: string; readonly hash: string },
  fresh: FreshSession,
): Promise<Pick<Rater, 'name' | 'role'> | undefined> {
  return await database.transaction().execute(async (transaction) => {
    if ((await findPassword(transaction, name))?.hash !== hash) return undefined
    const rater = await findRater(transaction, name)
    if (rater === undefined || !(await hasAccepted(transaction, name))) return undefined
    await addSession(transaction, { ...fresh, rater: name, begunBy: 'password' })
    return { name, role: rater.role }
  })
}

/** Sets or changes a password: every session of its account ends, and one begins, where it was changed. */
export async function changePassword(
  database: FeedbackDatabase,
  { name, hash }: { readonly name: string; readonly hash: string },
  fresh: FreshSession,
): Promise<void> {
  await database.transaction().execute(async (transaction) => {
    await savePassword(transaction, { name, hash, changedAt: fresh.createdAt })
    await endSessionsOf(transaction, name)
    await addSession(transaction, { ...fresh, rater: name, begunBy: 'password' })
  })
}

/**
 * Withdraws an invitation; of one that was accepted also the role, the other links, the password, the keys and all
 * sessions of its rater.
 *
 * @returns `last-admin` where no admin would be left: nothing is changed
 */
export async function withdraw(
  database: FeedbackDatabase,
  id: Invitation['id'],
): Promise<'withdrawn' | 'unknown' | 'last-admin'> {
  return await database.transaction().execute(async (transaction) => {
    const invitation = await findInvitation(transaction, { id })
    if (invitation === undefined) return 'unknown'
    const { name, acceptedAt } = invitation
    if (acceptedAt === null) {
      await removeInvitation(transaction, id)
      return 'withdrawn'
    }
    if (!(await changeRoleIn(transaction, name, 'rater'))) return 'last-admin'
    await removeInvitationsOf(transaction, name)
    await removePassword(transaction, name)
    await removeApiKeysOf(transaction, name)
    await endSessionsOf(transaction, name)
    return 'withdrawn'
  })
}
