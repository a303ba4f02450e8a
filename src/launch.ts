/** `attune launch`: the same command in several processes that work as one, which all end when one of them fails. */
import { spawn, type ChildProcess } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { availableParallelism, tmpdir, totalmem } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { z } from 'zod'
import { gpusOf } from '../scripts/setup/gpus.mjs'
import { optionalCount, optionalText } from './config-fields.ts'
import { ConfigError, endedFromOutside, ProcessError, type ExitCode } from './errors.ts'
import { withParent } from './parent-watch.ts'
import { nodeFromEnvironment, rendezvousOf, type Node } from './place-in-group.ts'
import { configName, manifestName } from './run-folder.ts'
import { quoted } from './resume-hint.ts'

export const LaunchConfig = z.strictObject({
  processes: optionalCount(1024).describe(
    'Processes on this machine; without it as many as a scheduler says or as there are GPUs, and without any as there are cores with 8 GB of memory each.',
  ),
  nodes: optionalCount(65_536).describe(
    'Machines, on each of which the same is launched; without it 1, or what a scheduler says.',
  ),
  nodeRank: z
    .int()
    .nonnegative()
    .nullable()
    .default(null)
    .describe('Which of them this one is, from 0 on; without it 0, or what a scheduler says.'),
  rendezvous: optionalText.describe(
    'host:port of machine 0, as the others reach it; needed for several, unless a scheduler says it.',
  ),
  maxRestarts: z
    .int()
    .nonnegative()
    .default(0)
    .describe('How often all processes are started again with --resume, after one has failed.'),
})
export type LaunchConfig = z.output<typeof LaunchConfig>

/**
 * Parts the words behind `launch` into its own flags, each with a value, and the command that it starts.
 */
export function partLaunch(words: readonly string[]): { own: string[]; command: string[] } {
  let end = 0
  while (end < words.length && words[end].startsWith('-')) end += /^(--help|-h)$|=/.test(words[end]) ? 1 : 2
  return { own: words.slice(0, end), command: words.slice(end) }
}

/** So long the others have to say what they know when one has failed. */
const graceMs = 5000
/** Machines that start again together wait for the first one to be there anew. */
const restartMs = 3000
/** As in native/signals.cc. */
const sameMs = 500

export interface Launch {
  /** The program that each process runs, with the words of the command. */
  readonly script: string
  readonly command: readonly string[]
}

/**
 * Runs the command in all processes of this machine until they have ended.
 *
 * @returns 0, or what the scheduler that ended it is to hear
 * @throws {ProcessError} the complaint of the first one that failed
 * @throws {ConfigError} it is not said how many, or where they meet
 */
export async function launch(config: LaunchConfig, { script, command }: Launch): Promise<0 | ExitCode | 130> {
  const node = nodeOf(config)
  const stop = new AbortController()
  let signalled: NodeJS.Signals | undefined
  let signalledAt = 0
  let running: readonly Worker[] = []
  const forward = (signal: NodeJS.Signals) => {
    // Schedulers pass the same signal on more than once; later, asked twice, it is meant.
    if (signal === 'SIGTERM' && signalled === signal && performance.now() - signalledAt < sameMs) return
    if (signalled === undefined) signalledAt = performance.now()
    for (const worker of running) worker.child.kill(signalled === undefined ? signal : 'SIGKILL')
    signalled ??= signal
    stop.abort()
  }
  const signals = ['SIGTERM', 'SIGINT', 'SIGHUP'] as const
  for (const signal of signals) process.on(signal, forward)
  const words = [...command]
  const folder = mkdtempSync(join(tmpdir(), 'attune-launch-'))
  try {
    for (let attempt = 0; ; attempt++) {
      const rendezvous = node.rendezvous ?? `file://${join(folder, `meet-${attempt}`)}`
      running = Array.from({ length: node.processes }, (_, local) => {
        const env = environmentOf(node, local, rendezvous, attempt)
        return startWorker(script, words, env, node.nodeRank * node.processes + local)
      })
      const cause = await firstFailure(running)
      if (signalled === 'SIGINT') return tellHow(command, 130)
      if (signalled !== undefined) return tellHow(command, cause === undefined ? 0 : endedFromOutside)
      if (cause === undefined) return 0
      const again = cause.code !== 2 && attempt < config.maxRestarts
      if (!again) {
        // A complaint that asks for other settings says itself what goes on.
        if (cause.code !== 2) tellHow(command, 0)
        throw complaintOf(cause, node)
      }
      const left = `${attempt + 1} of ${config.maxRestarts}`
      process.stderr.write(`launch: process ${cause.rank} ended with ${endOf(cause)}; all start again (${left})\n`)
      if (!words.includes('--resume')) words.push('--resume')
      if (node.nodeRank > 0) await pause(restartMs, stop.signal)
    }
  } finally {
    for (const signal of signals) process.off(signal, forward)
    rmSync(folder, { recursive: true, force: true })
  }
}

