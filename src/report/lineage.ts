/** The runs that a run was made from, and what they say of its cost. */
import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { FormatError } from '../errors.ts'
import { configName, manifestName } from '../run-folder.ts'
import { metricsName } from '../run-metrics.ts'
import { readRun, type Manifest } from '../run.ts'
import type { PolicyName } from './policy-name.ts'
import type { Curve } from './schema.ts'

/** A finished run with its resolved configuration. */
export interface PastRun {
  readonly folder: string
  readonly manifest: Manifest
  readonly config: Readonly<Record<string, unknown>>
}

/** @throws {FileError | FormatError} not a finished run */
export function pastRun(folder: string): PastRun {
  const manifest = readRun(folder)
  return {
    folder,
    manifest,
    config: JSON.parse(readFileSync(join(folder, configName), 'utf8')) as PastRun['config'],
  }
}

/** These runs and all that they were made from, each once, in the order in which they began. */
export function runsBehind(folders: readonly string[]): PastRun[] {
  const found = new Map<string, PastRun>()
  const waiting = [...folders]
  for (let folder = waiting.pop(); folder !== undefined; folder = waiting.pop()) {
    if (found.has(resolve(folder)) || !existsSync(join(folder, manifestName))) continue
    const run = pastRun(folder)
    found.set(resolve(folder), run)
    waiting.push(...Object.values(run.manifest.parents))
  }
  return [...found.values()].sort((a, b) => a.manifest.startedAt.localeCompare(b.manifest.startedAt))
}

/** Time in which at least one of the runs was under way, seconds: runs side by side count once, pauses not at all. */
export function coveredSeconds(runs: readonly Pick<Manifest, 'finishedAt' | 'seconds'>[]): number {
  const spans = runs
    .map(({ finishedAt, seconds }) => ({ end: Date.parse(finishedAt), begin: Date.parse(finishedAt) - 1000 * seconds }))
    .sort((a, b) => a.begin - b.begin)
  let covered = 0
  let until = -Infinity
  for (const { begin, end } of spans) {
    covered += Math.max(0, end - Math.max(begin, until))
    until = Math.max(until, end)
  }
  return covered / 1000
}

/**
 * The settings of runs, flat: `policy dpok.klWeight`. Lists are joined; what is absent is left out.
 *
 * @param runs `title` stands before the dot; of equal ones the last run counts
 */
export function flatConfig(
  runs: readonly (Pick<PastRun, 'config'> & { readonly title: string })[],
): Record<string, string | number | boolean | null> {
  const plain = (value: unknown) =>
    value === null || ['string', 'number', 'boolean'].includes(typeof value)
      ? (value as string | number | boolean | null)
      : JSON.stringify(value)
  return Object.fromEntries(
    runs.flatMap(({ title, config }) =>
      Object.entries(config)
        .filter(([field]) => field !== 'stage')
        .map(([field, value]) => [`${title}.${field}`, plain(value)]),
    ),
  )
}

/**
 * Rows of a run's `metrics.jsonl`; none where it wrote none.
 *
 * @throws {FormatError} names file and line of what is no row
 */
export function metricsOf({ folder }: PastRun): Record<string, unknown>[] {
  const file = join(folder, metricsName)
  if (!existsSync(file)) return []
  return readFileSync(file, 'utf8')
    .split('\n')
    .flatMap((line, place) => (line === '' ? [] : [metricsRow(line, `${file}:${place + 1}`)]))
}

function metricsRow(line: string, where: string): Record<string, unknown> {
  const refuse = (received: string, cause?: unknown) =>
    new FormatError({
      where,
      expected: 'the numbers of a step, as JSON',
      received,
      remedy: 'remove the line: curves have a gap there, the run has none',
      cause,
    })
  let row: unknown
  try {
    row = JSON.parse(line)
  } catch (cause) {
    throw refuse((cause as Error).message, cause)
  }
  if (typeof row !== 'object' || row === null || Array.isArray(row)) throw refuse('another value')
  return row as Record<string, unknown>
}

/** The training log as a curve; none where no row tells a reward (reward-weighted training draws no images online). */
export function curveOf(policy: PolicyName, run: PastRun): Curve | undefined {
  const number = (value: unknown) => (typeof value === 'number' && Number.isFinite(value) ? value : undefined)
  const points = metricsOf(run).flatMap((row): Curve['points'] => {
    const [imagesDrawn, reward] = [number(row.images_drawn), number(row.reward_mean)]
    if (imagesDrawn === undefined || reward === undefined) return []
    const [klNats, explainedVariance] = [number(row.kl), number(row.explained_variance)]
    return [
      {
        imagesDrawn,
        reward,
        ...(klNats === undefined ? {} : { klNats }),
        ...(explainedVariance === undefined ? {} : { explainedVariance }),
      },
    ]
  })
  return points.length === 0 ? undefined : { policy, points }
}
