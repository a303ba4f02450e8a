/** The cookies of a browser that has signed in: of its session, and of the browser itself, which may try passwords again. */
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import { parse, serialize } from 'hono/utils/cookie'
import type { FreshSession } from '../../feedback/raters/accounts.ts'
import type { Studio } from '../studio.ts'
import { hashOf, sessionCookie } from './access.ts'
import { refuse } from './failures.ts'

const sessionDays = 30
const deviceDays = 400
const daySeconds = 86_400
const deviceCookie = 'attune-device'

export const newToken = () => randomBytes(32).toString('base64url')

/** A session that begins now: its token, which is told once, and what is kept. */
export function newSession(): { token: string; fresh: FreshSession } {
  const token = newToken()
  const now = Date.now()
  const expiresAt = new Date(now + sessionDays * daySeconds * 1000).toISOString()
  return { token, fresh: { tokenHash: hashOf(token), createdAt: new Date(now).toISOString(), expiresAt } }
}

/** @throws {StudioError} this studio has no accounts */
export function needLogin({ studio }: { readonly studio: Pick<Studio, 'login'> }): void {
  if (studio.login) return
  throw refuse(409, 'no-accounts', {
    where: 'accounts',
    expected: 'a studio that asks for accounts',
    received: 'one for this machine only',
    remedy: 'start it with --host 0.0.0.0',
  })
}

export const sessionTokenOf = (headers: Headers): string | undefined => cookieOf(headers, sessionCookie)

const cookieOf = (headers: Headers, name: string) => parse(headers.get('cookie') ?? '', name)[name]

/** The answer to a browser in which somebody has come in. */
export function signedIn(content: object, token: string, name: string, studio: Cookies): Response {
  const nonce = randomBytes(16).toString('base64url')
  return withCookies(content, studio, [
    [sessionCookie, token, sessionDays * daySeconds],
    [deviceCookie, `${nonce}.${proofOf(studio, name, nonce)}`, deviceDays * daySeconds],
  ])
}

export const signedOut = (content: object, studio: Cookies): Response =>
  withCookies(content, studio, [[sessionCookie, '', 0]])

/** Which browser this is, where this account has come in with it before; whoever guesses elsewhere does not keep it waiting. */
export function deviceOf(headers: Headers, name: string, studio: Cookies): string | undefined {
  const [, nonce, proof] = /^([\w-]{22})\.([\w-]{43})$/.exec(cookieOf(headers, deviceCookie) ?? '') ?? []
  if (nonce === undefined) return undefined
  const isOurs = timingSafeEqual(Buffer.from(proof), Buffer.from(proofOf(studio, name, nonce)))
  return isOurs ? nonce : undefined
}

type Cookies = Pick<Studio, 'publicUrl' | 'secret'>

const proofOf = ({ secret }: Cookies, name: string, nonce: string) =>
  createHmac('sha256', secret)
    .update(JSON.stringify(['device', nonce, name]))
    .digest('base64url')

function withCookies(
  content: object,
  { publicUrl }: Cookies,
  cookies: readonly (readonly [name: string, value: string, maxAge: number])[],
): Response {
  const answer = Response.json(content)
  for (const [name, value, maxAge] of cookies) {
    const secure = publicUrl?.startsWith('https:') ?? false
    const cookie = serialize(name, value, { httpOnly: true, sameSite: 'Strict', path: '/', maxAge, secure })
    answer.headers.append('set-cookie', cookie)
  }
  return answer
}
