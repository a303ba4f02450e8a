/** A job as the pages see it: its record, with what its log and its run folder tell. */
import { existsSync } from 'node:fs'
import type { z } from 'zod'
import { toldAlarms } from '../../policy/alarms/alarm-record.ts'
import { readRun, type Manifest } from '../../run.ts'
import { metricsName } from '../../run-metrics.ts'
import { manifestName } from '../../run-folder.ts'
import { isPolicyStage } from '../../stages.ts'
import type { Job, JobDetail, JobProgress } from '../schemas/jobs.ts'
import { runsName, withoutPlaces, type Workspace } from '../workspace.ts'
import { readBytes, whatWorks } from '../workspace-files.ts'
import type { JobLoads } from './job-loads.ts'
import { secondsOf, type JobQueue } from './job-queue.ts'
import { logFile, type JobRecord } from './job-record.ts'
import { lastLines, readProgress, toldLines } from './progress-line.ts'

/** When a label of a job's progress was first seen, and how far it was then. */
interface Sighting {
  readonly label: string
  /** Of the process. */
  readonly startedAt: string | null
  readonly at: number
  readonly done: number
}

export class JobViews {
  readonly #workspace: Workspace
  readonly #queue: JobQueue
  readonly #loads: JobLoads | undefined
  readonly #sightings = new Map<string, Sighting>()
  /** Raised while it was looked at: the rows that told it may lie far back by now. */
  readonly #alarms = new Map<string, string>()

  /** @param loads what jobs take of the machine; nothing is told of it without */
  constructor(workspace: Workspace, queue: JobQueue, loads?: JobLoads) {
    this.#workspace = workspace
    this.#queue = queue
    this.#loads = loads
  }

  brief(job: JobRecord): Job {
    const isRunning = job.state === 'running' || job.state === 'stopping'
    const lines = isRunning ? lastLines(logFile(this.#workspace, job.id)) : []
    const isToCome = job.state === 'waiting' || job.state === 'held'
    const { from, count } = isToCome ? this.#queue.demand(job) : { from: job.on, count: job.on.length }
    const progress = lines.map(readProgress).findLast((one) => one !== undefined) ?? null
    return {
      id: job.id,
      stage: job.stage,
      run: job.run,
      state: job.state,
      ahead: this.#queue.ahead(job),
      follows: this.#queue.follows(job),
      devices: [...from],
      wanted: count,
      queuedAt: job.queuedAt,
      startedAt: job.startedAt,
      finishedAt: job.finishedAt,
      progress,
      etaSeconds: progress === null ? null : this.#secondsLeft(job, progress),
      seconds: secondsOf(job),
      load: (isRunning ? this.#loads?.of(job.id) : undefined) ?? null,
      error: job.error,
      can: {
        stop: ['waiting', 'held', 'running'].includes(job.state),
        resume: this.#queue.canResume(job),
        sample: job.state === 'running' && isPolicyStage(job.stage),
      },
    }
  }

  detail(job: JobRecord): JobDetail {
    const log = toldLines(lastLines(logFile(this.#workspace, job.id)))
    const manifest = this.#manifest(job)
    return {
      ...this.brief(job),
      recentLoad: [...(this.#loads?.recent(job.id) ?? [])],
      log: log.map((line) => withoutPlaces(this.#workspace, line).slice(0, 2000)),
      repeatedPrompts: repeatsIn(job.settings.prompts),
      isCompared: job.purpose === 'comparison',
      settings: job.settings,
      results: manifest === undefined ? {} : plainResults(manifest.results),
      alarm: this.#alarm(job, manifest),
    }
  }

  /** The alarm of a training that is at work; asked for with every look at a page. */
  alarmWhileAtWork(job: JobRecord): string | null {
    if (job.state !== 'running' || !isPolicyStage(job.stage)) return null
    const rows = lastLines(this.#workspace.at(runsName, job.run, metricsName)).map(recordOf)
    const last = rows.findLast((row) => typeof row?.alarm === 'string')
    if (last !== undefined) this.#alarms.set(job.id, alarmText(last))
    return this.#alarms.get(job.id) ?? null
  }

  /** From the pace since this label of this process was first seen: a job that was resumed has rested in between. */
  #secondsLeft({ id, startedAt }: JobRecord, { label, done, total }: JobProgress): number | null {
    const seen = this.#sightings.get(id)
    if (seen?.label !== label || seen.startedAt !== startedAt || done < seen.done) {
      this.#sightings.set(id, { label, startedAt, at: Date.now(), done })
      return null
    }
    return done === seen.done ? null : ((total - done) * (Date.now() - seen.at)) / 1000 / (done - seen.done)
  }

  /** Of a finished run; what cannot be read is told elsewhere. */
  #manifest({ run, state }: JobRecord): Manifest | undefined {
    const folder = this.#workspace.at(runsName, run)
    if (state !== 'done' || !existsSync(folder)) return undefined
    const [manifest] = whatWorks([{ name: run }], () => {
      readBytes(this.#workspace, this.#workspace.at(runsName, run, manifestName))
      return readRun(folder)
    }).made
    return manifest
  }

  /** Of a training that is under way from its metrics, of a finished one from its results. */
  #alarm({ run, stage }: JobRecord, manifest: Manifest | undefined): string | null {
    if (!isPolicyStage(stage)) return null
    if (manifest !== undefined) {
      const told = toldAlarms(manifest.results)
      return told === undefined ? null : `The policy ${told}.`
    }
    const rows = readRows(this.#workspace, this.#workspace.at(runsName, run, metricsName))
    const last = rows.findLast(({ alarm }) => typeof alarm === 'string')
    return last === undefined ? null : alarmText(last)
  }
}

const alarmText = ({ step, alarm }: Readonly<Record<string, unknown>>) => `Step ${String(step)}: ${String(alarm)}.`

/** As `promptsFrom` tells them apart. */
function repeatsIn(prompts: unknown): number {
  return Array.isArray(prompts) ? prompts.length - new Set(prompts.map((text) => String(text).trim())).size : 0
}

type Plain = z.infer<typeof JobDetail>['results'][string]

/** The results that are no lists and no records. */
const plainResults = (results: Readonly<Record<string, unknown>>): Record<string, Plain> =>
  Object.fromEntries(
    Object.entries(results).filter((entry): entry is [string, Plain] =>
      ['number', 'string', 'boolean'].includes(typeof entry[1]),
    ),
  )

/** A file of JSON lines, of which a process that is killed may leave half a one; lines that are no records say nothing. */
export function readRows(workspace: Workspace, file: string): Record<string, unknown>[] {
  if (!existsSync(file)) return []
  const [bytes] = whatWorks([{ name: file }], () => readBytes(workspace, file)).made
  if (bytes === undefined) return []
  const lines = bytes.toString('utf8').split('\n').slice(0, -1)
  return lines.map(recordOf).filter((row) => row !== undefined)
}

function recordOf(line: string): Record<string, unknown> | undefined {
  try {
    const row: unknown = JSON.parse(line)
    return typeof row === 'object' && row !== null && !Array.isArray(row) ? (row as Record<string, unknown>) : undefined
  } catch {
    return undefined
  }
}
