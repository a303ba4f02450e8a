/** What the studio remembers of a job, in `jobs/<id>/job.json`; what a run folder tells is not repeated. */
import { existsSync, mkdirSync, readdirSync } from 'node:fs'
import { z } from 'zod'
import { writeFileAtomic, writing } from '../../files.ts'
import { RunName } from '../schemas/basics.ts'
import { FormStage, JobState, SettingValue } from '../schemas/jobs.ts'
import type { Workspace } from '../workspace.ts'
import { readJson, whatWorks, type Broken } from '../workspace-files.ts'

const Record = z.object({
  id: z.string().regex(/^job-\d{1,9}$/),
  stage: FormStage,
  run: RunName,
  /** Images of a round are asked about; those of a comparison are only voted on. */
  purpose: z.enum(['round', 'comparison', 'other']),
  /** The devices that it is to have, all of them; null: the first that are free. */
  devices: z.array(z.string()).nullable(),
  /** Processes that share its work, each on a GPU of its own. */
  workers: z.int().positive(),
  /** The devices that it has, or had last. */
  on: z.array(z.string()),
  state: JobState,
  /** Runs that it is made from: it follows the jobs that still make them, and is held where one of these does not end well. */
  needs: z.array(z.string()),
  /** Somebody has begun it although it was held. */
  isWanted: z.boolean().default(false),
  /** As the page knows them. */
  settings: z.record(z.string(), SettingValue).transform(withPolicies),
  queuedAt: z.iso.datetime(),
  startedAt: z.iso.datetime().nullable(),
  finishedAt: z.iso.datetime().nullable(),
  /** Of earlier processes of this job. */
  earlierSeconds: z.number().nonnegative(),
  stopAskedAt: z.iso.datetime().nullable(),
  owner: z.object({ pid: z.int().positive(), host: z.string(), began: z.string() }).nullable(),
  error: z.string().nullable(),
})
export const JobRecord = z.preprocess(withDevices, Record)
export type JobRecord = z.infer<typeof Record>

/** A job of version 0.1 had one device, `cpu` or some GPU, which its settings may name. */
function withDevices(read: unknown): unknown {
  if (typeof read !== 'object' || read === null || !('device' in read) || 'devices' in read) return read
  const { device, ...job } = read as { device: unknown; settings?: { device?: unknown } | null }
  const named = job.settings?.device
  const devices = device === 'cpu' ? ['cpu'] : typeof named === 'string' && named.includes(':') ? [named] : null
  return { ...job, devices, workers: 1, on: devices ?? ['cuda:0'] }
}

/** Reports of version 0.1 had a setting for each algorithm where there is one list of policies now. */
function withPolicies(settings: Readonly<Record<string, SettingValue>>): Record<string, SettingValue> {
  const { rewardWeighted, dpok, ...others } = settings
  const policies = [rewardWeighted, dpok].filter((run) => typeof run === 'string')
  return policies.length === 0 ? settings : { ...others, policies }
}

const jobFolder = ({ at }: Workspace, id: string) => at('jobs', id)
export const logFile = ({ at }: Workspace, id: string) => at('jobs', id, 'log.txt')

/** @throws {FileError} the disk is full, or the workspace cannot be written */
export function writeJob(workspace: Workspace, record: JobRecord): void {
  const folder = jobFolder(workspace, record.id)
  writing(folder, () => mkdirSync(folder, { recursive: true }))
  writeFileAtomic(workspace.at('jobs', record.id, 'job.json'), `${JSON.stringify(record, null, 2)}\n`)
}

/** All jobs, in the order in which they were queued, and those whose record cannot be read. */
export function readJobs(workspace: Workspace): { readonly jobs: JobRecord[]; readonly broken: readonly Broken[] } {
  const names = readdirSync(workspace.at('jobs')).filter((name) => existsSync(workspace.at('jobs', name, 'job.json')))
  const { made, broken } = whatWorks(
    names.map((name) => ({ name })),
    ({ name }) =>
      readJson(
        workspace,
        workspace.at('jobs', name, 'job.json'),
        JobRecord.refine(({ id }) => id === name, 'the id of its folder'),
      ),
  )
  return { jobs: made.sort((a, b) => numberOf(a.id) - numberOf(b.id)), broken }
}

/** Ids of the jobs of a run. */
export function jobsOfRun(workspace: Workspace, run: string): string[] {
  return readJobs(workspace).jobs.flatMap((job) => (job.run === run ? [job.id] : []))
}

/** `job-12` → 12 */
export const numberOf = (id: string): number => Number(id.split('-').at(-1)) || 0
