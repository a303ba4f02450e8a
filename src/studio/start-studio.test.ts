/** The server as a user starts it. */
import assert from 'node:assert/strict'
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir, type NetworkInterfaceInfo } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { ConfigError, RunInUseError } from '../errors.ts'
import { endSessionsOf } from '../feedback/raters/sessions.ts'
import { readRun } from '../run.ts'
import { createClient, type StudioClient } from './client.ts'
import type { JobDetail } from './schemas/jobs.ts'
import { reachableAddress } from './server/reachable.ts'
import { startStudio, StudioConfig } from './start-studio.ts'

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

test('on another address it asks for accounts, and tells an admin how to come in by an address that works', async () => {
  const config = configOf({ host: '0.0.0.0', workspace: join(folder, 'open') })
  {
    await using running = await startStudio(config)
    assert.ok(!running.address.includes('0.0.0.0'), running.address)
    assert.ok(running.invitation!.startsWith(`${running.address}/#/invitation/`))
    const client = createClient(running.address)
    await assert.rejects(client.state(), /expected an account/)
    const token = running.invitation!.split('/').at(-1)!
    assert.deepEqual((await client.accept({ token })).user, { name: 'admin', role: 'admin' })
  }
  {
    await using again = await startStudio(config)
    assert.equal(again.invitation, null, 'there is an admin who is signed in')
    await endSessionsOf(again.studio.store.database, 'admin')
  }
  await using third = await startStudio(config)
  assert.match(third.invitation ?? '', /invitation/, 'the only admin has signed out')
})

test('a new link of an admin can be had at any time, while the studio runs and while it does not', async () => {
  const config = configOf({ host: '0.0.0.0', workspace: join(folder, 'locked-out') })
  const cli = fileURLToPath(new URL('../cli.ts', import.meta.url))
  const invited = async (...flags: string[]) => {
    const words = [cli, 'studio', 'invite', '--workspace', config.workspace, ...flags]
    return (await promisify(execFile)(process.execPath, words)).stdout.trim()
  }
  {
    await using running = await startStudio(config)
    const client = createClient(running.address)
    const enter = async (link: string) => (await client.accept({ token: link.split('/').at(-1)! })).user
    await enter(running.invitation!)
    await endSessionsOf(running.studio.store.database, 'admin')
    const link = await invited('--admin')
    assert.ok(link.startsWith(`${running.address}/#/invitation/`), link)
    assert.deepEqual(await enter(link), { name: 'admin', role: 'admin' })
    assert.deepEqual(await enter(await invited('--name', 'Ada')), { name: 'Ada', role: 'rater' })
    assert.deepEqual(await enter(await invited('--name', 'Ada', '--admin')), { name: 'Ada', role: 'admin' })
    await assert.rejects(invited(), /expected a name of 1 to 200 characters/)
  }
  const publicUrl = 'https://studio.example'
  assert.ok((await invited('--admin', '--public-url', publicUrl)).startsWith(`${publicUrl}/#/invitation/`))
  assert.match(await invited('--admin', '--port', '5000'), /^http:\/\/[^/]+:5000\/#/)
  await using local = await startStudio(configOf({ workspace: config.workspace }))
  await assert.rejects(invited('--admin'), (error: Error) => error.message.includes(local.address))
})

test('the address that others can type', () => {
  const one = (address: string, family: 'IPv4' | 'IPv6', internal = false) =>
    ({ address, family, internal }) as NetworkInterfaceInfo
  const lo = [one('127.0.0.1', 'IPv4', true), one('::1', 'IPv6', true)]
  const eth = [one('fe80::1', 'IPv6'), one('2001:db8::7', 'IPv6'), one('192.0.2.7', 'IPv4')]
  assert.equal(reachableAddress('0.0.0.0', 4870, { lo, eth }), 'http://192.0.2.7:4870')
  assert.equal(reachableAddress('::', 4870, { lo, eth: eth.slice(0, 2) }), 'http://[2001:db8::7]:4870')
  assert.equal(reachableAddress('0.0.0.0', 1, { lo }), 'http://127.0.0.1:1')
  assert.equal(reachableAddress('studio.example', 1, { lo, eth }), 'http://studio.example:1')
  assert.equal(reachableAddress('::1', 1, { lo, eth }), 'http://[::1]:1')
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
