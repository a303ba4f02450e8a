/**
 * Who is calling. On this machine alone there is no login: whoever is here is its admin, and tells a name to be filed
 * under. Elsewhere a session cookie says who it is, and nobody may ask too often.
 */
import { createHash } from 'node:crypto'
import type { Context, MiddlewareHandler } from 'hono'
import { getCookie } from 'hono/cookie'
import { useApiKey } from '../../feedback/raters/api-keys.ts'
import { findRater, type Role } from '../../feedback/raters/raters.ts'
import { findSession, type Session } from '../../feedback/raters/sessions.ts'
import type { FeedbackStore } from '../../feedback/store/store.ts'
import { isLoopback } from '../../loopback.ts'
import type { User } from '../schemas/accounts.ts'
import { RaterName } from '../schemas/basics.ts'
import type { Studio } from '../studio.ts'
import { refuse, tooMany } from './failures.ts'
import type { Route } from './route.ts'

export const sessionCookie = 'attune-session'
/** Calls a minute of one rater, in all sessions together. */
export const mostCallsOfRater = 1200
/** Answers a minute of one rater, which are kept for good: nobody judges that fast, but what waited for a connection comes at once. */
export const mostAnswersOfRater = 1200
/** Calls a minute of one address, which many raters may share. */
const mostCallsOfAddress = 20_000
/** Under which answers are filed where nobody has told a name. */
const namelessRater = 'me'

/** Only hashes of tokens are kept. */
export const hashOf = (token: string) => createHash('sha256').update(token).digest('hex')

/** What reverse proxies add. */
const proxyHeaders = ['forwarded', 'x-forwarded-for', 'x-forwarded-host', 'x-real-ip']

/**
 * Refuses names that lead here by a trick of DNS, whoever comes through a proxy to a studio without login, and callers
 * that ask too often.
 */
export function guardAccess(
  { login, publicUrl }: Pick<Studio, 'login' | 'publicUrl'>,
  calls: Limiter,
): MiddlewareHandler {
  return async (context, next) => {
    if (!login && proxyHeaders.some((name) => context.req.header(name) !== undefined)) {
      throw refuse(403, 'forbidden', {
        where: 'request',
        expected: 'one from this machine',
        received: 'one that a proxy passed on',
        remedy: 'start it with --public-url, which asks for accounts',
      })
    }
    if (!login && !isLoopback(new URL(context.req.url).hostname)) {
      throw refuse(403, 'forbidden', {
        where: 'host',
        expected: '127.0.0.1 or localhost',
        received: 'another name',
        remedy: 'open the address that the server printed, or start it with --host to be reached from elsewhere',
      })
    }
    if (login) calls.count(`address ${addressOf(context, publicUrl)}`, mostCallsOfAddress)
    await next()
  }
}

/** Who calls, and by which of their keys; null: in person. */
export interface Caller {
  readonly user: User
  readonly rater: string
  readonly key: string | null
}

/** @throws {StudioError} no account where one is needed, or one that may not do this */
export async function userOf(
  context: Context,
  { who, inPerson = false }: Pick<Route, 'who' | 'inPerson'>,
  { login, store }: Pick<Studio, 'login' | 'store'>,
): Promise<Caller> {
  if (!login) {
    const name = toldName(context.req.header('x-attune-rater'))
    return { user: { name, role: 'admin' }, rater: name ?? namelessRater, key: null }
  }
  const bearer = bearerOf(context.req.raw.headers)
  const cookie = tokenOf(getCookie(context, sessionCookie))
  const found =
    bearer !== undefined
      ? await keyCaller(store, bearer)
      : cookie === undefined
        ? undefined
        : await sessionOf(store, hashOf(cookie))
  if (found === undefined) {
    if (who === 'open' && bearer === undefined) {
      return { user: { name: null, role: 'rater' }, rater: namelessRater, key: null }
    }
    throw refuse(401, 'sign-in', {
      where: bearer === undefined ? 'session' : 'key',
      expected: 'an account',
      received: bearer !== undefined ? 'a key that is not in force' : cookie === undefined ? 'none' : 'a session that has ended', // prettier-ignore
      remedy: bearer === undefined ? 'open your invitation link, or ask an admin for one' : 'make another key',
    })
  }
  const { role, rater } = found
  const key = 'key' in found ? found.key : null
  const refuseIt = (expected: string, received: string, remedy: string) =>
    refuse(403, 'forbidden', { where: 'account', expected, received, remedy })
  if (who === 'admin' && role !== 'admin') throw refuseIt('an admin', 'a rater', 'ask an admin to do it')
  if (inPerson && key !== null) throw refuseIt('somebody who has signed in', 'a key', 'do it in the pages')
  return { user: { name: rater, role }, rater, key }
}

