/** Keys for scripts: made in person, shown once, with no more rights than their maker. */
import { randomUUID } from 'node:crypto'
import { z } from 'zod'
import { addApiKey, readApiKeys, removeApiKey } from '../../feedback/raters/api-keys.ts'
import { ApiKeys, Done, MadeApiKey, NewApiKey } from '../schemas/accounts.ts'
import { hashOf } from './access.ts'
import { notFound, refuse } from './failures.ts'
import { jsonRoute, type Call } from './route.ts'
import { needLogin, newToken } from './session-cookie.ts'

const dayMs = 86_400_000
/** Of one person: whoever needs more has forgotten some. */
const mostKeys = 50

/** One's own; of admins everybody's. */
async function keysOf({ studio, user, rater }: Pick<Call<never, never, never>, 'studio' | 'user' | 'rater'>) {
  const all = await readApiKeys(studio.store.database)
  return user.role === 'admin' ? all : all.filter(({ owner }) => owner === rater)
}

export const keyRoutes = [
  jsonRoute({
    method: 'get',
    path: '/api/keys',
    summary: 'Your keys for scripts; for admins those of everybody.',
    who: 'rater',
    answer: ApiKeys,
    handle: async (call) => {
      needLogin(call)
      return { keys: await keysOf(call) }
    },
  }),
  jsonRoute({
    method: 'post',
    path: '/api/keys',
    summary: 'Make a key for scripts; it is told once.',
    who: 'rater',
    inPerson: true,
    isLogged: true,
    body: NewApiKey,
    answer: MadeApiKey,
    handle: async (call) => {
      needLogin(call)
      const { studio, user, rater, body } = call
      if (body.role === 'admin' && user.role !== 'admin') {
        throw refuse(403, 'forbidden', {
          where: 'body role',
          expected: 'rater',
          received: 'admin, which you are not',
          remedy: 'make a key of a rater',
        })
      }
      const own = (await readApiKeys(studio.store.database)).filter(({ owner }) => owner === rater)
      if (own.length >= mostKeys) {
        throw refuse(409, 'too-many-keys', {
          where: 'keys',
          expected: `at most ${mostKeys}`,
          received: 'one more',
          remedy: 'revoke those that are not needed',
        })
      }
      const token = `attune_${newToken()}`
      const now = Date.now()
      const key = {
        id: randomUUID(),
        name: body.name,
        owner: rater,
        role: body.role,
        createdAt: new Date(now).toISOString(),
        expiresAt: new Date(now + body.days * dayMs).toISOString(),
      }
      await addApiKey(studio.store.database, { ...key, tokenHash: hashOf(token) })
      return { key: { ...key, lastUsedAt: null }, token }
    },
  }),
  jsonRoute({
    method: 'delete',
    path: '/api/keys/:id',
    summary: 'Revoke a key: no script comes in by it any more.',
    who: 'rater',
    inPerson: true,
    isLogged: true,
    params: z.object({ id: z.uuid() }),
    answer: Done,
    state: async (call) => (await keysOf(call)).find(({ id }) => id === call.params.id),
    handle: async (call) => {
      needLogin(call)
      const { studio, params } = call
      if (!(await keysOf(call)).some(({ id }) => id === params.id)) throw notFound('key')
      await removeApiKey(studio.store.database, params.id)
      return { done: true as const }
    },
  }),
]
