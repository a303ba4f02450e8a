/** Passwords: a way back in for those who were invited once, beside new links. */
import { isIPv6 } from 'node:net'
import { changePassword, comeInByPassword } from '../../feedback/raters/accounts.ts'
import { findPassword } from '../../feedback/raters/passwords.ts'
import { findSession } from '../../feedback/raters/sessions.ts'
import { Done, NewPassword, PasswordState, PasswordSession, Session } from '../schemas/accounts.ts'
import type { Studio } from '../studio.ts'
import { hashOf } from './access.ts'
import type { Limit } from './attempts.ts'
import { refuse } from './failures.ts'
import { hashPassword, isPassword } from './password-hash.ts'
import { jsonRoute } from './route.ts'
import { deviceOf, needLogin, newSession, sessionTokenOf, signedIn } from './session-cookie.ts'

/** Wrong attempts in a window: from one browser, of one address at one account, at one account, of one address. */
const most = { device: 10, pair: 10, account: 100, address: 50 }
/** After a link a new password can be set without the one that was forgotten, for so long. */
const afterLinkMs = 60 * 60_000

const wrong = (where: string) =>
  refuse(403, 'wrong-password', {
    where,
    expected: 'the name and the password of an account',
    received: 'others',
    remedy: 'try again, or ask an admin for a link',
  })

export const passwordRoutes = [
  jsonRoute({
    method: 'post',
    path: '/api/sessions/password',
    summary: 'Sign in by name and password; the session comes as a cookie.',
    who: 'open',
    body: PasswordSession,
    answer: Session,
    handle: async (call) => {
      needLogin(call)
      const { studio, body, headers, address } = call
      const { name, password } = body
      const { database } = studio.store
      const device = deviceOf(headers, name, studio)
      const succeed = studio.signIns.begin(limitsOf(name, address, device))
      const kept = await findPassword(database, name)
      const isRight = await isPassword(password, kept?.hash)
      const { token, fresh } = newSession()
      const user =
        isRight && kept !== undefined ? await comeInByPassword(database, { name, hash: kept.hash }, fresh) : undefined
      if (user === undefined) throw wrong('sign-in')
      succeed()
      return signedIn(Session.parse({ user }), token, name, studio)
    },
  }),
  jsonRoute({
    method: 'get',
    path: '/api/password',
    summary: 'Whether your account has a password.',
    who: 'rater',
    answer: PasswordState,
    handle: async (call) => {
      needLogin(call)
      const kept = await findPassword(call.studio.store.database, call.rater)
      return { changedAt: kept?.changedAt ?? null, needsCurrent: kept !== undefined && !(await isAfterLink(call)) }
    },
  }),
  jsonRoute({
    method: 'put',
    path: '/api/password',
    summary: 'Set or change your password; all other sessions of your account end.',
    who: 'rater',
    ledFor: 'all',
    inPerson: true,
    isLogged: true,
    body: NewPassword,
    answer: Done,
    state: async ({ studio, rater }) => ({
      changedAt: (await findPassword(studio.store.database, rater))?.changedAt ?? null,
    }),
    handle: async (call) => {
      needLogin(call)
      const { studio, rater, body, address } = call
      const { database } = studio.store
      if (body.password.trim().toLowerCase() === rater.toLowerCase()) {
        throw refuse(400, 'config', {
          where: 'body password',
          expected: 'something else than your name',
          received: 'your name',
          remedy: 'choose another password',
        })
      }
      const kept = await findPassword(database, rater)
      if (kept !== undefined && !(await isAfterLink(call))) {
        const succeed = studio.signIns.begin([[`change of ${rater} at ${networkOf(address)}`, most.pair]])
        if (!(await isPassword(body.current ?? '', kept.hash))) throw wrong('current password')
        succeed()
      }
      const { token, fresh } = newSession()
      await changePassword(database, { name: rater, hash: await hashPassword(body.password) }, fresh)
      return signedIn({ done: true }, token, rater, studio)
    },
  }),
]

/**
 * A browser with which the account has come in before is counted by itself. Any other is counted with its address, at this
 * account and at all: whoever guesses keeps neither those of other addresses waiting nor, from one address, an account.
 */
function limitsOf(name: string, address: string, device: string | undefined): readonly Limit[] {
  if (device !== undefined) return [[`device ${device} of ${name}`, most.device]]
  const network = networkOf(address)
  return [
    [`address ${network}`, most.address],
    [`account ${name} at ${network}`, most.pair],
    [`account ${name}`, most.account],
  ]
}

/** Of IPv6 one line has 2⁶⁴ addresses: the first four of its eight groups. */
function networkOf(address: string): string {
  if (!isIPv6(address) || address.includes('.')) return address
  const [before, after] = address
    .replace(/%.*$/, '')
    .split('::')
    .map((part) => part.split(':').filter(Boolean))
  const zeros = after === undefined ? [] : Array<string>(8 - before.length - after.length).fill('0')
  return [...before, ...zeros, ...(after ?? [])]
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':')
}

/** Who has just come in by a link need not know the password that there was. */
async function isAfterLink({
  studio,
  headers,
}: {
  readonly studio: Pick<Studio, 'store'>
  readonly headers: Headers
}): Promise<boolean> {
  const now = new Date()
  const token = sessionTokenOf(headers)
  const session = token === undefined ? undefined : await findSession(studio.store.database, hashOf(token), now)
  return session?.begunBy === 'link' && now.getTime() - Date.parse(session.createdAt) < afterLinkMs
}
