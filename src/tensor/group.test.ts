import assert from 'node:assert/strict'
import { spawn, type ChildProcess } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { after, test } from 'node:test'
import { endedFromOutside } from '../errors.ts'
import { alone, shareOf } from './group.ts'
import { native } from './library.ts'

const script = fileURLToPath(new URL('group-member.test-helper.ts', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'attune-group-'))
after(() => rmSync(folder, { recursive: true, force: true }))
const skip = native().openStore === undefined && 'this libtorch has no Gloo'

interface Ended {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

let files = 0
async function freeAddress() {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return { MASTER_ADDR: '127.0.0.1', MASTER_PORT: String(port) }
}
const inFile = () => ({ ATTUNE_RENDEZVOUS: `file://${join(folder, `meet-${files++}`)}` })

/** Runs a group of which only `present` come. */
const run = (...group: Parameters<typeof start>) => Promise.all(start(...group).map(ended))

function start(deed: string, size: number, env: NodeJS.ProcessEnv, present = size): ChildProcess[] {
  return Array.from({ length: present }, (_, rank) => {
    const place = {
      RANK: String(rank),
      WORLD_SIZE: String(size),
      LOCAL_RANK: String(rank),
      LOCAL_WORLD_SIZE: String(size),
    }
    return spawn(process.execPath, [script, deed], { env: { ...process.env, ...place, ...env } })
  })
}

const ended = (child: ChildProcess) =>
  new Promise<Ended>((resolve, reject) => {
    const texts = { stdout: '', stderr: '' }
    child.stdout?.setEncoding('utf8').on('data', (text: string) => (texts.stdout += text))
    child.stderr?.setEncoding('utf8').on('data', (text: string) => (texts.stderr += text))
    child.on('error', reject)
    child.on('close', (code, signal) => resolve({ code, signal, ...texts }))
  })

for (const [size, how] of [
  [2, 'a file'],
  [4, 'a port'],
] as const) {
  test(`${size} processes that meet at ${how} exchange tensors, rows, numbers and texts`, { skip }, async () => {
    const results = await run('all', size, how === 'a file' ? inFile() : await freeAddress())
    const ranks = Array.from({ length: size }, (_, rank) => rank)
    const sum = (size * (size - 1)) / 2
    for (const [rank, { code, stdout, stderr }] of results.entries()) {
      assert.equal(code, 0, stderr)
      assert.deepEqual(JSON.parse(stdout), {
        size,
        sums: [[1, 2, 3].map((one) => size * one + 10 * sum), [sum, sum, sum, sum], [sum]],
        numbers: [ranks.reduce((total) => total + 0.1, 0), sum],
        gathered: [0, 1, 2, 3, 4, 5, 6],
        shape: [7, 2],
        exchanged: ranks.flatMap((from) => new Array<number>(rank).fill(from)),
        exchangedNone: [0, 4],
        none: [0, 4],
        texts: ranks.map((rank) => 'x'.repeat(rank) + '…'),
        broadcast: [5, 5, 0],
      })
    }
  })
}

test('one process alone gets the same without a group', { skip }, async () => {
  const [{ code, stdout, stderr }] = await run('alone', 1, {})
  assert.equal(code, 0, stderr)
  const { size, sums, gathered, texts } = JSON.parse(stdout) as Record<string, unknown>
  assert.deepEqual([size, sums, gathered, texts], [1, [[1, 2, 3], [0, 0, 0, 0], [0]], [0, 1, 2, 3, 4, 5, 6], ['…']])
  assert.deepEqual(alone.sumNumbers([2]), [2])
})

test('shares are even, in order and complete', () => {
  for (const size of [1, 2, 3, 8]) {
    for (const count of [0, 1, 7, 64]) {
      const shares = Array.from({ length: size }, (_, rank) => shareOf({ rank, size }, count))
      assert.equal(shares[0].from, 0)
      assert.equal(shares.at(-1)?.to, count)
      shares.slice(1).forEach(({ from }, before) => assert.equal(from, shares[before].to))
      const lengths = shares.map(({ from, to }) => to - from)
      assert.ok(Math.max(...lengths) - Math.min(...lengths) <= 1)
    }
  }
})

test('when a process dies in a collective, all others end and name it', { skip }, async () => {
  const results = await run('dies', 4, inFile())
  assert.equal(results[3].signal, 'SIGKILL')
  for (const { code, stderr } of results.slice(0, 3)) {
    assert.equal(code, endedFromOutside)
    assert.match(
      stderr,
      /^process \d of 4: expected all 4 processes to take part, received that process 3 \(pid \d+ on .*\) is gone — /,
    )
  }
})

test('when the process dies at which all meet, the others name it too', { skip }, async () => {
  const [first, ...others] = await run('firstDies', 4, await freeAddress())
  assert.equal(first.signal, 'SIGKILL')
  for (const { code, stderr } of others) {
    assert.equal(code, endedFromOutside)
    assert.match(stderr, /received (that )?process 0 \(pid \d+ on .*\) is gone/)
  }
})

test('what a process says as it ends is what the others say of it', { skip }, async () => {
  const results = await run('fails', 2, await freeAddress())
  assert.equal(results[1].code, 2)
  assert.equal(results[0].code, endedFromOutside)
  assert.match(results[0].stderr, /received that process 1 \(.*\) has ended: disk: expected space, received none — /)
})

test('a process that lives and does not come is named when the time is over', { skip }, async () => {
  const [first, second, third] = start('sleeps', 3, { ...inFile(), EXCHANGE_MS: '3000' })
  const others = await Promise.all([first, third].map(ended))
  second.kill()
  for (const { code, stderr } of others) {
    assert.equal(code, endedFromOutside)
    assert.match(stderr, /received no answer from process 1 \(pid \d+ on .*\) \(.*\) — /)
  }
})

test('a group that is not complete names who is missing, and a rank is taken once', { skip }, async () => {
  const [, { code, stderr }] = await run('all', 3, { ...inFile(), JOIN_MS: '3000' }, 2)
  assert.equal(code, endedFromOutside)
  assert.match(stderr, /^process 1 of 3: expected 3 processes at file:.*, received nothing of process 2 within 3 s — /)
  const env = { ...inFile(), JOIN_MS: '3000' }
  await run('all', 2, env, 1)
  const [again] = await run('all', 2, env, 1)
  assert.match(again.stderr, /received a second process 0 — /)
})
