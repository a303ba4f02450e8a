import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import { StudioConfig } from '../start-studio.ts'
import { recordOf } from './job-record.test-helper.ts'
import { Webhook } from './webhook.ts'

interface Heard {
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

/** Answers with these statuses in turn, the last one for ever. */
async function listener(statuses: readonly number[]): Promise<AsyncDisposable & { url: string; heard: Heard[] }> {
  const heard: Heard[] = []
  const server: Server = createServer((request, response) => {
    void text(request).then((body) => {
      heard.push({ headers: request.headers, body })
      const status = statuses[Math.min(heard.length, statuses.length) - 1]
      response.writeHead(status, { location: '/elsewhere' }).end()
    })
  })
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook?key=1`,
    heard,
    [Symbol.asyncDispose]: () => new Promise((closed) => server.close(() => closed())),
  }
}

function hookTo(url: string, secret?: string) {
  const notes: string[] = []
  const note = (line: string) => void notes.push(line)
  return { notes, hook: new Webhook({ url, secret, studio: 'https://studio.example', note, waitsMs: [1, 1] }) }
}

test('tells each event once, in order and signed', async () => {
  await using it = await listener([204])
  const { hook, notes } = hookTo(it.url, 'between us')
  hook.changed(recordOf(1, 'dpok-1', { state: 'waiting' }))
  hook.changed(recordOf(1, 'dpok-1', { state: 'running', startedAt: '2026-01-01T00:00:00.000Z' }))
  hook.changed(recordOf(1, 'dpok-1', { state: 'stopping' }))
  hook.changed(recordOf(1, 'dpok-1', { state: 'failed', error: 'memory ran out' }))
  await hook.idle()
  const told = it.heard.map(({ body }) => JSON.parse(body))
  assert.deepEqual(
    told.map(({ event, studio, job }) => [event, studio, job.run, job.title, job.reason]),
    [
      ['job.started', 'https://studio.example', 'dpok-1', 'DPOK fine-tuning', null],
      ['job.failed', 'https://studio.example', 'dpok-1', 'DPOK fine-tuning', 'memory ran out'],
    ],
  )
  for (const { headers, body } of it.heard) {
    const expected = `sha256=${createHmac('sha256', 'between us').update(body).digest('hex')}`
    assert.equal(headers['x-attune-signature'], expected)
  }
  assert.notEqual(it.heard[0].headers['x-attune-delivery'], it.heard[1].headers['x-attune-delivery'])
  assert.deepEqual(notes, [])
})

test('an alarm is told once, while a training is at work', async () => {
  await using it = await listener([200])
  const { hook } = hookTo(it.url)
  const jobs = { all: () => [recordOf(1, 'dpok-1', { state: 'running' }), recordOf(2, 'dpok-2')] }
  hook.look(jobs, () => null)
  hook.look(jobs, () => 'Step 4: grids.')
  hook.look(jobs, () => 'Step 6: grids.')
  await hook.idle()
  assert.deepEqual(
    it.heard.map(({ body }) => [JSON.parse(body).event, JSON.parse(body).job.run, JSON.parse(body).job.reason]),
    [['job.alarm', 'dpok-1', 'Step 4: grids.']],
  )
  assert.equal(it.heard[0].headers['x-attune-signature'], undefined)
})

test('tries again where the other side is at fault, follows no redirect, and tells what did not arrive', async () => {
  const job = recordOf(1, 'dpok-1', { state: 'done' })
  const tried = async (statuses: readonly number[]) => {
    await using it = await listener(statuses)
    const { hook, notes } = hookTo(it.url)
    hook.changed(job)
    await hook.idle()
    return [it.heard.length, notes] as const
  }
  assert.deepEqual(await tried([503, 200]), [2, []])
  const refused = (status: number) => [
    `webhook: job.finished of dpok-1 did not arrive: expected an answer of 200 to 299, received ${status}`,
  ]
  assert.deepEqual(await tried([500]), [3, refused(500)])
  assert.deepEqual(await tried([302]), [1, refused(302)])
  assert.deepEqual(await tried([404]), [1, refused(404)])
  const { hook, notes } = hookTo('http://127.0.0.1:9/')
  hook.changed(job)
  await hook.idle()
  assert.match(notes.join(), /^webhook: job\.finished of dpok-1 did not arrive: ./)
})

test('an address with a name and a password, to which nothing could be sent, is refused', () => {
  const { webhook } = StudioConfig.shape
  for (const given of ['http://me:secret@hook.example/', 'https://me@hook.example/', 'ftp://hook.example/', 'hook']) {
    assert.ok(!webhook.safeParse(given).success, given)
  }
  for (const given of ['https://hook.example/?key=a:b@c', null]) assert.ok(webhook.safeParse(given).success)
})
