/**
 * `studio --processes N`: processes that answer at one port, which Node's cluster shares among them. This one answers
 * nobody: it starts the others, and another where one ends. They end when it does.
 */
import cluster, { type Worker } from 'node:cluster'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import { addressTaken } from '../../address-taken.ts'
import { ConfigError, ProcessError } from '../../errors.ts'
import { scriptBeside } from '../../script-beside.ts'
import { findGpus, type FoundGpus } from '../devices/devices.ts'
import { Closing } from '../closing.ts'
import { openStudio } from '../open-studio.ts'
import { announce, inWorkspace, optionsOf, type RunningStudio, type StudioConfig } from '../start-studio.ts'

/** What a process is told when it starts. */
export interface Orders {
  readonly config: StudioConfig
  readonly gpus: FoundGpus
  /** Where the process that leads has its socket. */
  readonly folder: string
}

/** What it tells when it listens, or does not. */
const Told = z.union([z.object({ port: z.int() }), z.object({ code: z.string(), message: z.string() })])
export type Told = z.infer<typeof Told>

/** One that ends at once again and again is started anew after a pause that grows to this. */
const longestPauseMs = 5000
/** From SIGTERM to SIGKILL. */
const patienceMs = 10_000

/**
 * @throws {ConfigError} without PostgreSQL, or the address cannot be had
 * @throws {RunInUseError} another server has this workspace
 */
export async function startTogether(config: StudioConfig): Promise<RunningStudio> {
  if (config.database === null) {
    throw new ConfigError({
      where: '--processes',
      expected: '1 with SQLite, whose file one process serves',
      received: String(config.processes),
      remedy: 'leave it out, or keep the judgments in PostgreSQL: --database postgres://…',
    })
  }
  const gpus = await findGpus()
  const options = optionsOf(config, gpus)
  return await inWorkspace(config, async (_, unlock) => {
    await using made = new Closing()
    made.defer(unlock)
    const folder = mkdtempSync(join(tmpdir(), 'attune-lead-'))
    made.defer(() => rmSync(folder, { recursive: true, force: true }))
    // Tables and the like are there before the others come.
    const follows = { passOn: () => Promise.resolve(undefined) }
    await using studio = await openStudio(config.workspace, { ...options, follows })
    const first = await start({ config, gpus, folder })
    const { port } = first
    const orders = { config: { ...config, port }, gpus, folder }
    const others = await Promise.all(Array.from({ length: config.processes - 1 }, () => start(orders)))
    made.use(
      keepAlive(
        [first, ...others].map(({ worker }) => worker),
        orders,
      ),
    )
    const announced = await announce(config, studio, port)
    const all = made.move()
    return { ...announced, [Symbol.asyncDispose]: () => all[Symbol.asyncDispose]() }
  })
}

/** @throws {ConfigError} it cannot listen @throws {ProcessError} it ends before */
async function start(orders: Orders): Promise<{ readonly worker: Worker; readonly port: number }> {
  // Each takes connections itself: one that this process had handed to another, killed in this moment, would hang for good.
  cluster.schedulingPolicy = cluster.SCHED_NONE
  cluster.setupPrimary({ exec: fileURLToPath(scriptBeside(import.meta.url, './studio-process')), args: [] })
  const worker = cluster.fork()
  worker.send(orders)
  const ended = once(worker, 'exit').then(() => undefined)
  const [message] = ((await Promise.race([once(worker, 'message'), ended])) ?? []) as [unknown?]
  const { data: told } = Told.safeParse(message)
  if (told !== undefined && 'port' in told) return { worker, port: told.port }
  worker.process.kill('SIGKILL')
  const { host, port } = orders.config
  if (told !== undefined) throw addressTaken(host, port, told)
  throw new ProcessError({
    where: 'studio',
    expected: 'a process that listens',
    received: 'one that has ended',
    remedy: 'see what it said above',
  })
}

/** Starts another process where one ends, until it is disposed, which ends them all. */
function keepAlive(workers: readonly Worker[], orders: Orders): AsyncDisposable {
  const living = new Set<Worker>()
  let isEnding = false
  let pauseMs = 0

  async function replace(): Promise<void> {
    const began = performance.now()
    pauseMs = Math.min(longestPauseMs, pauseMs * 2 + 100)
    await pause(pauseMs, undefined, { ref: false })
    if (isEnding) return
    try {
      watch((await start(orders)).worker)
      if (performance.now() - began > longestPauseMs) pauseMs = 0
    } catch {
      await replace()
    }
  }

  function watch(worker: Worker): void {
    living.add(worker)
    const forget = () => {
      living.delete(worker)
      if (isEnding) return
      process.stderr.write(`studio: process ${worker.process.pid} has ended, and another one takes its place\n`)
      void replace()
    }
    if (worker.isDead()) forget()
    else worker.once('exit', forget)
    if (isEnding) worker.process.kill('SIGTERM')
  }

  for (const worker of workers) watch(worker)
  return {
    async [Symbol.asyncDispose]() {
      isEnding = true
      const all = [...living]
      const ended = Promise.all(all.map((worker) => once(worker, 'exit')))
      for (const worker of all) worker.process.kill('SIGTERM')
      const impatient = setTimeout(() => all.forEach((worker) => worker.process.kill('SIGKILL')), patienceMs)
      await ended
      clearTimeout(impatient)
    },
  }
}
