/** All runs: titles, archiving, deleting, and what they measured. */
import { z } from 'zod'
import { metricRows, thinned } from '../jobs/metric-rows.ts'
import { deleteRun, deletionOf } from '../run-deletion.ts'
import { RunName } from '../schemas/basics.ts'
import { DeletedRun, DeleteRun, RunChange, RunDeletion, RunMetrics, RunRow, RunRows } from '../schemas/run-table.ts'
import type { Studio } from '../studio.ts'
import { notFound } from './failures.ts'
import { jsonRoute } from './route.ts'

const ByName = z.object({ name: RunName })

async function rowOf({ table }: Studio, name: string): Promise<RunRow> {
  const row = (await table.rows()).find((one) => one.name === name)
  if (row === undefined) throw notFound('run')
  return row
}

export const runTableRoutes = [
  jsonRoute({
    method: 'get',
    path: '/api/runs',
    summary: 'All runs with their settings, figures and sizes, the newest first.',
    who: 'admin',
    answer: RunRows,
    handle: async ({ studio }) => ({ runs: await studio.table.rows() }),
  }),
  jsonRoute({
    method: 'put',
    path: '/api/runs/:name',
    summary: 'Give a run a title, archive it, or take it back.',
    who: 'admin',
    params: ByName,
    body: RunChange,
    answer: RunRow,
    handle: async ({ studio, params: { name }, body: { title, archived } }) => {
      await rowOf(studio, name)
      studio.notes.change(name, {
        ...(title !== undefined && { title }),
        ...(archived !== undefined && { archivedAt: archived ? new Date().toISOString() : null }),
      })
      return await rowOf(studio, name)
    },
  }),
  jsonRoute({
    method: 'get',
    path: '/api/runs/:name/deletion',
    summary: 'What deleting a run frees, what stands in its way, and what would be left without it.',
    who: 'admin',
    params: ByName,
    answer: RunDeletion,
    handle: ({ studio, params: { name } }) => deletionOf(studio, name),
  }),
  jsonRoute({
    method: 'post',
    path: '/api/runs/:name/delete',
    summary: 'Delete a run; where others were made from it, only with the names of all of them.',
    who: 'admin',
    params: ByName,
    body: DeleteRun,
    bodyLimit: 1_000_000,
    answer: DeletedRun,
    handle: ({ studio, params: { name }, body: { children } }) =>
      studio.queue.inTurn(async () => ({ name, bytes: await deleteRun(studio, name, children) })),
  }),
  jsonRoute({
    method: 'get',
    path: '/api/runs/:name/metrics',
    summary: 'What a run has measured, step by step.',
    who: 'admin',
    params: ByName,
    answer: RunMetrics,
    handle: ({ studio, params: { name } }) => {
      if (studio.table.stageOf(name) === undefined) throw notFound('run')
      return { rows: thinned(metricRows(studio.workspace, name)) }
    },
  }),
]
