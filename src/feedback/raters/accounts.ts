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
import { changeRoleIn, findRater, saveRater, type Rater } from './raters.ts'
import { addSession, endSessionsOf, type Session } from './sessions.ts'

/**
 * Uses an invitation up, and begins a session. A second link, for another device, changes nothing of who somebody is.
 *
 * @returns who has come in; undefined where the invitation is none, was used or has expired
 */
export async function comeIn(
  database: FeedbackDatabase,
  invitationHash: string,
  { tokenHash, createdAt, expiresAt }: Omit<Session, 'rater'> & { readonly tokenHash: string },
): Promise<Pick<Rater, 'name' | 'role'> | undefined> {
  return await database.transaction().execute(async (transaction) => {
    const invited = await findInvitation(transaction, { tokenHash: invitationHash })
    const wasHere = invited !== undefined && (await hasAccepted(transaction, invited.name))
    const accepted = await acceptInvitation(transaction, invitationHash, new Date(createdAt))
    if (accepted === undefined) return undefined
    const { name } = accepted
    const role = (wasHere ? await findRater(transaction, name) : undefined)?.role ?? accepted.role
    await saveRater(transaction, { name, role })
    await addSession(transaction, { tokenHash, rater: name, createdAt, expiresAt })
    return { name, role }
  })
}

/**
 * Withdraws an invitation; of one that was accepted also the role, the other links and all sessions of its rater.
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
    await endSessionsOf(transaction, name)
    return 'withdrawn'
  })
}
