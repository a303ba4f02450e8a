import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect } from 'node:net'
import { join } from 'node:path'
import { text as textOfStream } from 'node:stream/consumers'
import { after, before, describe, it, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import sharp from 'sharp'
import { z } from 'zod'
import { fixtures } from '../../networks/clip/fixture.test-helper.ts'
import { VocabularyError } from '../../errors.ts'
import { modelFields, type Open } from '../../images/open-model.ts'
import { encodePng, pixelsOf, type Picture } from '../../images/png.ts'
import { random } from '../../random.ts'
import { full } from '../../tensor/create.ts'
import { tensorScope } from '../../tensor/scope.ts'
import { openReward } from '../open-reward.ts'
import type { Reward } from '../reward.ts'
import { mostRequestBytes, tokenVariable } from './protocol.ts'
import { startRewardServer } from './serve-reward.ts'

const config = z.object(modelFields).parse({ device: 'cpu', threads: 1 })
const unopened: Open = () => assert.fail('the model is not needed')
const here = { host: '127.0.0.1', port: 0 }

/** Noise. */
function pictureOf(seed: number, width = 40, height = 32): Picture {
  const stream = random(seed)
  return { bytes: Uint8Array.from({ length: width * height * 3 }, () => stream.integer(0, 255)), width, height }
}
const inBase64 = async (picture: Picture) => (await encodePng(picture)).toString('base64')
const json = { 'content-type': 'application/json' }
const post = (address: string, body: unknown, headers: Record<string, string> = json) =>
  fetch(address, { method: 'POST', headers, body: typeof body === 'string' ? body : JSON.stringify(body) })

interface Answered {
  readonly scores: (number | null)[]
  readonly errors?: (string | null)[]
}

describe('a program that serves a reward', () => {
  const clip = join(fixtures, 'clip')
  const cli = fileURLToPath(new URL('../../cli.ts', import.meta.url))
  const child = spawn(
    process.execPath,
    [cli, 'reward', 'serve', '--reward', clip, '--port', '0', '--device', 'cpu', '--threads', '1'],
    {
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  )
  after(() => child.kill('SIGKILL'))

  it('gives our client the scores that the reward itself gives, to the bit, and ends in order', async () => {
    using _scope = tensorScope()
    const out = textOfStream(child.stdout)
    let told = ''
    child.stderr.on('data', (piece) => (told += String(piece)))
    while (!told.includes('/score\n')) await once(child.stderr, 'data')
    const address = /http:\S+\/score/.exec(told)![0]
    const own = await openReward(clip, config, unopened)
    const served = await openReward(address, config, unopened)
    const pixels = pixelsOf([1, 2, 3, 4, 5].map((seed) => pictureOf(seed)))
    const texts = ['a red apple', 'two dogs', '', 'a red apple', 'A “blue” ball 🎈']
    assert.deepEqual(served.score(pixels, texts).toArray(), own.score(pixels, texts).toArray())
    assert.deepEqual([served.sha256, served.range, served.isWithinPrompt], [own.sha256, own.range, true])
    assert.equal(served.server?.name, 'clip')
    const ended = once(child, 'exit')
    child.kill('SIGTERM')
    assert.deepEqual(await ended, [0, null])
    assert.equal(await out, `${address}\n`)
  })
})

describe('a reward server', () => {
  let running: Awaited<ReturnType<typeof startRewardServer>>
  let address = ''
  before(async () => {
    running = await startRewardServer(await openReward('redness', config, unopened), here)
    address = running.address
  })
  after(() => running[Symbol.asyncDispose]())
  const at = (path: string) => address.replace(/\/score$/, path)

  it('says which reward it is, and that it is well', async () => {
    assert.deepEqual(await (await fetch(at('/info'))).json(), {
      name: 'redness',
      sha256: 'redness 1',
      range: [-1, 1],
      comparable: 'across prompts',
      mostImages: 256,
    })
    assert.deepEqual(await (await fetch(at('/health'))).json(), { status: 'ok', waiting: 0 })
  })

  it('scores images of several sizes and kinds of PNG, and says of each other what is wrong with it', async () => {
    const red = (width: number, height: number) =>
      sharp({ create: { width, height, channels: 3, background: '#ff0000' } })
    const images = await Promise.all([
      inBase64(pictureOf(1)),
      red(8, 8)
        .png()
        .toBuffer()
        .then((file) => file.toString('base64')),
      red(16, 4)
        .png({ palette: true })
        .toBuffer()
        .then((file) => file.toString('base64')),
      red(8, 8)
        .ensureAlpha(0.5)
        .png()
        .toBuffer()
        .then((file) => file.toString('base64')),
      red(8, 8)
        .greyscale()
        .toColourspace('b-w')
        .png()
        .toBuffer()
        .then((file) => file.toString('base64')),
      red(8, 8)
        .toColourspace('rgb16')
        .png()
        .toBuffer()
        .then((file) => file.toString('base64')),
      red(8, 8)
        .jpeg()
        .toBuffer()
        .then((file) => file.toString('base64')),
      inBase64(pictureOf(1)).then((whole) => whole.slice(0, 400)),
      'no image',
      '',
      Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"/>').toString('base64'),
      red(7000, 6000)
        .png()
        .toBuffer()
        .then((file) => file.toString('base64')),
    ])
    const response = await post(address, { images, prompts: images.map(() => 'x') })
    assert.equal(response.status, 200)
    const { scores, errors } = (await response.json()) as Answered
    assert.deepEqual(scores.slice(1, 4), [1, 1, 1])
    assert.ok(Math.abs(scores[4]!) < 1e-6 && scores[5] === 1)
    assert.deepEqual(scores.slice(6), new Array<null>(6).fill(null))
    assert.deepEqual(errors!.slice(0, 6), new Array<null>(6).fill(null))
    const told = [/PNG in base64, received jpeg/, /broken/, /other characters/, /received nothing/, /image/, /pixels/]
    for (const [i, message] of told.entries()) assert.match(errors![6 + i]!, message)
  })

  it('refuses what is no question, with what was expected', async () => {
    const image = await inBase64(pictureOf(1))
    for (const [status, body, headers] of [
      [400, '{'],
      [400, {}],
      [400, { images: [], prompts: [] }],
      [400, { images: [image], prompts: [] }],
      [400, { images: [image], prompts: [7] }],
      [400, { images: [image], prompts: ['x'.repeat(10_001)] }],
      [400, { images: new Array(257).fill(''), prompts: new Array(257).fill('') }],
      [415, { images: [image], prompts: ['x'] }, { 'content-type': 'text/plain' }],
    ] as const) {
      const response = await post(address, body, headers)
      assert.deepEqual(
        [response.status, typeof ((await response.json()) as { error: unknown }).error],
        [status, 'string'],
      )
    }
    for (const [path, method, status] of [
      ['/', 'GET', 404],
      ['/score', 'GET', 405],
      ['/info', 'POST', 405],
      ['/../etc/passwd', 'GET', 404],
    ] as const) {
      assert.equal((await fetch(at(path), { method })).status, status, path)
    }
  })

  it('reads no more than it said', async () => {
    const { port } = new URL(address)
    const answers = (lines: string) =>
      new Promise<string>((ended) => {
        let told = ''
        const socket = connect(Number(port), '127.0.0.1', () => socket.write(lines))
        socket.on('data', (piece) => (told += String(piece)))
        socket.on('error', () => undefined)
        socket.on('close', () => ended(told))
      })
    const head = `POST /score HTTP/1.1\r\nhost: localhost:${port}\r\ncontent-type: application/json\r\n`
    assert.match(await answers(`${head}content-length: ${mostRequestBytes + 1}\r\n\r\n{`), /^HTTP\/1.1 413 /)
    const elsewhere = head.replace('localhost', 'attacker.example')
    assert.match(await answers(`${elsewhere}content-length: 2\r\nconnection: close\r\n\r\n{}`), /^HTTP\/1.1 403 /)
  })

  it('lets in who knows its token alone', async () => {
    await using closed = await startRewardServer(await openReward('redness', config, unopened), {
      ...here,
      token: 't0ken',
    })
    const body = { images: [await inBase64(pictureOf(1))], prompts: ['x'] }
    const info = closed.address.replace(/score$/, 'info')
    for (const [token, status] of [
      ['t0ken', 200],
      ['other', 401],
      ['', 401],
    ] as const) {
      const headers: Record<string, string> = token === '' ? {} : { authorization: `Bearer ${token}` }
      assert.equal((await fetch(info, { headers })).status, status)
      assert.equal((await post(closed.address, body, { ...json, ...headers })).status, status)
    }
    assert.equal((await fetch(closed.address.replace(/score$/, 'health'))).status, 200)
  })

  it('needs a token to be reached from elsewhere', async () => {
    const { serveReward, ServeConfig } = await import('./serve-reward.ts')
    assert.equal(process.env[tokenVariable], undefined)
    await assert.rejects(serveReward(ServeConfig.parse({ reward: 'redness', host: '0.0.0.0' }), unopened), {
      where: '--host',
      remedy: /ATTUNE_REWARD_TOKEN/,
    })
  })
})

test('what cannot be scored leaves the others their scores', async () => {
  const plain = await openReward('redness', config, unopened)
  const picky: Reward = {
    ...plain,
    score(pixels, texts) {
      const unknown = texts.find((text) => text === 'unknown')
      if (unknown !== undefined) {
        throw new VocabularyError({ where: unknown, expected: 'a word', received: 'another', remedy: 'leave it out' })
      }
      return texts.includes('nothing') ? full([texts.length], NaN) : plain.score(pixels, texts)
    },
  }
  await using running = await startRewardServer(picky, here)
  const image = await inBase64(pictureOf(1))
  const answered = await post(running.address, { images: [image, image], prompts: ['x', 'unknown'] })
  const { scores, errors } = (await answered.json()) as Answered
  assert.deepEqual([typeof scores[0], scores[1], errors![0]], ['number', null, null])
  assert.match(errors![1]!, /unknown: expected a word/)
  const broken = (await (await post(running.address, { images: [image], prompts: ['nothing'] })).json()) as Answered
  assert.deepEqual(broken.errors, ['expected a finite score, received NaN'])
})

test('too many requests at once are sent away, and come in when others have gone', async () => {
  await using running = await startRewardServer(await openReward('redness', config, unopened), here)
  const { port } = new URL(running.address)
  const head = `POST /score HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n`
  const sockets = Array.from({ length: 8 }, () => connect(Number(port), '127.0.0.1'))
  for (const socket of sockets) {
    socket.on('error', () => undefined)
    socket.write(head)
  }
  const waiting = async () => {
    const health = await fetch(running.address.replace(/score$/, 'health'))
    return ((await health.json()) as { waiting: number }).waiting
  }
  while ((await waiting()) < 8);
  const body = { images: [await inBase64(pictureOf(1))], prompts: ['x'] }
  const refused = await post(running.address, body)
  assert.deepEqual([refused.status, refused.headers.get('retry-after')], [503, '1'])
  for (const socket of sockets) socket.destroy()
  while ((await waiting()) > 0);
  assert.equal((await post(running.address, body)).status, 200)
})
