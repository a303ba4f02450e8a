/** Every run of a studio with its settings, its figures and its size: what is finished is measured once. */
import { existsSync, statSync } from 'node:fs'
import { z } from 'zod'
import { factsOf, isPolicyStage, stages, type StageName } from '../stages.ts'
import { configName } from '../run-folder.ts'
import { metricsName } from '../run-metrics.ts'
import { isAlive, lockName, readOwner } from '../run-lock.ts'
import { bytesOf } from './disk.ts'
import type { JobRecord } from './jobs/job-record.ts'
import { secondsOf, type JobQueue } from './jobs/job-queue.ts'
import { hiddenFields, runFields } from './jobs/stage-plans.ts'
import type { RunNotes } from './run-notes.ts'
import type { RunLibrary, StudioRun } from './runs.ts'
import { SettingValue } from './schemas/jobs.ts'
import type { RunRow } from './schemas/run-table.ts'
import type { ReportSummary, RewardSummary } from './schemas/runs.ts'
import { runNameOf, runNames, runsName, type Workspace } from './workspace.ts'
import { readJson, whatWorks } from './workspace-files.ts'

type Figures = RunRow['figures']
const unknown: Figures = { reward: null, alignment: null, klNats: null, frechet: null, auc: null }
const Config = z.record(z.string(), z.unknown())
type Config = z.infer<typeof Config>

/** What a report says of the policies that it measures, by the names of their runs. */
type Measured = ReadonlyMap<string, Figures>

interface RunTableParts {
  readonly workspace: Workspace
  readonly runs: RunLibrary
  readonly notes: RunNotes
  readonly queue: JobQueue
  /** What a report measured. @throws {FormatError} */
  readonly reported: (run: StudioRun) => Pick<ReportSummary, 'policies'>
  /** How good a reward is. @throws {FormatError} */
  readonly rewarded: (run: StudioRun) => Pick<RewardSummary, 'heldOut'>
}

export class RunTable {
  readonly #studio: RunTableParts
  readonly #bytes = new Map<string, Promise<number>>()
  readonly #measured = new Map<string, Measured>()

  constructor(studio: RunTableParts) {
    this.#studio = studio
  }

