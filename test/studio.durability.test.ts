/**
 * Two hundred raters over HTTP, while the server is killed again and again: what was acknowledged is in the store once,
 * and nothing else is.
 */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { StudioError } from '../src/errors.ts'
import { noPostgres, postgresServer } from '../src/feedback/store/postgres.test-helper.ts'
import { openFeedback } from '../src/feedback/store/store.ts'
import { random, type Random } from '../src/random.ts'
import { createClient, type StudioClient } from '../src/studio/client.ts'
import { openStudio } from '../src/studio/open-studio.ts'
import type { NewJudgment } from '../src/studio/schemas/labelling.ts'
import { freePort, startProcess } from '../src/studio/studio-process.test-helper.ts'
import { addImageRun } from '../src/studio/studio.test-helper.ts'

const folder = mkdtempSync(join(tmpdir(), 'attune-durability-'))
const postgres = await postgresServer({ isDurable: true })
after(async () => {
  await postgres?.[Symbol.asyncDispose]()
  rmSync(folder, { recursive: true, force: true })
})
const raterCount = 200
const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))

/** What the raters have done. */
class Ledger {
  /** Every judgment that a rater has tried to send. */
  readonly sent = new Map<string, NewJudgment & { rater: string }>()
  readonly acknowledged = new Set<string>()
  /** How many answers said that a judgment was new. */
  readonly counted = new Map<string, number>()
  lost = 0

  /** Until so many more judgments are acknowledged. */
  async more(count: number): Promise<void> {
    const wanted = this.acknowledged.size + count
    while (this.acknowledged.size < wanted) await pause(10)
  }
}

/** Labels until told to stop; nothing that it has begun to send is left without an acknowledgement, but what it gives up. */
async function rate(name: string, client: StudioClient, ledger: Ledger, stream: Random, isOver: () => boolean) {
  let last: NewJudgment | undefined

  /** @returns whether the server has acknowledged it */
  async function send(judgment: NewJudgment): Promise<boolean> {
    ledger.sent.set(judgment.id, { ...judgment, rater: name })
    for (;;) {
      const isDouble = stream.uniform() < 0.2
      const answers = await Promise.allSettled(
        Array.from({ length: isDouble ? 2 : 1 }, () => client.judge({ judgments: [judgment] })),
      )
      for (const answer of answers) {
        if (answer.status === 'rejected') {
          assert.ok(answer.reason instanceof StudioError && answer.reason.isOffline, String(answer.reason))
          ledger.lost++
          continue
        }
        ledger.acknowledged.add(judgment.id)
        ledger.counted.set(judgment.id, (ledger.counted.get(judgment.id) ?? 0) + answer.value.added)
      }
      if (ledger.acknowledged.has(judgment.id)) return true
      // closed the page, and it may be in the store or not
      if (stream.uniform() < 0.05) return false
      await pause(100 + 300 * stream.uniform())
    }
  }

  while (!isOver()) {
    const next = await client.tasks({ count: 1 }).catch(() => undefined)
    if (next === undefined) await pause(100 + 300 * stream.uniform())
    for (const { id } of next?.tasks[0]?.images ?? []) {
      if (isOver()) return
      const judgment: NewJudgment = {
        id: randomUUID(),
        kind: 'good-bad-skip',
        images: [id],
        answer: stream.pick(['good', 'bad', 'skip'] as const),
        at: new Date().toISOString(),
      }
      if (await send(judgment)) last = judgment
      if (last !== undefined && stream.uniform() < 0.1) {
        await send({ ...last, id: randomUUID(), undoes: last.id })
        last = undefined
      }
    }
  }
}

interface Trial {
  readonly name: string
  /** Where the judgments are kept; undefined for a SQLite file. */
  readonly database?: string
  /** What happens while the raters work; `restart` kills the server and starts it again. */
  readonly disasters: (ledger: Ledger, restart: () => Promise<void>) => Promise<void>
}

async function endure({ name, database, disasters }: Trial): Promise<void> {
  const workspace = join(folder, name)
  {
    await using studio = await openStudio(workspace, { database: database ?? null })
    await addImageRun(studio, 'images-1', Array.from({ length: 300 }, (_, place) => `prompt ${place}`), { perPrompt: 3 }) // prettier-ignore
  }
  const port = await freePort()
  const start = () =>
    startProcess(
      ...['--workspace', workspace, '--port', String(port)],
      ...(database === undefined ? [] : ['--database', database]),
    )
  let server = await start()
  const ledger = new Ledger()
  let isOver = false
  const raters = Array.from({ length: raterCount }, (_, place) => {
    const rater = `rater ${place}`
    const client = createClient(`http://127.0.0.1:${port}`, { rater: () => rater })
    return rate(rater, client, ledger, random(1, place), () => isOver)
  })
  const restart = async () => {
    await server.end('SIGKILL')
    server = await start()
  }
  await Promise.all([...raters, disasters(ledger, restart).finally(() => (isOver = true))])
  await server.end('SIGTERM')

  await using store = await openFeedback(database ?? join(workspace, 'studio.sqlite'))
  const rows = await store.allRows()
  const ids = new Set(rows.map(({ id }) => id))
  assert.equal(ids.size, rows.length)
  for (const id of ledger.acknowledged) assert.ok(ids.has(id), `${id} was acknowledged`)
  for (const { raterKind: _kind, ...row } of rows) assert.deepEqual(row, ledger.sent.get(row.id))
  for (const count of ledger.counted.values()) assert.ok(count <= 1)
  const undone = new Set(rows.flatMap(({ undoes }) => undoes ?? []))
  const standing = rows.filter(({ id, undoes }) => undoes === undefined && !undone.has(id)).map(({ id }) => id)
  // the latest of a rater about one image: none was asked twice, unless the first was taken back or given up
  const latest = new Map(rows.filter(({ id }) => standing.includes(id)).map((row) => [`${row.rater} ${row.images[0]}`, row.id])) // prettier-ignore
  assert.deepEqual((await store.judgments()).map(({ id }) => id).sort(), [...latest.values()].sort())
  assert.ok(ledger.lost > 0 && undone.size > 0)
  process.stdout.write(
    `# ${name}: ${ledger.acknowledged.size} acknowledged of ${ledger.sent.size} sent, ${rows.length} in the store, ` +
      `${ledger.lost} answers lost\n`,
  )
}

test('SQLite: the server is killed five times', async () => {
  await endure({
    name: 'sqlite',
    async disasters(ledger, restart) {
      for (let kill = 0; kill < 5; kill++) {
        await ledger.more(50 + 30 * kill)
        await restart()
      }
      await ledger.more(100)
    },
  })
})

test(
  'PostgreSQL: the server is killed, and the database server too',
  { skip: postgres ? false : noPostgres },
  async () => {
    await endure({
      name: 'postgres',
      database: await postgres!.freshDatabase(),
      async disasters(ledger, restart) {
        for (let kill = 0; kill < 2; kill++) {
          await ledger.more(100)
          await restart()
          await ledger.more(50)
          await postgres!.crash()
        }
        await ledger.more(100)
      },
    })
  },
)
