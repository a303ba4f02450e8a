/**
 * The jobs of a studio. Each is a stage in a process of its own, which outlives this one: what is known of it is its
 * record, its process number and its run folder, and they are looked at again and again. Jobs of different devices run beside each
 * other; who has which device next is said in `device-turns.ts`. A job that is made from what another makes follows that one, and is held where it does
 * not end well, or where what it made is not good enough.
 */
import { existsSync, readdirSync, statSync } from 'node:fs'
import { hostname } from 'node:os'
import { StudioError } from '../../errors.ts'
import { writeFileAtomic, writing } from '../../files.ts'
import { sampleNowName } from '../../run-files.ts'
import { configName, manifestName } from '../../run-folder.ts'
import { ownerOf } from '../../run-lock.ts'
import { isPolicyStage } from '../../stages.ts'
import type { Device } from '../devices/devices.ts'
import type { JobState, SettingValue } from '../schemas/jobs.ts'
import { runsName, withoutPlaces, type Workspace } from '../workspace.ts'
import type { Broken } from '../workspace-files.ts'
import { aheadOf, demandOf, deviceLack, turnsOf, type Demand } from './device-turns.ts'
import { askToEnd, endAtOnce, ownerByRun, runsHere, startProcess } from './job-process.ts'
import { logFile, numberOf, readJobs, writeJob, type JobRecord } from './job-record.ts'
import { errorLine, lastLines } from './progress-line.ts'
import { byQueue, isActive, isOpen, lackOf } from './queue-order.ts'

export interface JobQueueOptions {
  /** What is to be done with a finished run; done again where this process was killed before it had been. */
  readonly onDone?: (job: JobRecord) => Promise<void>
  /** A job has come into another state. */
  readonly onState?: (job: JobRecord) => void
  /** Why a job must not begin by itself, as a sentence; it is held then, until somebody begins it all the same. */
  readonly objection?: (job: JobRecord) => string | null
  /** Somebody beside the jobs who has a GPU now and then, and gives it up where a job waits for it. */
  readonly guest?: { gpu(): string | undefined; giveUp(): void }
  /** Between looks at the processes. */
  readonly everyMs?: number
  /** From SIGTERM to SIGKILL. */
  readonly patienceMs?: number
  /** Another process runs the jobs: nothing of them is known here until {@link JobQueue.wake}. */
  readonly isAsleep?: boolean
}

/** What a job is made from. `config` is that of the stage, with paths relative to the workspace. */
export interface JobOrder extends Pick<JobRecord, 'stage' | 'run' | 'purpose' | 'workers'> {
  readonly devices: readonly string[] | null
  readonly needs: readonly string[]
  readonly settings: Readonly<Record<string, SettingValue>>
  readonly config: Readonly<Record<string, unknown>>
}

export class JobQueue implements Disposable {
  readonly #workspace: Workspace
  readonly #jobs = new Map<string, JobRecord>()
  readonly #options: Required<JobQueueOptions>
  readonly #concluding = new Set<string>()
  #timer: NodeJS.Timeout | undefined
  #broken: readonly Broken[] = []
  #isClosed = false
  #turn: Promise<unknown> = Promise.resolve()

  /** Those that jobs may have. */
  readonly devices: readonly Device[]

  /** Takes up the jobs of an earlier server, unless it is asleep. */
  constructor(workspace: Workspace, devices: readonly Device[], options: JobQueueOptions = {}) {
    this.#workspace = workspace
    this.devices = devices
    this.#options = {
      onDone: () => Promise.resolve(),
      onState: () => undefined,
      objection: () => null,
      guest: { gpu: () => undefined, giveUp: () => undefined },
      everyMs: 500,
      patienceMs: 10_000,
      isAsleep: false,
      ...options,
    }
    if (!this.#options.isAsleep) this.wake()
  }