/** The key of a script: `Authorization: Bearer attune_…`; an empty one where something else is told. */
export function bearerOf(headers: Headers): string | undefined {
  const told = headers.get('authorization')
  if (told === null) return undefined
  return /^bearer\s+(attune_[\w-]{43})$/i.exec(told.trim())?.[1] ?? ''
}

async function keyCaller({ database }: Pick<FeedbackStore, 'database'>, token: string) {
  const key = token === '' ? undefined : await useApiKey(database, hashOf(token), new Date())
  return key && { role: key.role, rater: key.owner, key: key.name }
}

interface KnownSession extends Session {
  readonly role: Role
}

/** Sessions that were looked up, as long as no process has changed one, or a rater. */
const lookedUp = () => new Map<string, KnownSession>()

async function sessionOf(
  store: Pick<FeedbackStore, 'database' | 'kept'>,
  hash: string,
): Promise<KnownSession | undefined> {
  const seen = await store.kept(lookedUp, 'sessions', 'raters')
  const now = new Date()
  const known = seen.get(hash)
  if (known !== undefined && known.expiresAt > now.toISOString()) return known
  const session = await findSession(store.database, hash, now)
  if (session === undefined) return undefined
  const { role } = (await findRater(store.database, session.rater)) ?? { role: 'rater' as const }
  const found = { ...session, role }
  seen.set(hash, found)
  return found
}

/** A cookie that cannot be one of ours is none. */
const tokenOf = (cookie: string | undefined): string | undefined =>
  cookie !== undefined && /^[\w-]{43}$/.test(cookie) ? cookie : undefined

/** A name travels percent-encoded, since headers hold Latin letters only. */
function toldName(header: string | undefined): string | null {
  if (header === undefined || header === '') return null
  let told: string
  try {
    told = decodeURIComponent(header)
  } catch {
    told = ''
  }
  const parsed = RaterName.safeParse(told)
  if (parsed.success) return parsed.data
  throw refuse(400, 'config', {
    where: 'header x-attune-rater',
    expected: 'a name of 1 to 200 characters, percent-encoded',
    received: 'something else',
    remedy: 'choose another name',
  })
}

/** Of the caller: behind the proxy of a public address the one that the proxy tells, which is the last. */
export function addressOf(context: Context, publicUrl: string | null): string {
  const told = publicUrl === null ? undefined : context.req.header('x-forwarded-for')?.split(',').at(-1)?.trim()
  if (told !== undefined && told !== '') return told
  const env = context.env as { incoming?: { socket?: { remoteAddress?: string } } } | undefined
  return env?.incoming?.socket?.remoteAddress ?? 'unknown'
}

/** Of a text that a caller may have made as long as a header can be. */
const longestKey = 300
/** More callers a minute than that: the first of them are forgotten. */
const mostCallers = 10_000

/** Counts calls in the minute that runs. */
export class Limiter {
  #minute = 0
  #counts = new Map<string, number>()

  /** @throws {StudioError} more than `most` in this minute */
  count(caller: string, most: number, times = 1): void {
    const minute = Math.floor(Date.now() / 60_000)
    if (minute !== this.#minute) {
      this.#minute = minute
      this.#counts = new Map()
    }
    const key = caller.length > longestKey ? hashOf(caller) : caller
    const count = (this.#counts.get(key) ?? 0) + times
    this.#counts.set(key, count)
    if (this.#counts.size > mostCallers) this.#counts.delete(this.#counts.keys().next().value!)
    if (count <= most) return
    throw tooMany(
      { where: 'request', expected: `at most ${most} a minute`, received: 'more', remedy: 'wait a minute' },
      60 - ((Date.now() / 1000) % 60),
    )
  }
}