interface Machine {
  readonly processes: number
  readonly nodes: number
  readonly nodeRank: number
  /** Null on one machine: there a file will do. */
  readonly rendezvous: string | null
}

function nodeOf(config: LaunchConfig): Machine {
  const told = nodeFromEnvironment(process.env)
  const nodes = config.nodes ?? told?.nodes ?? 1
  const nodeRank = config.nodeRank ?? told?.nodeRank ?? 0
  if (nodeRank >= nodes) {
    throw new ConfigError({
      where: '--node-rank',
      expected: `a number below that of machines, ${nodes}`,
      received: String(nodeRank),
      remedy: 'the first machine is 0; --nodes says how many there are',
    })
  }
  const processes = config.processes ?? countOf(told?.processes)
  if (nodes === 1) return { processes, nodes, nodeRank, rendezvous: null }
  const given = config.rendezvous === null ? told?.rendezvous : rendezvousOf('--rendezvous', config.rendezvous)
  if (given !== undefined) return { processes, nodes, nodeRank, rendezvous: given }
  throw new ConfigError({
    where: '--rendezvous',
    expected: 'host:port of machine 0, where the processes of all machines meet',
    received: 'nothing',
    remedy: 'give the same on every machine, such as node-0:29500',
  })
}

function countOf(wanted: Node['processes']): number {
  if (typeof wanted === 'number') return wanted
  const gpus = wanted === 'cpu' ? 0 : visibleGpus()
  if (gpus > 0) return gpus
  if (wanted === undefined) return onCores()
  if (wanted !== 'gpu') return availableParallelism()
  throw new ConfigError({
    where: 'PET_NPROC_PER_NODE',
    expected: 'gpu where there is one',
    received: 'a machine without a GPU that could be seen',
    remedy: 'set it to a number, or give --processes: each has the model in memory',
  })
}

/** What a process of a real checkpoint needs beside its model, and the model: bytes. */
const bytesEach = 8e9

/** A core is used better by a process of its own than by another thread of one (docs/benchmarks.md), if memory is there. */
function onCores(): number {
  const memory = Math.min(totalmem(), process.constrainedMemory() || Infinity)
  const count = Math.max(1, Math.min(availableParallelism(), Math.floor(memory / bytesEach)))
  process.stderr.write(`launch: ${count} process${count === 1 ? '' : 'es'}, since there is no GPU (--processes)\n`)
  return count
}

function visibleGpus(): number {
  const chosen = process.env.CUDA_VISIBLE_DEVICES
  if (chosen !== undefined) return chosen.split(',').filter((one) => one.trim() !== '' && one.trim() !== '-1').length
  const { devices, names } = gpusOf()
  return Math.max(devices.length, names.length)
}

