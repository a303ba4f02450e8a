/** What callers may send, how much of it at once and how slowly; by whom is known before a byte of it is read. */
import assert from 'node:assert/strict'
import { readFileSync, readdirSync, mkdtempSync, rmSync } from 'node:fs'
import { Agent, request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { Failure } from '../schemas/basics.ts'
import { listen } from '../start-studio.ts'
import { freePort, startProcess } from '../studio-process.test-helper.ts'
import { addImageRun, changing, goodBad, testStudio, type TestStudio } from '../studio.test-helper.ts'
import { invite } from './accounts.ts'
import { studioApp } from './app.ts'
import { Budget } from './bodies.ts'

const codeOf = async (answer: Response) => Failure.parse(await answer.json()).error.code

async function cookieOf(it: TestStudio, role: 'rater' | 'admin'): Promise<string> {
  const { token } = await invite(it.studio.store, { name: role, role, days: 1 })
  const answer = await it.app.request('/api/sessions', changing('POST', { token }))
  return answer.headers.get('set-cookie')!.split(';')[0]
}

/** A body of which nobody knows the length, and what was read of it. */
function streamed(pieces: number, piece: Uint8Array, end: 'close' | 'error' | 'stand still' = 'close') {
  const told = { pieces: 0, isCancelled: false }
  const body = new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        if (told.pieces < pieces) {
          told.pieces++
          controller.enqueue(piece)
        } else if (end === 'close') controller.close()
        else if (end === 'error') controller.error(new TypeError('the connection is gone'))
        else return new Promise(() => undefined)
        return undefined
      },
      cancel() {
        told.isCancelled = true
      },
    },
    { highWaterMark: 0 },
  )
  return { body, told }
}

const multipart = { 'x-attune': '1', 'content-type': 'multipart/form-data; boundary=x' }
const filePart = Buffer.from('--x\r\ncontent-disposition: form-data; name="files"; filename="a.png"\r\n\r\n')
const send = (body: ReadableStream<Uint8Array>, headers: Record<string, string>, method = 'POST') =>
  ({ method, body, headers, duplex: 'half' }) as RequestInit
const uploads = ({ studio }: TestStudio) => readdirSync(studio.workspace.at('uploads'))

test('nothing is read of a body before it is known who calls, on any route and with any method', async () => {
  await using it = await testStudio({ login: true })
  const rater = await cookieOf(it, 'rater')
  const json = { 'x-attune': '1', 'content-type': 'application/json' }
  const calls: readonly [path: string, method: string, headers: Record<string, string>, status: number][] = [
    ['/api/uploads', 'POST', multipart, 401],
    ['/api/import', 'POST', multipart, 401],
    ['/api/judgments', 'POST', json, 401],
    ['/api/judgments', 'POST', { ...json, cookie: `attune-session=${'x'.repeat(15_000)}` }, 401],
    ['/api/uploads', 'PUT', multipart, 404],
    ['/api/none', 'POST', json, 404],
    ['/none', 'POST', json, 404],
    ['/api/uploads', 'POST', { 'content-type': multipart['content-type'] }, 403],
    ['/api/uploads', 'POST', { ...multipart, cookie: rater }, 403],
    ['/api/jobs', 'POST', { ...json, cookie: rater }, 403],
    ['/api/sessions', 'DELETE', { ...json, cookie: rater }, 200],
  ]
  for (const [path, method, headers, status] of calls) {
    const { body, told } = streamed(1000, new Uint8Array(1e6))
    const answer = await it.app.request(path, send(body, headers, method))
    assert.deepEqual([answer.status, told.pieces], [status, 0], `${method} ${path}`)
  }
})

