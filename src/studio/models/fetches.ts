/**
 * Downloads of models: `model fetch` in processes of their own, which outlive the server. What is known of one is its record and
 * what it has printed, in `fetches/<model>/`; any process of the studio may look.
 */
import { spawn } from 'node:child_process'
import { closeSync, existsSync, mkdirSync, openSync, readdirSync, statSync } from 'node:fs'
import { hostname } from 'node:os'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import { StudioError } from '../../errors.ts'
import { writeFileAtomic, writing } from '../../files.ts'
import { repositoryFolder } from '../../networks/checkpoint/hub-cache.ts'
import { isAlive, ownerOf } from '../../run-lock.ts'
import { scriptBeside } from '../../script-beside.ts'
import { errorLine, lastLines, readProgress } from '../jobs/progress-line.ts'
import type { Fetch } from '../schemas/models.ts'
import { fetchesName, withoutPlaces, type Workspace } from '../workspace.ts'
import { readJson, whatWorks } from '../workspace-files.ts'

const script = fileURLToPath(scriptBeside(import.meta.url, '../../cli'))

const Record = z.object({
  model: z.string(),
  revision: z.string(),
  variant: z.enum(['fp16', 'bf16']).nullable(),
  startedAt: z.iso.datetime(),
  stoppedAt: z.iso.datetime().nullable(),
  owner: z.object({ pid: z.int().positive(), host: z.string(), began: z.string() }).nullable(),
})
type Record = z.infer<typeof Record>

/** What is to be downloaded. */
export type WantedModel = Pick<Record, 'model' | 'revision' | 'variant'>

const recordName = 'fetch.json'
const [outName, logName] = ['out.txt', 'log.txt']

/** The newest first. */
export function readFetches(workspace: Workspace): Fetch[] {
  return records(workspace)
    .map((record) => fetchOf(workspace, record))
    .sort((a, b) => b.startedAt.localeCompare(a.startedAt))
}

function records(workspace: Workspace): Record[] {
  const folder = workspace.at(fetchesName)
  const names = readdirSync(folder).filter((name) => existsSync(workspace.at(fetchesName, name, recordName)))
  return whatWorks(
    names.map((name) => ({ name })),
    ({ name }) => readJson(workspace, workspace.at(fetchesName, name, recordName), Record),
  ).made
}

function fetchOf(workspace: Workspace, { owner, stoppedAt, ...record }: Record): Fetch {
  const at = (name: string) => workspace.at(fetchesName, repositoryFolder(record.model), name)
  const lines = lastLines(at(logName))
  const isRunning = owner !== null && owner.host === hostname() && isAlive(owner)
  const isDone = !isRunning && (statSync(at(outName), { throwIfNoEntry: false })?.size ?? 0) > 0
  const state = isRunning ? 'running' : isDone ? 'done' : stoppedAt !== null ? 'stopped' : 'failed'
  const told = errorLine(lines)
  return {
    ...record,
    state,
    progress: isRunning ? (lines.map(readProgress).findLast((one) => one !== undefined) ?? null) : null,
    error: state === 'failed' ? withoutPlaces(workspace, told ?? 'it ended without a word').slice(0, 2000) : null,
  }
}

/**
 * Begins a download, or goes on with one.
 *
 * @throws {StudioError} it is under way
 */
export function startFetch(workspace: Workspace, wanted: WantedModel): Fetch {
  const known = readFetches(workspace).find(({ model }) => model === wanted.model)
  if (known?.state === 'running') {
    throw new StudioError(409, 'wrong-state', {
      where: wanted.model,
      expected: 'a model that is not being downloaded',
      received: 'one that is',
      remedy: 'wait for it, or stop it first',
    })
  }
  const place = (name: string) => workspace.at(fetchesName, repositoryFolder(wanted.model), name)
  writing(place(''), () => mkdirSync(place(''), { recursive: true }))
  const [out, log] = [outName, logName].map((name) => openSync(place(name), 'w'))
  try {
    const variant = wanted.variant === null ? [] : ['--variant', wanted.variant]
    const child = spawn(
      process.execPath,
      [script, 'model', 'fetch', wanted.model, '--revision', wanted.revision, ...variant],
      {
        cwd: workspace.folder,
        detached: true,
        stdio: ['ignore', out, log],
        env: { ...process.env, ATTUNE_LOG_EVERY_MS: '1000' },
      },
    )
    child.on('error', () => undefined)
    child.unref()
    const owner = child.pid === undefined ? null : ownerOf(child.pid)
    const record: Record = { ...wanted, startedAt: new Date().toISOString(), stoppedAt: null, owner }
    writeFileAtomic(place(recordName), `${JSON.stringify(record, null, 2)}\n`)
    return fetchOf(workspace, record)
  } finally {
    closeSync(out)
    closeSync(log)
  }
}

/** What has arrived stays. @throws {StudioError} there is none, or it has ended */
export function stopFetch(workspace: Workspace, model: string): Fetch {
  const record = records(workspace).find((one) => one.model === model)
  if (record === undefined || fetchOf(workspace, record).state !== 'running') {
    throw new StudioError(409, 'wrong-state', {
      where: model,
      expected: 'a model that is being downloaded',
      received: 'another',
      remedy: 'nothing is left to stop',
    })
  }
  try {
    process.kill(-record.owner!.pid, 'SIGTERM')
  } catch {
    // It has ended in this moment.
  }
  const stopped = { ...record, stoppedAt: new Date().toISOString() }
  writeFileAtomic(
    workspace.at(fetchesName, repositoryFolder(model), recordName),
    `${JSON.stringify(stopped, null, 2)}\n`,
  )
  return fetchOf(workspace, stopped)
}
