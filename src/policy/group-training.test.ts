import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { after, test } from 'node:test'
import { metricsName } from '../run-metrics.ts'
import { native } from '../tensor/library.ts'
import { readSafetensors } from '../tensor/safetensors.ts'
import { policyFileName } from './policy-file.ts'
import { checkpointName } from './training-run.ts'

const script = fileURLToPath(new URL('group-training.test-helper.ts', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'attune-group-training-'))
after(() => rmSync(folder, { recursive: true, force: true }))
const skip = native().openStore === undefined && 'this libtorch has no Gloo'

/** Parameters differ by the order in which numbers are added, and by no more after three iterations. */
const bound = 1e-5

let meetings = 0
async function train(name: string, size: number, { words = [] as string[], env = {} } = {}) {
  const rendezvous = `file://${join(folder, `meet-${meetings++}`)}`
  const processes = Array.from({ length: size }, (_, rank) => {
    const place = {
      RANK: String(rank),
      WORLD_SIZE: String(size),
      LOCAL_RANK: String(rank),
      ATTUNE_RENDEZVOUS: rendezvous,
    }
    const options = { env: { ...process.env, ...place, ...env } }
    const child = spawn(process.execPath, [script, join(folder, name), ...words], options)
    let stderr = ''
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
    return new Promise<{ code: number | null; signal: NodeJS.Signals | null; stderr: string }>((resolve) => {
      child.on('close', (code, signal) => resolve({ code, signal, stderr }))
    })
  })
  return Promise.all(processes)
}

async function trained(name: string, size: number, options = {}) {
  for (const { code, stderr } of await train(name, size, options)) assert.equal(code, 0, stderr)
  return resultOf(name)
}

function resultOf(name: string) {
  const { tensors } = readSafetensors(join(folder, name, policyFileName))
  const lines = readFileSync(join(folder, name, metricsName), 'utf8')
    .trim()
    .split('\n')
  return {
    parameters: [...tensors].flatMap(([, one]) => one.toArray()),
    rows: lines.map((line) => JSON.parse(line) as Record<string, number>),
  }
}

function assertNear(own: ReturnType<typeof resultOf>, one: ReturnType<typeof resultOf>): void {
  assert.equal(own.parameters.length, one.parameters.length)
  own.parameters.forEach((value, i) => {
    assert.ok(Math.abs(value - one.parameters[i]) <= bound, `${i}: ${value}, alone ${one.parameters[i]}`)
  })
  assert.equal(own.rows.length, one.rows.length)
  own.rows.forEach((row, i) => {
    for (const [name, value] of Object.entries(one.rows[i])) {
      if (typeof value !== 'number') continue
      assert.ok(
        Math.abs(row[name] - value) <= 1e-4 * Math.max(1, Math.abs(value)),
        `${name}: ${row[name]}, alone ${value}`,
      )
    }
  })
}

test(
  'DPOK on 1, 2, 3 and 4 processes ends in the same parameters, and its metrics are the same',
  { skip },
  async () => {
    const one = await trained('one', 1)
    assert.ok(one.parameters.some((value) => Math.abs(value) > 100 * bound))
    for (const size of [2, 3, 4]) assertNear(await trained(`of-${size}`, size), one)
  },
)

test(
  'more processes than roll-outs of the last iteration, or transitions of a minibatch, do no harm',
  { skip },
  async () => {
    const one = await trained('few-one', 1, { env: { IMAGES: '17' } })
    assertNear(await trained('few-three', 3, { env: { IMAGES: '17' } }), one)
  },
)

test(
  'when a process dies in training all others end, and one process goes on from their checkpoint',
  { skip },
  async () => {
    const env = { IMAGES: '80' }
    const [first, second] = await train('killed', 2, { words: ['no', 'dies'], env })
    assert.equal(second.signal, 'SIGKILL')
    assert.equal(first.code, 143, first.stderr)
    assert.match(first.stderr, /process 1 \(pid \d+ on .*\) is gone/)
    assert.ok(existsSync(join(folder, 'killed', checkpointName)))
    cpSync(join(folder, 'killed'), join(folder, 'killed-three'), { recursive: true })
    const whole = await trained('whole', 1, { env })
    assertNear(await trained('killed', 1, { words: ['resume'], env }), whole)
    assertNear(await trained('killed-three', 3, { words: ['resume'], env }), whole)
  },
)
