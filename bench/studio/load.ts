/**
 * `node bench/studio/load.ts [seconds]`: 200 raters against a studio in a process of its own, on SQLite and, where it is
 * installed, on PostgreSQL (with its data on the disk at every commit). Also how long the server takes to start.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { availableParallelism, loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { noPostgres, postgresServer } from '../../src/feedback/store/postgres.test-helper.ts'
import { freePort, startProcess } from '../../src/studio/studio-process.test-helper.ts'
import { fillStore } from './filled-store.ts'
import { cpuMs } from './processor-time.ts'
import { rateTogether } from './raters.ts'

const size = { prompts: 2500, perPrompt: 8, judgments: 20_000, judged: 5000, raters: 200, rounds: 5 }
const seconds = Number(process.argv[2] ?? 20)
const thinkTimesMs = [1000, 0]

function quantile(sorted: readonly number[], share: number): string {
  return `${sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))].toFixed(1)} ms`
}

async function measure(name: string, database: string | null, thinkMs: number): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'attune-load-'))
  try {
    const workspace = join(folder, 'work')
    const { raters: tokens } = await fillStore(workspace, database, size)
    const port = await freePort()
    const server = await startProcess(
      ...['--workspace', workspace, '--host', '0.0.0.0', '--port', String(port)],
      ...(database === null ? [] : ['--database', database]),
    )
    // the first request reads what is in the store
    await rateTogether({ port, tokens: tokens.slice(0, 1), thinkMs: 0, seconds: 2 })
    const [load] = loadavg()
    const before = cpuMs(server.pid)
    const { turnsMs, judgments, seconds: took } = await rateTogether({ port, tokens, thinkMs, seconds })
    const busyMs = cpuMs(server.pid) - before
    await server.end('SIGTERM')
    const sorted = turnsMs.toSorted((a, b) => a - b)
    const facts = [
      `${name}, think time ${thinkMs} ms`,
      `p50 ${quantile(sorted, 0.5)}`,
      `p95 ${quantile(sorted, 0.95)}`,
      `p99 ${quantile(sorted, 0.99)}`,
      `${(turnsMs.length / took).toFixed(0)} turns/s`,
      `${(judgments / took).toFixed(0)} judgments/s`,
      `server ${(busyMs / turnsMs.length).toFixed(2)} ms of CPU a turn`,
      `load before ${load.toFixed(1)}`,
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
    for (let start = 0; start < 7; start++) {
      const server = await startProcess('--workspace', join(folder, 'work'), '--port', '0')
      times.push(server.startMs)
      await server.end('SIGTERM')
    }
    times.sort((a, b) => a - b)
    process.stdout.write(`start: median ${times[3].toFixed(0)} ms, ${times[0].toFixed(0)}–${times[6].toFixed(0)} ms\n`)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

process.stdout.write(
  `${availableParallelism()} cores, shared with the raters; ${size.prompts * size.perPrompt} images\n`,
)
await measureStart()
for (const thinkMs of thinkTimesMs) await measure('SQLite', null, thinkMs)
await using postgres = await postgresServer({ isDurable: true })
if (postgres === undefined) process.stdout.write(`${noPostgres}\n`)
else for (const thinkMs of thinkTimesMs) await measure('PostgreSQL', await postgres.freshDatabase(), thinkMs)