function environmentOf(node: Machine, local: number, rendezvous: string, attempt: number): NodeJS.ProcessEnv {
  return {
    ...withParent(),
    RANK: String(node.nodeRank * node.processes + local),
    WORLD_SIZE: String(node.nodes * node.processes),
    LOCAL_RANK: String(local),
    LOCAL_WORLD_SIZE: String(node.processes),
    ATTUNE_RENDEZVOUS: rendezvous,
    ATTUNE_ATTEMPT: String(attempt),
    TORCHELASTIC_USE_AGENT_STORE: undefined,
  }
}

interface Worker {
  readonly rank: number
  readonly child: ChildProcess
  readonly ended: Promise<End>
}

interface End {
  readonly rank: number
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  /** The last line that it wrote to stderr. */
  readonly lastLine: string
}

/** What one writes is shown with its rank; only the first one's progress is, since the others write none. */
function startWorker(script: string, words: readonly string[], env: NodeJS.ProcessEnv, rank: number): Worker {
  const stdout = rank === 0 ? 'inherit' : 'ignore'
  const child = spawn(process.execPath, [script, ...words], { env, stdio: ['ignore', stdout, 'pipe'] })
  let lastLine = ''
  createInterface({ input: child.stderr! }).on('line', (line) => {
    lastLine = line === '' ? lastLine : line
    process.stderr.write(`[${rank}] ${line}\n`)
  })
  const ended = new Promise<End>((resolve) => {
    child.on('error', (error) => resolve({ rank, code: 1, signal: null, lastLine: error.message }))
    child.on('close', (code, signal) => resolve({ rank, code, signal, lastLine }))
  })
  return { rank, child, ended }
}

/** When one fails, the others are given seconds to end by themselves, and are killed then. The first that failed by itself. */
async function firstFailure(workers: readonly Worker[]): Promise<End | undefined> {
  const failures: End[] = []
  let timer: NodeJS.Timeout | undefined
  const watched = workers.map(async ({ ended }) => {
    const end = await ended
    if (end.code === 0) return
    failures.push(end)
    timer ??= setTimeout(() => {
      for (const { child } of workers) child.kill('SIGKILL')
    }, graceMs)
  })
  await Promise.all(watched)
  clearTimeout(timer)
  return failures.find(({ code, signal }) => code !== endedFromOutside && signal !== 'SIGTERM') ?? failures[0]
}

const endOf = ({ code, signal }: End) => signal ?? `exit code ${code}`

/** What it said itself, where it was an error of ours. */
function complaintOf(end: End, node: Machine): ProcessError {
  const exitCode = end.code === 2 || end.code === endedFromOutside ? end.code : 1
  const who = node.nodes * node.processes === 1 ? 'the process' : `process ${end.rank}`
  const [, where, expected, received, remedy] = /^(.*?): expected (.*), received (.*) — (.*)$/.exec(end.lastLine) ?? []
  if (where !== undefined && end.signal === null) {
    return new ProcessError({ where: `${who}: ${where}`, expected, received, remedy }, exitCode)
  }
  return new ProcessError(
    {
      where: `launch: ${who}`,
      expected: 'an end with 0',
      received: endOf(end),
      remedy:
        end.signal === 'SIGKILL'
          ? 'the system ends a process when memory runs out; --max-restarts goes on from the last checkpoint'
          : 'see its messages above; --max-restarts goes on from the last checkpoint',
    },
    exitCode,
  )
}

/** What to type to go on, where a run was left unfinished. */
function tellHow<C>(command: readonly string[], code: C): C {
  const at = command.findIndex((word) => /^--out(=|$)/.test(word))
  const folder = at < 0 ? undefined : (command[at].split('=')[1] ?? command[at + 1])
  if (folder === undefined) return code
  if (!existsSync(join(folder, configName)) || existsSync(join(folder, manifestName))) return code
  const words = ['attune', ...process.argv.slice(2), ...(command.includes('--resume') ? [] : ['--resume'])]
  process.stderr.write(`stopped; to go on: ${words.map(quoted).join(' ')}\n`)
  return code
}

const pause = (ms: number, signal: AbortSignal) =>
  new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, ms)
    signal.addEventListener('abort', () => {
      clearTimeout(timer)
      resolve()
    })
  })
