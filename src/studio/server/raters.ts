/** Who judges, how fast, and how far they agree. */
import { z } from 'zod'
import { looksOf } from '../../feedback/agreement/flags.ts'
import { raterDays } from '../../feedback/agreement/rater-days.ts'
import { readGold } from '../../feedback/queue/gold.ts'
import { excludeRater, findRater, readRaters } from '../../feedback/raters/raters.ts'
import { readDecisions } from '../../feedback/raters/decisions.ts'
import { RaterName } from '../schemas/basics.ts'
import { Agreement, RaterChange, RaterHistory, RaterHistoryQuery, Raters } from '../schemas/raters.ts'
import type { Studio } from '../studio.ts'
import { imagesOf, toldAnswer } from './flags.ts'
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

/** A year. */
const mostDays = 366

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
    path: '/api/raters/:name/history',
    summary: 'What one rater has answered, and how fast, how careful and how far in agreement day by day.',
    who: 'admin',
    params: z.object({ name: RaterName }),
    query: RaterHistoryQuery,
    answer: RaterHistory,
    handle: async ({ studio, params: { name }, query: { offset, count } }) => {
      const { store, flags } = studio
      const [rows, standing, gold, decisions] = await Promise.all([
        store.allRows(),
        store.judgments(),
        readGold(store.database),
        readDecisions(store.database),
      ])
      const own = flags.rowsOf(rows, name)
      if (own.length === 0) throw notFound('rater')
      const looks = looksOf(own)
      const given = own.filter(({ undoes }) => undoes === undefined).toReversed()
      const inForce = new Set(standing.filter(({ rater }) => rater === name).map(({ id }) => id))
      const shown = given.slice(offset, offset + count).map(async (judgment) => ({
        ...(await imagesOf(studio, [judgment])),
        answer: toldAnswer(judgment, looks, decisions),
        isOver: !inForce.has(judgment.id),
      }))
      return {
        name,
        days: raterDays(name, standing, { gold, looks }).slice(0, mostDays),
        answers: await Promise.all(shown),
        total: given.length,
      }
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
