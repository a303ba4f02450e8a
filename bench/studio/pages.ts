/**
 * `node bench/studio/pages.ts`: a studio of 5,000 images and 20,000 judgments in a process of its own, on SQLite and, where
 * it is installed, on PostgreSQL. How long it takes to start and to answer a question at once, what each page asks for takes
 * after a start and again, and what it takes after an answer has come in. The second figure is the server's processor time, which other work on the
 * machine moves little.
 */
import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { noPostgres, postgresServer } from '../../src/feedback/store/postgres.test-helper.ts'
import type { Tasks } from '../../src/studio/schemas/labelling.ts'
import { freePort, startProcess, type StudioProcess } from '../../src/studio/studio-process.test-helper.ts'
import { fillStore } from './filled-store.ts'
import { cpuMs } from './processor-time.ts'
import { connection } from './raters.ts'

const size = { prompts: 1250, perPrompt: 4, judgments: 20_000, judged: 4000, raters: 200, rounds: 5 }

/** What a page asks for when it is opened. */
const pages: Readonly<Record<string, readonly string[]>> = {
  Home: ['/api/state'],
  Label: ['/api/tasks?mode=good-bad&count=3', '/api/guidelines', '/api/judgments'],
  'Label pairs': ['/api/tasks?mode=pair&count=3'],
  'Label ratings': ['/api/tasks?mode=rating&count=3'],
  Train: ['/api/stages', '/api/jobs', '/api/devices'],
  Compare: ['/api/compare', '/api/votes'],
  Rewards: ['/api/rewards', '/api/rewards/reward-1'],
  Reports: ['/api/reports'],
  History: ['/api/lineage'],
  Gallery: ['/api/gallery'],
  'By reward': ['/api/gallery?sort=highest&count=200'],
  Data: ['/api/rounds'],
  Raters: ['/api/raters', '/api/agreement'],
  Asking: ['/api/asking', '/api/gold', '/api/images?count=24'],
}

interface Took {
  readonly wallMs: number
  readonly processorMs: number
}

const told = ({ wallMs, processorMs }: Took) => `${wallMs.toFixed(0)} / ${processorMs.toFixed(0)}`

async function measure(name: string, database: string | null): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'attune-pages-'))
  try {
    const workspace = join(folder, 'work')
    const { admin } = await fillStore(workspace, database, size)
    const started = async () => {
      const port = await freePort()
      const flags = ['--workspace', workspace, '--host', '0.0.0.0', '--port', String(port)]
      const server = await startProcess(...flags, ...(database === null ? [] : ['--database', database]))
      return { server, ask: connection(port, admin, 0) }
    }
    const starts: Took[] = []
    const questions: Took[] = []
    for (let start = 0; start < 5; start++) {
      const { server, ask } = await started()
      starts.push({ wallMs: server.startMs, processorMs: cpuMs(server.pid) })
      questions.push(await took(server, () => ask('GET', '/api/tasks?count=1')))
      await server.end('SIGTERM')
    }
    process.stdout.write(`${name}, load ${loadavg()[0].toFixed(1)}; wall / processor time in ms, of five starts\n`)
    process.stdout.write(`start: ${starts.map(told).join(' | ')}\nfirst question at once: ${questions.map(told).join(' | ')}\n`) // prettier-ignore
    process.stdout.write('page: wall / processor time in ms: first after a start | again | after an answer\n')
    for (const [page, paths] of Object.entries(pages)) {
      const { server, ask } = await started()
      const look = () => took(server, () => Promise.all(paths.map((path) => ask('GET', path))))
      const first = await look()
      const again = await look()
      await answerOne(ask)
      const after = await look()
      process.stdout.write(`${page.padEnd(14)} ${[first, again, after].map(told).join(' | ')}\n`)
      await server.end('SIGTERM')
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

async function took({ pid }: StudioProcess, work: () => Promise<unknown>): Promise<Took> {
  const [began, before] = [performance.now(), cpuMs(pid)]
  await work()
  return { wallMs: performance.now() - began, processorMs: cpuMs(pid) - before }
}

async function answerOne(ask: ReturnType<typeof connection>): Promise<void> {
  const { tasks } = (await ask('GET', '/api/tasks?count=1')) as Tasks
  const [image] = tasks[0].images
  await ask('POST', '/api/judgments', {
    judgments: [{ id: randomUUID(), kind: 'good-bad-skip', images: [image.id], answer: 'good', at: new Date().toISOString() }], // prettier-ignore
  })
}

await measure('SQLite', null)
await using postgres = await postgresServer({ isDurable: true })
if (postgres === undefined) process.stdout.write(`${noPostgres}\n`)
else await measure('PostgreSQL', await postgres.freshDatabase())
