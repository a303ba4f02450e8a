/**
 * `node bench/studio/load.ts [seconds] [processes,…] [think ms,…]`: 200 raters against a studio in processes of its own, on
 * SQLite (one process) and, where it is installed, on PostgreSQL (with its data on the disk at every commit). Also how long
 * the server takes to start.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { availableParallelism, loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { noPostgres, postgresServer } from '../../src/feedback/store/postgres.test-helper.ts'
import { freePort, startProcess } from '../../src/studio/studio-process.test-helper.ts'
import { fillStore } from './filled-store.ts'
import { childrenOf, cpuMs, share } from './processor-time.ts'
import { rateTogether } from './raters.ts'

const size = { prompts: 2500, perPrompt: 8, judgments: 20_000, judged: 4000, raters: 200, rounds: 5 }
const numbers = (text: string) => text.split(',').map(Number)
const [seconds] = numbers(process.argv[2] ?? '20')
const processCounts = numbers(process.argv[3] ?? '1,2')
const thinkTimesMs = numbers(process.argv[4] ?? '1000,0')

function quantiles(name: string, times: readonly number[]): string {
  if (times.length === 0) return `${name}: none in ${seconds} s`
  const sorted = times.toSorted((a, b) => a - b)
  const at = (part: number) => sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))].toFixed(0)
  return `${name} p50 ${at(0.5)} p95 ${at(0.95)} p99 ${at(0.99)} ms`
}

async function measure(name: string, database: string | null, processes: number, thinkMs: number): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'attune-load-'))
  try {
    const workspace = join(folder, 'work')
    const { raters: tokens } = await fillStore(workspace, database, size)
    const port = await freePort()
    const server = await startProcess(
      ...['--workspace', workspace, '--host', '0.0.0.0', '--port', String(port)],
      ...(database === null ? [] : ['--database', database]),
      ...(processes === 1 ? [] : ['--processes', String(processes)]),
    )
    // The first requests read what is in the store.
    await rateTogether({ port, tokens: tokens.slice(0, 4 * processes), thinkMs: 50, seconds: 3 })
    const pids = [server.pid, ...(processes === 1 ? [] : childrenOf(server.pid))]
    const [load, free] = [loadavg()[0], share()]
    const before = cpuMs(...pids)
    const { answeringMs, askingMs, judgments, seconds: took } = await rateTogether({ port, tokens, thinkMs, seconds })
    const busyMs = cpuMs(...pids) - before
    await server.end('SIGTERM')
    const turns = answeringMs.length
    const facts = [
      `${name}, ${processes} ${processes === 1 ? 'process' : 'processes'}, think time ${thinkMs} ms`,
      quantiles('question', askingMs),
      quantiles('answer', answeringMs),
      `${(turns / took).toFixed(0)} tasks/s`,
      `${(judgments / took).toFixed(0)} judgments/s`,
      `server ${turns === 0 ? '–' : (busyMs / turns).toFixed(2)} ms of CPU a task`,
      `load before ${load.toFixed(1)}, share of a core ${free.toFixed(2)}`,
    ]
    process.stdout.write(`${facts.join(' | ')}\n`)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

async function measureStart(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'attune-load-'))
  try {
    const times: number[] = []
    for (let start = 0; start < 5; start++) {
      const server = await startProcess('--workspace', join(folder, 'work'), '--port', '0')
      times.push(server.startMs)
      await server.end('SIGTERM')
    }
    times.sort((a, b) => a - b)
    process.stdout.write(`start: median ${times[2].toFixed(0)} ms, ${times[0].toFixed(0)}–${times[4].toFixed(0)} ms\n`)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

process.stdout.write(
  `${availableParallelism()} cores, shared with the raters; ${size.prompts * size.perPrompt} images, ${size.judgments} judgments\n`,
)
await measureStart()
for (const thinkMs of thinkTimesMs) await measure('SQLite', null, 1, thinkMs)
await using postgres = await postgresServer({ isDurable: true })
if (postgres === undefined) process.stdout.write(`${noPostgres}\n`)
else
  for (const processes of processCounts) {
    for (const thinkMs of thinkTimesMs) {
      await measure('PostgreSQL', await postgres.freshDatabase(), processes, thinkMs)
    }
  }
