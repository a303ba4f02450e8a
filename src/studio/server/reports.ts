/** Reports: their figures, and their page, which runs in a sandbox. */
import { z } from 'zod'
import { Report } from '../../report/schema.ts'
import { reportFiguresName, reportPageName } from '../../run-files.ts'
import { RunName } from '../schemas/basics.ts'
import { Reports, ReportSummary } from '../schemas/runs.ts'
import type { StudioRun } from '../runs.ts'
import type { Studio } from '../studio.ts'
import { runNameOf, runPath, runsName } from '../workspace.ts'
import { readBytes, readJson, shaped, whatWorks } from '../workspace-files.ts'
import { fileRoute, jsonRoute } from './route.ts'
import { standingPage } from './security.ts'

/** @throws {FormatError} its figures cannot be read */
export function reportSummary({ workspace }: Pick<Studio, 'workspace'>, { name, manifest }: StudioRun): ReportSummary {
  const file = workspace.at(runsName, name, reportFiguresName)
  const { policies } = readJson(workspace, file, Report)
  const summary: ReportSummary = {
    name,
    at: manifest.finishedAt,
    url: `/reports/${name}`,
    policies: policies.map((policy) => ({
      name: policy.name,
      run: runOf(manifest, policy.name),
      seen: policy.seen.alignment,
      unseen: policy.unseen.alignment,
      frechet: { mean: policy.fidelity.frechet, low: policy.fidelity.low, high: policy.fidelity.high },
      klNats: policy.klNats.of === 'none' ? null : policy.klNats.mean,
      reward: policy.meanReward.mean,
    })),
  }
  return shaped(ReportSummary, summary, runPath(name))
}

/** The run behind a name of the report. */
function runOf({ parents }: StudioRun['manifest'], name: string): string | null {
  const place = parents[`policy ${name}`]
  const { data } = RunName.safeParse(place === undefined ? undefined : runNameOf(place))
  return data ?? null
}

export const reportRoutes = [
  jsonRoute({
    method: 'get',
    path: '/api/reports',
    summary: 'All reports, the newest first.',
    who: 'admin',
    answer: Reports,
    handle: ({ studio }) => ({
      reports: whatWorks(studio.runs.ofKind('report'), (run) => reportSummary(studio, run)).made.reverse(),
    }),
  }),
  fileRoute({
    method: 'get',
    path: '/reports/:name',
    summary: 'The page of a report.',
    who: 'admin',
    params: z.object({ name: RunName }),
    answer: 'text/html',
    handle: ({ studio, params }) => standingPage(reportFile(studio, params.name)),
  }),
]

/** @throws {StudioError} there is no such report */
export function reportFile({ runs, workspace }: Pick<Studio, 'runs' | 'workspace'>, given: string): Uint8Array {
  const { name } = runs.get('report', given)
  return readBytes(workspace, workspace.at(runsName, name, reportPageName))
}