test('an upload goes to the disk piece by piece, and goes away where it is refused, broken off or stands still', async () => {
  await using it = await testStudio()
  const slow = studioApp(it.studio, { patience: { startMs: 100, bytesPerSecond: 1e12 } })
  const piece = new Uint8Array(1e6).fill(120)
  for (const [pieces, end, status] of [
    [3, 'error', 400],
    [3, 'stand still', 408],
    [600, 'close', 413],
    [3, 'close', 400],
  ] as const) {
    const { body, told } = streamed(pieces, piece, end)
    const whole = new ReadableStream<Uint8Array>({
      async start(controller) {
        controller.enqueue(filePart)
        const reader = body.getReader()
        try {
          for (let next = await reader.read(); !next.done; next = await reader.read()) controller.enqueue(next.value)
          controller.close()
        } catch (error) {
          controller.error(error)
        }
      },
    })
    const app = end === 'stand still' ? slow : it.app
    const answer = await app.request('/api/uploads', send(whole, multipart))
    assert.equal(answer.status, status, `${end} after ${told.pieces}: ${await answer.text()}`)
    assert.deepEqual(uploads(it), [], end)
  }
  const announced = streamed(1, piece)
  const large = await it.app.request(
    '/api/uploads',
    send(announced.body, { ...multipart, 'content-length': '600000000' }),
  )
  assert.deepEqual([large.status, announced.told.pieces], [413, 0], 'its length was told')
})

test('a form is refused by its first parts too many, by large fields, and never leads a file elsewhere', async () => {
  await using it = await testStudio()
  const part = (disposition: string, content = '') =>
    `--x\r\ncontent-disposition: form-data; ${disposition}\r\n\r\n${content}\r\n`
  const sendForm = async (text: string, path = '/api/uploads') => {
    const answer = await it.app.request(path, { method: 'POST', headers: multipart, body: text })
    return [answer.status, await answer.text()] as const
  }
  const many = 100_000
  for (const disposition of ['name="prompts"', 'name="files"; filename="a.png"', 'name="files"; filename=""']) {
    const [status, told] = await sendForm(`${part(disposition).repeat(many)}--x--`)
    assert.deepEqual([status, /at most 1000 fields and files/.test(told)], [413, true], disposition)
  }
  assert.equal((await sendForm(`${part('name="prompts"', 'x'.repeat(6_000_000))}--x--`))[0], 413)
  const names = [
    '../../../../tmp/attune-out.png', '/tmp/attune-out.png', '..\\..\\attune-out.png', 'a\0b.png', '.', '..', 'CON', '\u202e.png',
    'x'.repeat(10_000), '__proto__', '%00', '%2e%2e%2fattune-out.png',
  ] // prettier-ignore
  const prompts = JSON.stringify(names.map(() => 'two red circles'))
  const files = names.map((name) => part(`name="files"; filename="${name}"`, 'no picture')).join('')
  const [status, told] = await sendForm(`${files}${part('name="prompts"', prompts)}--x--`)
  assert.deepEqual([status, told.length < 5000], [200, true], told)
  const judgments = part(`name="file"; filename="${names[0]}"`, 'no judgments') + part('name="format"', 'csv')
  assert.equal((await sendForm(`${judgments}--x--`, '/api/import'))[0], 400)
  assert.equal((await sendForm(`${part('name="__proto__"', 'x')}${part('name="constructor"', 'x')}--x--`))[0], 400)
  assert.deepEqual(uploads(it), [])
  assert.deepEqual(readdirSync(it.studio.workspace.at('..')), ['work'])
})

test('what callers send at once is bounded, each and all together, and what is done does not count', () => {
  const budget = new Budget({ most: 100, mostEach: 60 })
  const refused = /Error: body: expected at most/
  const [ada, again, bob] = [budget.hold('Ada'), budget.hold('Ada'), budget.hold('Bob')]
  ada.take(40)
  assert.throws(() => again.take(30), refused)
  bob.take(60)
  assert.throws(() => again.take(1), refused)
  bob[Symbol.dispose]()
  again.take(20)
  ada[Symbol.dispose]()
  ada[Symbol.dispose]()
  again.take(40)
})

