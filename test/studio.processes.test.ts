/** Two processes of a studio on one port, many raters at once, and one process killed: what was asked, what is kept, who leads. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { StudioError } from '../src/errors.ts'
import { noPostgres, postgresServer } from '../src/feedback/store/postgres.test-helper.ts'
import { changeSettings } from '../src/feedback/store/settings.ts'
import { openFeedback } from '../src/feedback/store/store.ts'
import { lockName, readOwner } from '../src/run-lock.ts'
import { createClient } from '../src/studio/client.ts'
import { openStudio } from '../src/studio/open-studio.ts'
import { freePort, startProcess } from '../src/studio/studio-process.test-helper.ts'
import { addImageRun } from '../src/studio/studio.test-helper.ts'

const folder = mkdtempSync(join(tmpdir(), 'attune-processes-'))
const postgres = await postgresServer()
after(async () => {
  await postgres?.[Symbol.asyncDispose]()
  rmSync(folder, { recursive: true, force: true })
})
const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))
const raterCount = 24

/** Until it is answered: a process may be killed in the middle. */
async function sure<T>(ask: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await ask()
    } catch (error) {
      assert.ok(error instanceof StudioError && (error.isOffline || error.status === 503), String(error))
      await pause(50)
    }
  }
}

test('more than one process need PostgreSQL', async () => {
  const flags = ['--workspace', join(folder, 'sqlite'), '--port', '0', '--processes', '2']
  await assert.rejects(startProcess(...flags), /--processes: expected 1 with SQLite.*--database postgres/)
})

test(
  'two processes ask nothing twice and lose nothing, and when the one that leads is killed the other goes on with its jobs',
  { skip: postgres ? false : noPostgres },
  async () => {
    const [workspace, database] = [join(folder, 'work'), await postgres!.freshDatabase()]
    const texts = Array.from({ length: 60 }, (_, place) => `prompt ${place}`)
    {
      await using studio = await openStudio(workspace, { database })
      await addImageRun(studio, 'images-1', texts, { perPrompt: 3, side: 4 })
      await changeSettings(studio.store.database, { overlapShare: 0, goldShare: 0 })
    }
    const port = await freePort()
    const flags = ['--workspace', workspace, '--port', String(port), '--database', database, '--processes', '2']
    const server = await startProcess(...flags)
    const clientOf = (rater: string) => createClient(`http://127.0.0.1:${port}`, { rater: () => rater })
    const admin = clientOf('admin')
    const asked = new Map<string, Set<string>>()
    const sent = new Map<string, string>()
    let added = 0

    /** Judges until nothing is left to ask. */
    async function rate(name: string): Promise<void> {
      const client = clientOf(name)
      for (;;) {
        const { tasks } = await sure(() => client.tasks({ count: 1 }))
        if (tasks.length === 0) return
        const images = tasks.flatMap((task) => task.images.map(({ id }) => id))
        for (const id of images) asked.set(id, (asked.get(id) ?? new Set()).add(name))
        const at = new Date().toISOString()
        const judgments = images.map((id) => ({ id: randomUUID(), kind: 'good-bad-skip' as const, images: [id], answer: 'good' as const, at })) // prettier-ignore
        for (const { id } of judgments) sent.set(id, name)
        added += (await sure(() => client.judge({ judgments }))).added
      }
    }

    const leader = () => readOwner(join(workspace, 'jobs', lockName))!.pid
    const first = leader()
    const { id, run } = await sure(() => admin.startJob({ stage: 'images generate', settings: { promptCount: 1, perPrompt: 2 } })) // prettier-ignore
    const raters = Array.from({ length: raterCount }, (_, place) => rate(`rater ${place}`))
    while (sent.size < 60) await pause(5)
    process.kill(first, 'SIGKILL')
    await Promise.all(raters)
    const told = await sure(() => admin.job(id))
    assert.notEqual(leader(), first)
    for (let { state } = told; state !== 'done'; { state } = await sure(() => admin.job(id))) {
      assert.ok(state === 'waiting' || state === 'running', state)
      await pause(100)
    }
    // Every process has heard of the new round.
    await Promise.all(Array.from({ length: raterCount }, (_, place) => rate(`rater ${place}`)))
    assert.ok((await sure(() => admin.rounds())).rounds.some(({ name }) => name === run))
    await server.end('SIGTERM')

    await using store = await openFeedback(database)
    const rows = await store.allRows()
    const images = await store.images()
    assert.equal(images.length, 182)
    assert.deepEqual(rows.map((row) => row.images[0]).sort(), images.map(({ record }) => record.id).sort())
    for (const row of rows) assert.equal(row.rater, sent.get(row.id))
    for (const [image, names] of asked) assert.equal(names.size, 1, `${image} was asked of ${[...names].join(', ')}`)
    assert.ok(added <= rows.length)
  },
)
