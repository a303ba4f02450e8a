/** Accounts: an admin invites by a link that works once, and a session follows. Where there is no login, nothing of this is. */
import { randomUUID } from 'node:crypto'
import { z } from 'zod'
import { comeIn, withdraw } from '../../feedback/raters/accounts.ts'
import { addInvitation, findInvitation, hasAccepted, readInvitations } from '../../feedback/raters/invitations.ts'
import { changeRole, findRater } from '../../feedback/raters/raters.ts'
import { endSession, endSessionsOf } from '../../feedback/raters/sessions.ts'
import type { FeedbackStore } from '../../feedback/store/store.ts'
import {
  Done,
  InvitationLink,
  Invitations,
  NewInvitation,
  NewSession,
  RoleChange,
  Session,
  type Invitation,
} from '../schemas/accounts.ts'
import { RaterName } from '../schemas/basics.ts'
import { hashOf } from './access.ts'
import { notFound, refuse } from './failures.ts'
import { jsonRoute } from './route.ts'
import { needLogin, newSession, newToken, sessionTokenOf, signedIn, signedOut } from './session-cookie.ts'

const dayMs = 86_400_000

/** @returns the token, which is told once and kept as a hash */
export async function invite(
  { database }: Pick<FeedbackStore, 'database'>,
  { name, role, days }: { name: string; role: Invitation['role']; days: number },
): Promise<{ invitation: Invitation; token: string }> {
  const token = newToken()
  const now = Date.now()
  const invitation: Invitation = {
    id: randomUUID(),
    name,
    role,
    createdAt: new Date(now).toISOString(),
    expiresAt: new Date(now + days * dayMs).toISOString(),
    acceptedAt: null,
  }
  const { acceptedAt: _none, ...fresh } = invitation
  await addInvitation(database, { ...fresh, tokenHash: hashOf(token) })
  return { invitation, token }
}

/** The token comes after the #, so it is in no log of a server or a proxy. */
export const linkOf = (origin: string, token: string) => `${origin}/#/invitation/${token}`

const lastAdmin = () =>
  refuse(409, 'last-admin', {
    where: 'account',
    expected: 'one that is not the last admin',
    received: 'the only admin that is left',
    remedy: 'make somebody else an admin first',
  })

export const accountRoutes = [
  jsonRoute({
    method: 'post',
    path: '/api/sessions',
    summary: 'Accept an invitation; the session comes as a cookie.',
    who: 'open',
    perMinute: 10,
    body: NewSession,
    answer: Session,
    handle: async (call) => {
      needLogin(call)
      const { token, fresh } = newSession()
      const user = await comeIn(call.studio.store.database, hashOf(call.body.token), fresh)
      if (user === undefined) {
        throw refuse(410, 'expired-link', {
          where: 'invitation',
          expected: 'a link that has not expired and was not used',
          received: 'another one',
          remedy: 'ask an admin for a new link',
        })
      }
      return signedIn(Session.parse({ user }), token, user.name, call.studio)
    },
  }),
  jsonRoute({
    method: 'delete',
    path: '/api/sessions',
    summary: 'End the session.',
    who: 'rater',
    answer: Done,
    handle: async (call) => {
      needLogin(call)
      const { database } = call.studio.store
      await endSession(database, hashOf(sessionTokenOf(call.headers) ?? ''))
      return signedOut({ done: true }, call.studio)
    },
  }),
  jsonRoute({
    method: 'get',
    path: '/api/invitations',
    summary: 'Invitations that were sent out.',
    who: 'admin',
    answer: Invitations,
    handle: async (call) => {
      needLogin(call)
      return { invitations: await readInvitations(call.studio.store.database) }
    },
  }),
  jsonRoute({
    method: 'post',
    path: '/api/invitations',
    summary: 'Invite somebody; the link is told once.',
    who: 'admin',
    body: NewInvitation,
    answer: InvitationLink,
    handle: async (call) => {
      needLogin(call)
      const { store, publicUrl } = call.studio
      const { name } = call.body
      const isHere = await hasAccepted(store.database, name)
      if (call.body.signOut) await endSessionsOf(store.database, name)
      // A second link of somebody who is here already never makes an admin of a rater, or the reverse.
      const role = (isHere ? await findRater(store.database, name) : undefined)?.role ?? call.body.role
      const { invitation, token } = await invite(store, { ...call.body, role })
      return { invitation, link: linkOf(publicUrl ?? call.origin, token) }
    },
  }),
  jsonRoute({
    method: 'delete',
    path: '/api/invitations/:id',
    summary: 'Withdraw an invitation; who has accepted it is signed out everywhere, and is nobody any more.',
    who: 'admin',
    params: z.object({ id: z.uuid() }),
    answer: Done,
    state: async ({ studio, params: { id } }) => await findInvitation(studio.store.database, { id }),
    handle: async (call) => {
      needLogin(call)
      const outcome = await withdraw(call.studio.store.database, call.params.id)
      if (outcome === 'unknown') throw notFound('invitation')
      if (outcome === 'last-admin') throw lastAdmin()
      return { done: true as const }
    },
  }),
  jsonRoute({
    method: 'put',
    path: '/api/accounts/:name',
    summary: 'Make a rater an admin, or an admin a rater, in all sessions at once.',
    who: 'admin',
    params: z.object({ name: RaterName }),
    inPerson: true,
    body: RoleChange,
    answer: Invitations,
    state: async ({ studio, params: { name } }) => ({ role: (await findRater(studio.store.database, name))?.role }),
    handle: async (call) => {
      needLogin(call)
      const { database } = call.studio.store
      const { name } = call.params
      if (!(await hasAccepted(database, name))) throw notFound('account')
      if (!(await changeRole(database, name, call.body.role))) throw lastAdmin()
      return { invitations: await readInvitations(database) }
    },
  }),
]