test('bodies, ids and answers a minute have their bounds', async () => {
  await using it = await testStudio({ login: true })
  const [image] = await addImageRun(it.studio, 'round-1', ['two red circles'])
  const cookie = await cookieOf(it, 'rater')
  const judge = (judgments: object[]) => it.app.request('/api/judgments', changing('POST', { judgments }, { cookie }))
  const long = 'x'.repeat(900_000)
  for (const one of [
    { ...goodBad(long, image.id) },
    { ...goodBad('a', long) },
    { ...goodBad('a', image.id), undoes: long },
  ]) {
    assert.equal((await judge([one])).status, 413)
  }
  for (const one of [
    goodBad('x'.repeat(201), image.id),
    goodBad('a', 'x'.repeat(101)),
    { ...goodBad('a', image.id), undoes: 'x'.repeat(201) },
    { ...goodBad('a', image.id), shown: ['x'.repeat(101)] },
    { ...goodBad('a', image.id), shown: Array.from({ length: 17 }, () => image.id) },
  ]) {
    assert.equal(await codeOf(await judge([one])), 'config')
  }
  assert.equal(
    (await it.app.request('/api/sessions', changing('POST', { token: 'x'.repeat(20_000) }))).status,
    413,
    'a body that everybody may send is small',
  )
  assert.equal((await it.studio.store.allRows()).length, 0)
  const statuses: number[] = []
  for (let call = 0; call < 7; call++) {
    const many = Array.from({ length: 200 }, (_, i) => goodBad(`${call}-${i}`, image.id))
    statuses.push((await judge(many)).status)
  }
  // A new minute may begin in between.
  assert.ok(statuses.filter((status) => status === 200).length >= 6, String(statuses))
  assert.ok((await it.studio.store.allRows()).length % 200 === 0)
})

test(
  'six callers without an account who send without end take no memory of the server',
  { skip: process.platform === 'linux' ? false : 'reads /proc' },
  async () => {
    const folder = mkdtempSync(join(tmpdir(), 'attune-bodies-'))
    const port = await freePort()
    const studio = await startProcess('--host', '0.0.0.0', '--port', String(port), '--workspace', join(folder, 'work'))
    const peakMb = () => Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${studio.pid}/status`, 'utf8'))![1]) / 1024
    try {
      const before = peakMb()
      const piece = Buffer.alloc(2 ** 20)
      const endless = (method: string, path: string) =>
        new Promise<void>((ended) => {
          const call = request({ port, path, method, headers: multipart })
          let sent = 0
          const more = () => {
            while (!call.destroyed && sent++ < 150) if (!call.write(piece)) return
            call.end()
          }
          call.on('drain', more)
          call.on('response', (answer) => answer.resume())
          call.on('error', () => undefined)
          call.on('close', ended)
          more()
        })
      for (const [method, path] of [
        ['POST', '/api/uploads'],
        ['PUT', '/api/uploads'],
        ['POST', '/api/none'],
      ]) {
        await Promise.all(Array.from({ length: 6 }, () => endless(method, path)))
      }
      assert.ok(peakMb() - before < 200, `${before} MB, then ${peakMb()} MB`)
    } finally {
      await studio.end('SIGTERM')
      rmSync(folder, { recursive: true, force: true })
    }
  },
)

test('a connection goes on after a body that was too large', async () => {
  await using it = await testStudio()
  await using server = await listen(it.app, { host: '127.0.0.1', port: 0 })
  using agent = { keep: new Agent({ keepAlive: true, maxSockets: 1 }), [Symbol.dispose]: () => agent.keep.destroy() }
  const ask = (method: string, path: string, headers: Record<string, string>, body = '') =>
    new Promise<[status: number | undefined, isReused: boolean]>((answered, failed) => {
      const asked = request({ agent: agent.keep, host: '127.0.0.1', port: server.port, method, path, headers }, (answer) => {
        answer.resume().once('end', () => answered([answer.statusCode, asked.reusedSocket]))
      }) // prettier-ignore
      asked.once('error', failed).end(body)
    })
  const large = JSON.stringify({ text: 'x'.repeat(300_000) })
  await ask('GET', '/api/guidelines', {})
  for (const [name, length] of [
    ['content-length', String(large.length)],
    ['transfer-encoding', 'chunked'],
  ]) {
    const headers = { 'x-attune': '1', 'content-type': 'application/json', [name]: length }
    assert.deepEqual(await ask('PUT', '/api/guidelines', headers, large), [413, true])
    // Longer than the server waits for the rest of a body.
    await new Promise((resolve) => setTimeout(resolve, 600))
    assert.deepEqual(await ask('GET', '/api/guidelines', {}), [200, true])
  }
})
