/** Who judges, how fast, and how far they agree. */
import { z } from 'zod'
import { readGold } from '../../feedback/queue/gold.ts'
import { excludeRater, findRater, readRaters } from '../../feedback/raters/raters.ts'
import { RaterName } from '../schemas/basics.ts'
import { Agreement, RaterChange, Raters } from '../schemas/raters.ts'
import type { Studio } from '../studio.ts'
import { notFound } from './failures.ts'
import { jsonRoute } from './route.ts'

async function ratersOf({ store, agreement }: Pick<Studio, 'store' | 'agreement'>): Promise<Raters> {
  const [judgments, gold, known] = await Promise.all([
    store.judgments(),
    readGold(store.database),
    readRaters(store.database),
  ])
  const excluded = new Set(known.filter((rater) => rater.excluded).map(({ name }) => name))
  return {
    raters: agreement.raters(judgments, gold).map((summary) => ({ ...summary, excluded: excluded.has(summary.name) })),
  }
}

export const raterRoutes = [
  jsonRoute({
    method: 'get',
    path: '/api/raters',
    summary: 'All who have judged.',
    who: 'admin',
    answer: Raters,
    handle: ({ studio }) => ratersOf(studio),
  }),
  jsonRoute({
    method: 'put',
    path: '/api/raters/:name',
    summary: 'Leave a rater out of training, or take one in again; nothing is deleted.',
    who: 'admin',
    params: z.object({ name: RaterName }),
    body: RaterChange,
    answer: Raters,
    state: async ({ studio, params: { name } }) => ({
      excluded: (await findRater(studio.store.database, name))?.excluded ?? false,
    }),
    handle: async ({ studio, params: { name }, body: { excluded } }) => {
      const { raters } = await ratersOf(studio)
      if (!raters.some((rater) => rater.name === name)) throw notFound('rater')
      await excludeRater(studio.store.database, name, excluded)
      return await ratersOf(studio)
    },
  }),
  jsonRoute({
    method: 'get',
    path: '/api/agreement',
    summary: 'How far raters agree, by the way of asking.',
    who: 'admin',
    answer: Agreement,
    handle: async ({ studio }) => ({ kinds: [...studio.agreement.byKind(await studio.store.judgments())] }),
  }),
]
