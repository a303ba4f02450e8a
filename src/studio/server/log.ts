/** What admins did, to read and to take away. */
import { readAdminActs } from '../../feedback/raters/admin-log.ts'
import { AdminActs, AdminActsQuery } from '../schemas/accounts.ts'
import type { Studio } from '../studio.ts'
import { fileRoute, jsonRoute } from './route.ts'

const perRead = 500

export const logRoutes = [
  jsonRoute({
    method: 'get',
    path: '/api/log',
    summary: 'What admins did: who, when, what, before and after.',
    who: 'admin',
    query: AdminActsQuery,
    answer: AdminActs,
    handle: async ({ studio, query: { below, count } }) => {
      const acts = await readAdminActs(studio.store.database, { below, count })
      return { acts, next: acts.length < count ? null : acts.at(-1)!.sequence }
    },
  }),
  fileRoute({
    method: 'get',
    path: '/api/log/export',
    summary: 'All of it as JSON lines, the newest first.',
    who: 'admin',
    answer: 'application/jsonl',
    handle: ({ studio }) =>
      new Response(ReadableStream.from(lines(studio)), {
        headers: {
          'content-type': 'application/jsonl; charset=utf-8',
          'content-disposition': 'attachment; filename="attune-log.jsonl"',
        },
      }),
  }),
]

async function* lines({ store }: Studio): AsyncGenerator<Uint8Array> {
  const encoder = new TextEncoder()
  for (let below: number | undefined; ;) {
    const acts = await readAdminActs(store.database, { below, count: perRead })
    if (acts.length > 0) yield encoder.encode(acts.map((act) => `${JSON.stringify(act)}\n`).join(''))
    if (acts.length < perRead) return
    below = acts.at(-1)!.sequence
  }
}
