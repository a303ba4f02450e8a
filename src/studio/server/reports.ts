/** Reports: their figures, and their page, which runs in a sandbox. */
import { readFileSync } from 'node:fs'
import { z } from 'zod'
import { Report } from '../../report/schema.ts'
import { RunName } from '../schemas/basics.ts'
import { Reports, type ReportSummary } from '../schemas/runs.ts'
import type { StudioRun } from '../runs.ts'
import type { Studio } from '../studio.ts'
import { runsName } from '../workspace.ts'
import { fileRoute, jsonRoute } from './route.ts'
import { reportPolicy } from './security.ts'

export function reportSummary({ workspace }: Pick<Studio, 'workspace'>, { name, manifest }: StudioRun): ReportSummary {
  const { policies } = Report.parse(JSON.parse(readFileSync(workspace.at(runsName, name, 'report.json'), 'utf8')))
  return {
    name,
    at: manifest.finishedAt,
    url: `/reports/${name}`,
    policies: policies.map((policy) => ({
      name: policy.name,
      seen: policy.seen.alignment,
      unseen: policy.unseen.alignment,
      frechet: { mean: policy.fidelity.frechet, low: policy.fidelity.low, high: policy.fidelity.high },
      klNats: policy.klNats.mean,
      reward: policy.meanReward.mean,
    })),
  }
}

export const reportRoutes = [
  jsonRoute({
    method: 'get',
    path: '/api/reports',
    summary: 'All reports, the newest first.',
    who: 'admin',
    answer: Reports,
    handle: ({ studio }) => ({
      reports: studio.runs
        .ofKind('report')
        .map((run) => reportSummary(studio, run))
        .reverse(),
    }),
  }),
  fileRoute({
    method: 'get',
    path: '/reports/:name',
    summary: 'The page of a report.',
    who: 'admin',
    params: z.object({ name: RunName }),
    answer: 'text/html',
    handle: ({ studio, params }) => {
      const { name } = studio.runs.get('report', params.name)
      return new Response(readFileSync(studio.workspace.at(runsName, name, 'report.html'), 'utf8'), {
        headers: { 'content-type': 'text/html; charset=utf-8', 'content-security-policy': reportPolicy },
      })
    },
  }),
]
