/** The log of what admins did, written for every changing route in one place: also of what was refused. */
import { StudioError, AttuneError } from '../../errors.ts'
import { addAdminAct } from '../../feedback/raters/admin-log.ts'
import type { Studio } from '../studio.ts'
import type { Caller } from './access.ts'
import type { Call, Route } from './route.ts'

export const isLogged = ({ method, who, isLogged: is = false }: Route): boolean =>
  method !== 'get' && (who === 'admin' || is)

/** An act on its way into the log; what is not known yet stays null. */
export class Act {
  asked: unknown = null
  before: unknown = null
  after: unknown = null
}

/**
 * Does something, and writes down that it was done, or what it was refused for.
 *
 * @param work fills in what was asked for, and how it was before and after
 */
export async function inLog<T>(
  { studio, route, address, caller }: { studio: Studio; route: Route; address: string; caller: Caller },
  work: (act: Act) => Promise<T>,
): Promise<T> {
  const act = new Act()
  if (!isLogged(route)) return await work(act)
  const at = new Date().toISOString()
  let outcome = 'internal'
  try {
    const answer = await work(act)
    outcome = 'done'
    return answer
  } catch (error) {
    if (error instanceof AttuneError) outcome = error.code
    throw error
  } finally {
    const { user, rater, key } = caller
    const entry = {
      at,
      who: user.name ?? rater,
      key,
      what: route.summary,
      address: `${route.method} ${address}`,
      outcome,
    }
    await addAdminAct(studio.store.database, {
      ...entry,
      asked: withoutSecrets(act.asked),
      before: withoutSecrets(act.before),
      after: withoutSecrets(act.after),
    })
  }
}

/** How it is what a route changes; null of what is not there. */
export async function stateOf(route: Route, call: Call<never, never, never>): Promise<unknown> {
  try {
    return (await route.state?.(call)) ?? null
  } catch (error) {
    if (error instanceof StudioError) return null
    throw error
  }
}

/** Of an answer what names it: `{ id, run, state }`, or one thing inside it, `{ invitation: { name, role } }`. */
export function namesIn(answer: unknown): unknown {
  if (answer instanceof Response || !isRecord(answer)) return null
  const plain = Object.entries(answer).filter(
    ([, value]) => isPlain(value) || (isRecord(value) && Object.values(value).every(isPlain)),
  )
  return plain.length === 0 ? null : Object.fromEntries(plain)
}

const isPlain = (value: unknown) => typeof value !== 'object' || value === null
const isRecord = (value: unknown): value is object => !isPlain(value) && !Array.isArray(value)

/** Fields whose values are told nowhere again. */
const secret = /password|secret|token|^link$|^current$|^key$/i

function withoutSecrets(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutSecrets)
  if (typeof value !== 'object' || value === null) return value
  if (value instanceof Map) return withoutSecrets(Object.fromEntries(value as Map<string, unknown>))
  return Object.fromEntries(
    Object.entries(value).map(([name, one]) => [
      name,
      secret.test(name) && typeof one === 'string' ? '…' : withoutSecrets(one),
    ]),
  )
}