  /** Takes up the jobs of the process that ran them before. */
  wake(): void {
    const { jobs, broken } = readJobs(this.#workspace)
    this.#broken = broken
    for (const job of jobs) this.#jobs.set(job.id, job)
    for (const job of this.#jobs.values()) if (isActive(job) && job.owner === null) this.#adopt(job)
    this.#timer = setInterval(() => this.look(), this.#options.everyMs).unref()
    this.look()
  }

  /** Jobs of an earlier server whose records cannot be read. */
  get broken(): readonly Broken[] {
    return this.#broken
  }

  /** In the order in which they were queued. */
  all(): JobRecord[] {
    return [...this.#jobs.values()]
  }

  /** @throws {StudioError} there is none */
  get(id: string): JobRecord {
    const job = this.#jobs.get(id)
    if (job !== undefined) return job
    throw new StudioError(404, 'not-found', {
      where: 'job',
      expected: 'a job of this studio',
      received: 'an unknown one',
      remedy: 'look at the list of jobs',
    })
  }

  /** How many jobs come before a waiting one: of the devices that it could take, or that make what it needs. */
  ahead(job: JobRecord): number {
    return aheadOf(job, this.open(), this.devices).length
  }

  /** What a job needs to begin. */
  demand(job: JobRecord): Demand {
    return demandOf(job, this.devices)
  }

  /** Runs that are being made, and that a waiting job is made from. */
  follows({ state, needs }: JobRecord): string[] {
    if (state !== 'waiting') return []
    return this.open().flatMap(({ run }) => (needs.includes(run) ? [run] : []))
  }

  /** Those that wait or run. */
  open(): JobRecord[] {
    return this.all().filter(isOpen)
  }

  /** Those that wait for nothing but devices, in the order of their turns. */
  waiting(): JobRecord[] {
    const waiting = this.all().filter((job) => job.state === 'waiting' && this.follows(job).length === 0)
    return waiting.sort(byQueue)
  }

  /** Runs of the jobs that have a device, and of those that wait for nothing else and could take it. */
  usersOf(id: string): { has: string[]; wait: string[] } {
    const has = this.all().filter((job) => isActive(job) && job.on.includes(id))
    const wait = this.waiting().filter((job) => this.demand(job).from.includes(id))
    return { has: has.map(({ run }) => run), wait: wait.map(({ run }) => run) }
  }

  /** A held job can be begun all the same, where all that it is made from is there. */
  canResume(job: JobRecord): boolean {
    return ['stopped', 'failed'].includes(job.state) || (job.state === 'held' && this.#lackOf(job) === null)
  }

  /** Does work that ends in {@link add} after all such work before it, so that no name is given twice. */
  inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(work)
    this.#turn = turn.catch(() => undefined)
    return turn
  }

  add({ config, ...order }: JobOrder): JobRecord {
    // Folders of broken and of deleted jobs keep their numbers.
    const taken = readdirSync(this.#workspace.at('jobs')).filter((name) => /^job-\d{1,9}$/.test(name))
    const number = 1 + taken.reduce((most, id) => Math.max(most, numberOf(id)), 0)
    const job: JobRecord = {
      ...order,
      devices: order.devices && [...order.devices],
      on: [],
      needs: [...order.needs],
      isWanted: false,
      id: `job-${number}`,
      state: 'waiting',
      queuedAt: new Date().toISOString(),
      startedAt: null,
      finishedAt: null,
      earlierSeconds: 0,
      stopAskedAt: null,
      owner: null,
      error: null,
    }
    writeJob(this.#workspace, job)
    this.#writeConfig(job.id, config)
    this.#jobs.set(job.id, job)
    this.look()
    return this.get(job.id)
  }

  /** A waiting or held job is taken out of the queue; a running one is asked to end, and ended where it does not. */
  stop(id: string): JobRecord {
    const job = this.get(id)
    if (job.state === 'waiting' || job.state === 'held') {
      this.#change(job, { state: 'stopped', error: null, finishedAt: new Date().toISOString() })
      this.look()
      return this.get(id)
    }
    if (job.state !== 'running') throw this.#refuse(job, 'a job that waits or runs', 'nothing is left to stop')
    askToEnd(job)
    return this.#change(job, { state: 'stopping', stopAskedAt: new Date().toISOString() })
  }

  /** Queues a stopped or failed job again; it goes on where its run folder stands. A held one begins all the same. */
  resume(id: string, config: Readonly<Record<string, unknown>>): JobRecord {
    const job = this.get(id)
    if (!this.canResume(job)) {
      const isHeld = job.state === 'held'
      throw this.#refuse(job, 'a job that can go on', isHeld ? job.error! : 'start a new one')
    }
    this.#writeConfig(id, { ...config, resume: true })
    this.#change(job, {
      state: 'waiting',
      isWanted: job.isWanted || job.state === 'held',
      error: null,
      owner: null,
      on: [],
      stopAskedAt: null,
      startedAt: null,
      finishedAt: null,
      earlierSeconds: secondsOf(job),
      queuedAt: new Date().toISOString(),
    })
    this.look()
    return this.get(id)
  }

  /** Knows nothing any more of the jobs of a run, none of which waits or runs. */
  forget(run: string): void {
    for (const job of this.all()) if (job.run === run && !isOpen(job)) this.#jobs.delete(job.id)
  }

  /** Asks a training job for sample images at its next step. */
  sample(id: string): JobRecord {
    const job = this.get(id)
    if (job.state !== 'running' || !isPolicyStage(job.stage)) {
      throw this.#refuse(job, 'a training job that runs', 'start or resume one')
    }
    const folder = this.#workspace.at(runsName, job.run)
    if (!existsSync(folder)) throw this.#refuse(job, 'a run that has begun', 'wait until it has started')
    writeFileAtomic(this.#workspace.at(runsName, job.run, sampleNowName), '')
    return job
  }

  /** Looks at every process and starts what may start. Called by a timer. */
  look(): void {
    if (this.#isClosed) return
    for (const { id } of this.all()) {
      const job = this.get(id)
      if (!isActive(job)) continue
      if (runsHere(job)) this.#hurry(job)
      else if (!this.#concluding.has(id)) void this.#conclude(job)
    }
    for (const { id } of this.all().sort(byQueue)) {
      const job = this.#heldOrNot(this.get(id))
      // Only what comes after the run is left to do, which takes no device.
      if (job.state === 'waiting' && this.#isFinished(job)) void this.#conclude(this.#begin(job, []))
    }
    const { guest } = this.#options
    const gpu = guest.gpu()
    const turns = turnsOf(this.open(), this.devices, gpu === undefined ? [] : [gpu])
    if (gpu !== undefined && turnsOf(this.open(), this.devices).size > turns.size) guest.giveUp()
    for (const [id, on] of turns) this.#start(this.get(id), on)
  }

  /** Ends the watching; the processes go on. */
  [Symbol.dispose](): void {
    this.#isClosed = true
    clearInterval(this.#timer)
  }

  /** Why a job cannot begin, whoever wants it to. */
  #lackOf = (job: JobRecord) => lackOf(job, this.all(), (run) => this.#isMade(run)) ?? deviceLack(job, this.devices)

  /** A job that has not begun is held as long as there is a reason. */
  #heldOrNot(job: JobRecord): JobRecord {
    if (job.state !== 'waiting' && job.state !== 'held') return job
    const reason = this.#isFinished(job)
      ? null
      : (this.#lackOf(job) ?? (job.isWanted ? null : this.#options.objection(job)))
    if (reason === null) return job.state === 'held' ? this.#change(job, { state: 'waiting', error: null }) : job
    return job.error === reason ? job : this.#change(job, { state: 'held', error: reason })
  }

  #begin = (job: JobRecord, on: readonly string[]) =>
    this.#change(job, { state: 'running', on: [...on], startedAt: new Date().toISOString() })

  #start(job: JobRecord, on: readonly string[]): void {
    const { slots } = this.demand(job)
    const share = slots / (this.devices.find(({ id }) => id === on[0])?.slots ?? slots)
    const running = this.#begin(job, on)
    const child = startProcess(this.#workspace, running, share)
    child.on('exit', () => this.look())
    if (child.pid !== undefined) this.#change(running, { owner: ownerOf(child.pid) })
  }

  #isFinished = ({ run }: JobRecord) => this.#isMade(run)
  #isMade = (run: string) => existsSync(this.#workspace.at(runsName, run, manifestName))

  /** This process was killed between a start and its record: the run folder knows who writes it. */
  #adopt(job: JobRecord): void {
    const owner = ownerByRun(this.#workspace, job)
    if (owner === undefined) this.#change(job, { state: 'waiting', on: [], startedAt: null })
    else this.#change(job, { owner })
  }

  #hurry(job: JobRecord): void {
    if (job.stopAskedAt === null) return
    if (Date.now() - Date.parse(job.stopAskedAt) > this.#options.patienceMs) endAtOnce(job)
  }

  /** A process has ended: its run folder tells how. */
  async #conclude(job: JobRecord): Promise<void> {
    this.#concluding.add(job.id)
    const finishedAt = this.#endOf(job)
    try {
      if (this.#isFinished(job)) {
        await this.#options.onDone(job)
        this.#change(job, { state: 'done', finishedAt })
      } else if (job.state === 'stopping') this.#change(job, { state: 'stopped', finishedAt })
      else {
        const told = errorLine(lastLines(logFile(this.#workspace, job.id)))
        const error =
          job.owner !== null && job.owner.host !== hostname()
            ? `it was started on another machine, ${job.owner.host}: resume it when it does not run there any more`
            : told === null
              ? 'the process ended without a word: it was killed, the machine was restarted, or memory ran out'
              : withoutPlaces(this.#workspace, told)
        this.#change(job, { state: 'failed', finishedAt, error })
      }
    } catch (error) {
      const told = error instanceof Error ? withoutPlaces(this.#workspace, error.message) : String(error)
      this.#change(job, { state: 'failed', finishedAt, error: told })
    } finally {
      this.#concluding.delete(job.id)
    }
    this.look()
  }

  /** Nobody may have watched when its process ended: its manifest was written then, or else the last line of its log. */
  #endOf(job: JobRecord): string {
    const file = this.#isFinished(job)
      ? this.#workspace.at(runsName, job.run, manifestName)
      : logFile(this.#workspace, job.id)
    const written = statSync(file, { throwIfNoEntry: false })?.mtime.toISOString() ?? ''
    return written > (job.startedAt ?? '') ? written : new Date().toISOString()
  }

  #change(job: JobRecord, change: Partial<JobRecord>): JobRecord {
    const before = this.get(job.id)
    const changed = { ...before, ...change }
    writeJob(this.#workspace, changed)
    this.#jobs.set(job.id, changed)
    if (changed.state !== before.state) this.#options.onState(changed)
    return changed
  }

  #writeConfig(id: string, config: Readonly<Record<string, unknown>>): void {
    const file = this.#workspace.at('jobs', id, configName)
    writing(file, () => writeFileAtomic(file, `${JSON.stringify(config, null, 2)}\n`))
  }

  #refuse(job: JobRecord, expected: string, remedy: string): StudioError {
    const states: Readonly<Record<JobState, string>> = {
      waiting: 'one that waits',
      held: 'one that is held',
      running: 'one that runs',
      stopping: 'one that is about to stop',
      stopped: 'one that was stopped',
      done: 'one that is done',
      failed: 'one that has failed',
    }
    return new StudioError(409, 'wrong-state', { where: job.id, expected, received: states[job.state], remedy })
  }
}

/** Wall-clock seconds of all processes of a job. */
export function secondsOf({ earlierSeconds, startedAt, finishedAt }: JobRecord): number {
  if (startedAt === null) return earlierSeconds
  const end = finishedAt === null ? Date.now() : Date.parse(finishedAt)
  return earlierSeconds + Math.max(0, end - Date.parse(startedAt)) / 1000
}
