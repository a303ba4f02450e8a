/** The process of a job: a stage, or a launch of several that work as one. It outlives the server. */
import { spawn, type ChildProcess } from 'node:child_process'
import { closeSync, openSync, readFileSync, writeSync } from 'node:fs'
import { hostname } from 'node:os'
import { fileURLToPath } from 'node:url'
import { coresOfThis, coresVariable } from '../../cores.ts'
import { configName } from '../../run-folder.ts'
import { isAlive, lockName, ownerOf, readOwner, type Owner } from '../../run-lock.ts'
import { scriptBeside } from '../../script-beside.ts'
import { deviceEnvironment } from '../devices/devices.ts'
import { runsName, type Workspace } from '../workspace.ts'
import { logFile, type JobRecord } from './job-record.ts'
import { beginLine } from './progress-line.ts'

const script = fileURLToPath(scriptBeside(import.meta.url, '../../cli'))

/**
 * Starts the stage of a job on the devices that it has.
 *
 * @param share of the machine's cores that are the job's
 */
export function startProcess(workspace: Workspace, { id, stage, on, workers }: JobRecord, share: number): ChildProcess {
  const launched = workers === 1 ? [] : ['launch', '--processes', String(workers)]
  const words = [...launched, ...stage.split(' '), '--config', `jobs/${id}/${configName}`]
  const cores = Math.max(1, Math.floor(coresOfThis() * share))
  const log = openSync(logFile(workspace, id), 'a')
  try {
    writeSync(log, `${beginLine(words)}\n`)
    const child = spawn(process.execPath, [script, ...words], {
      cwd: workspace.folder,
      // A group of its own: it outlives this process, and is stopped together with its children.
      detached: true,
      stdio: ['ignore', log, log],
      env: { ...process.env, ...deviceEnvironment(on), [coresVariable]: String(cores), ATTUNE_LOG_EVERY_MS: '1000' },
    })
    child.on('error', () => undefined)
    // What a launch has started must not outlive it on the devices of the next job.
    child.on('exit', () => signalGroup(child.pid!, 'SIGKILL'))
    child.unref()
    return child
  } finally {
    closeSync(log)
  }
}

/** A process of another machine, or one that has the number of an earlier one by chance, is none of ours. */
export const runsHere = (job: JobRecord): job is JobRecord & { owner: Owner } =>
  job.owner !== null && job.owner.host === hostname() && isAlive(job.owner)

/** Asks a job to end. A launch tells its processes itself, which would take a second signal for impatience. */
export function askToEnd(job: JobRecord): void {
  if (!runsHere(job)) return
  if (job.workers === 1) signalGroup(job.owner.pid, 'SIGTERM')
  else signal(job.owner.pid, 'SIGTERM')
}

export function endAtOnce(job: JobRecord): void {
  if (runsHere(job)) signalGroup(job.owner.pid, 'SIGKILL')
}

const signalGroup = (leader: number, name: NodeJS.Signals) => signal(-leader, name)

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name)
  } catch {
    // It has ended in this moment.
  }
}

/** Who makes the run of a job, of which only the run folder knows; undefined where nobody does. */
export function ownerByRun(workspace: Workspace, { run }: JobRecord): Owner | undefined {
  const writer = readOwner(workspace.at(runsName, run, lockName))
  const isHere = writer !== undefined && writer.host === hostname() && isAlive(writer)
  return isHere ? ownerOf(leaderOf(writer.pid)) : writer
}

/** The process whose group another one belongs to: the launch that it works for, or itself. */
function leaderOf(pid: number): number {
  try {
    // The 5th field; the second one, a name, may hold spaces and brackets.
    const after = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1) ?? ''
    return Number(after.split(' ')[2])
  } catch {
    return pid
  }
}
