/** The server as a user starts it. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { ConfigError, RunInUseError } from '../errors.ts'
import { readRun } from '../run.ts'
import { createClient, type StudioClient } from './client.ts'
import type { JobDetail } from './schemas/jobs.ts'
import { startStudio, StudioConfig } from './studio-command.ts'

const folder = mkdtempSync(join(tmpdir(), 'attune-studio-'))
after(() => rmSync(folder, { recursive: true, force: true }))
const configOf = (settings: Partial<StudioConfig> = {}) =>
  StudioConfig.parse({ workspace: join(folder, 'work'), port: 0, ...settings })

test('listens on this machine alone, and lets nobody else have its workspace or its port', async () => {
  await using running = await startStudio(configOf())
  assert.match(running.address, /^http:\/\/127\.0\.0\.1:\d+$/)
  assert.equal(running.invitation, null)
  const { login, user, workspace } = await createClient(running.address).state()
  assert.deepEqual([login, user, workspace], [false, { name: null, role: 'admin' }, 'work'])
  await assert.rejects(startStudio(configOf()), RunInUseError)
  const port = Number(new URL(running.address).port)
  await assert.rejects(startStudio(configOf({ port, workspace: join(folder, 'other') })), ConfigError)
  await using other = await startStudio(configOf({ workspace: join(folder, 'other') }))
  assert.notEqual(other.address, running.address)
})

test('on another address it asks for accounts, and tells the first admin how to come in', async () => {
  const config = configOf({ host: '0.0.0.0', workspace: join(folder, 'open') })
  {
    await using running = await startStudio(config)
    const base = running.address.replace('0.0.0.0', '127.0.0.1')
    await assert.rejects(createClient(base).state(), /expected an account/)
    const token = running.invitation!.split('/').at(-1)!
    assert.deepEqual((await createClient(base).accept({ token })).user, { name: 'admin', role: 'admin' })
  }
  await using again = await startStudio(config)
  assert.equal(again.invitation, null, 'there is an admin')
})

test('the command serves until it is told to end, and never loads libtorch', async () => {
  const cli = fileURLToPath(new URL('../cli.ts', import.meta.url))
  const child = spawn(process.execPath, [cli, 'studio', '--port', '0', '--workspace', join(folder, 'command')], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const [line] = (await once(child.stderr, 'data')) as [Buffer]
  const address = /http:\S+/.exec(line.toString())![0]
  assert.equal((await createClient(address).state()).counts.images, 0)
  if (process.platform === 'linux') {
    assert.ok(!readFileSync(`/proc/${child.pid}/maps`, 'utf8').includes('libtorch'))
  }
  child.kill('SIGTERM')
  const [code] = (await once(child, 'exit')) as [number]
  assert.equal(code, 0)
})

test('a server that is killed leaves its job running, and the next one finds it and sees it end', async () => {
  const cli = fileURLToPath(new URL('../cli.ts', import.meta.url))
  const start = async () => {
    const words = [cli, 'studio', '--port', '0', '--workspace', join(folder, 'killed')]
    const server = spawn(process.execPath, words, { stdio: ['ignore', 'ignore', 'pipe'] })
    const [line] = (await once(server.stderr, 'data')) as [Buffer]
    return { server, client: createClient(/http:\S+/.exec(line.toString())![0]) }
  }
  const first = await start()
  const { id } = await first.client.drawRound({ promptCount: 32, perPrompt: 8 })
  const until = async (client: StudioClient, isSo: (job: JobDetail) => boolean) => {
    for (let look = 0; look < 1200; look++) {
      const job = await client.job(id)
      if (isSo(job)) return job
      await wait(100)
    }
    assert.fail('waited for two minutes')
  }
  const { startedAt } = await until(first.client, ({ progress }) => progress !== null)
  first.server.kill('SIGKILL')
  await once(first.server, 'exit')

  const second = await start()
  const job = await until(second.client, ({ state }) => state !== 'running')
  assert.deepEqual([job.state, job.startedAt, job.results.images], ['done', startedAt, 256])
  const { finishedAt } = readRun(join(folder, 'killed', 'runs', job.run))
  assert.ok(
    Math.abs(Date.parse(job.finishedAt!) - Date.parse(finishedAt)) < 1000,
    'when the run ended, not when it was seen',
  )
  assert.equal((await second.client.rounds()).rounds[0].images, 256)
  second.server.kill('SIGTERM')
  assert.deepEqual(await once(second.server, 'exit'), [0, null])
})

test('a client that reaches nobody says so', async () => {
  const client = createClient('http://127.0.0.1:1')
  await assert.rejects(client.state(), { code: 'offline', isOffline: true })
  const foreign = createClient('http://x', { fetch: () => Promise.resolve(new Response('<html>')) })
  await assert.rejects(foreign.state(), { code: 'answer' })
  const broken = createClient('http://x', { fetch: () => Promise.resolve(new Response('<html>', { status: 502 })) })
  await assert.rejects(broken.state(), { code: 'answer', status: 502, isOffline: true })
})
