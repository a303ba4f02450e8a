/** What a run has measured, step by step, as numbers: for curves. */
import { statSync } from 'node:fs'
import { configName } from '../../run-folder.ts'
import { metricsName } from '../../run-metrics.ts'
import { runsName, type Workspace } from '../workspace.ts'
import { readRows } from './job-view.ts'

export type MetricRow = { readonly step: number } & Readonly<Record<string, number>>

/** Rows beyond this many are thinned: a curve on a screen shows no more. */
const mostRows = 500

/** The rows of a run in their order, with `seconds` since it began where they tell their time; none where nothing was measured. */
export function metricRows(workspace: Workspace, run: string): MetricRow[] {
  const rows = readRows(workspace, workspace.at(runsName, run, metricsName))
  const began = statSync(workspace.at(runsName, run, configName), { throwIfNoEntry: false })?.mtimeMs
  return rows.flatMap((row): MetricRow[] => {
    const { step, at } = row
    if (!Number.isInteger(step) || Number(step) < 0) return []
    const numbers = Object.fromEntries(
      Object.entries(row).filter((entry): entry is [string, number] => typeof entry[1] === 'number'),
    )
    const passed = typeof at === 'string' && began !== undefined ? (Date.parse(at) - began) / 1000 : NaN
    return [{ ...numbers, step: Number(step), ...(Number.isFinite(passed) && { seconds: Math.max(0, passed) }) }]
  })
}

/** At most 500 of them, evenly, the last one among them. */
export function thinned(rows: readonly MetricRow[]): MetricRow[] {
  const every = Math.max(1, rows.length / mostRows)
  const kept = rows.filter((_, i) => i === rows.length - 1 || Math.floor((i + 1) / every) > Math.floor(i / every))
  return kept.slice(-mostRows)
}