  /** Newest first, archived ones too. */
  async rows(): Promise<RunRow[]> {
    const { workspace, runs, queue } = this.#studio
    const finished = new Map(runs.all().map((run) => [run.name, run]))
    const jobs = new Map(queue.all().map((job) => [job.run, job]))
    const measured = this.#figuresOfPolicies()
    const names = new Set([...runNames(workspace), ...jobs.keys()])
    for (const name of this.#bytes.keys()) if (!finished.has(name)) this.#bytes.delete(name)
    const rows = await Promise.all(
      [...names].map((name) => this.#row(name, finished.get(name), jobs.get(name), measured)),
    )
    return rows.flatMap((row) => row ?? []).sort((a, b) => b.at.localeCompare(a.at))
  }

  async #row(
    name: string,
    run: StudioRun | undefined,
    job: JobRecord | undefined,
    measured: Measured,
  ): Promise<RunRow | undefined> {
    const { workspace, notes } = this.#studio
    const config = run?.config ?? this.#configOf(name)
    const stage = run?.manifest.stage ?? job?.stage ?? String(config?.stage ?? '')
    // A folder that no stage has begun to write in is none.
    if (stage === '') return undefined
    const folder = workspace.at(runsName, name)
    const begun = statSync(folder, { throwIfNoEntry: false })?.mtime.toISOString()
    const { title, archivedAt } = notes.of(name)
    return {
      name,
      title,
      stage,
      kind: factsOf(stage)?.kind ?? 'other',
      state: job?.state ?? (run !== undefined ? 'done' : this.#stateOf(name)),
      job: job?.id ?? null,
      at: run?.manifest.finishedAt ?? job?.finishedAt ?? job?.queuedAt ?? begun ?? new Date(0).toISOString(),
      seconds: job !== undefined ? secondsOf(job) : (run?.manifest.seconds ?? 0),
      bytes: await this.#bytesOf(name, run !== undefined),
      archived: archivedAt !== null,
      settings: job?.settings ?? settingsOf(config ?? {}),
      figures: run === undefined ? unknown : (measured.get(name) ?? this.#figuresOf(run)),
      measured: existsSync(workspace.at(runsName, name, metricsName)),
      canRerun: Object.hasOwn(stages, stage) && stages[stage as StageName].form !== null,
    }
  }

  /** The settings with which a run was started, as the pages know them; undefined where there is no such run. */
  settings(name: string): Record<string, SettingValue> | undefined {
    const { queue } = this.#studio
    const job = queue.all().findLast(({ run }) => run === name)
    if (job !== undefined) return job.settings
    const config = this.#configOf(name)
    return config && settingsOf(config)
  }

  /** Its command; undefined where there is no such run. */
  stageOf(name: string): string | undefined {
    const config = this.#configOf(name)
    return this.#studio.queue.all().findLast(({ run }) => run === name)?.stage ?? (config && String(config.stage ?? ''))
  }

  /** Of a finished one its folder is read once. */
  #bytesOf(name: string, isFinished: boolean): Promise<number> {
    const folder = this.#studio.workspace.at(runsName, name)
    if (!isFinished) return bytesOf(folder)
    let bytes = this.#bytes.get(name)
    if (bytes === undefined) {
      bytes = bytesOf(folder)
      this.#bytes.set(name, bytes)
    }
    return bytes
  }

  /** Of a run that no job made: the command line may be at work on it. */
  #stateOf(name: string): RunRow['state'] {
    const writer = readOwner(this.#studio.workspace.at(runsName, name, lockName))
    return writer !== undefined && isAlive(writer) ? 'running' : 'stopped'
  }

  #configOf(name: string): Config | undefined {
    const { workspace } = this.#studio
    const file = workspace.at(runsName, name, configName)
    return existsSync(file) ? whatWorks([{ name }], () => readJson(workspace, file, Config)).made[0] : undefined
  }

  #figuresOf(run: StudioRun): Figures {
    const { stage, results } = run.manifest
    const number = (value: unknown) => (typeof value === 'number' ? value : null)
    if (isPolicyStage(stage)) {
      return { ...unknown, reward: number(results.rewardMean ?? results.reward_mean), klNats: number(results.kl) }
    }
    if (stage !== 'reward train') return unknown
    const [summary] = whatWorks([run], this.#studio.rewarded).made
    return { ...unknown, auc: summary?.heldOut?.auc ?? null }
  }

  /** By the newest report of each policy. */
  #figuresOfPolicies(): Measured {
    const all = new Map<string, Figures>()
    for (const report of this.#studio.runs.ofKind('report')) {
      let measured = this.#measured.get(report.name)
      if (measured === undefined) {
        measured =
          whatWorks([report], (run) => measuredIn(run, this.#studio.reported(run))).made[0] ??
          new Map<string, Figures>()
        this.#measured.set(report.name, measured)
      }
      for (const [policy, figures] of measured) all.set(policy, figures)
    }
    return all
  }
}

function measuredIn(report: StudioRun, { policies }: Pick<ReportSummary, 'policies'>): Measured {
  const { policies: named } = report.config
  const runs = new Map(
    (Array.isArray(named) ? named.map(String) : []).map((entry): [string, string] => {
      const cut = entry.indexOf('=')
      return [entry.slice(0, Math.max(0, cut)), runNameOf(entry.slice(cut + 1))]
    }),
  )
  return new Map(
    policies.map(({ name, unseen, frechet, klNats, reward }) => [
      runs.get(name) ?? name,
      { reward, alignment: unseen.mean, klNats, frechet: frechet.mean, auc: null },
    ]),
  )
}

/** From the config of a stage; what the studio sets itself is left out. */
function settingsOf(config: Config): Record<string, SettingValue> {
  return Object.fromEntries(
    Object.entries(config).flatMap(([field, value]): [string, SettingValue][] => {
      if (hiddenFields.has(field) || field === 'stage' || field === 'prompts') return []
      const parsed = SettingValue.safeParse(field in runFields ? namesOf(value) : value)
      return parsed.success ? [[field, parsed.data]] : []
    }),
  )
}

/** `runs/dpok-1` and `mine=runs/dpok-1` are `dpok-1`. */
function namesOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(namesOf)
  return typeof value === 'string' ? runNameOf(value.replace(/^[a-z0-9-]+=/, '')) : value
}
