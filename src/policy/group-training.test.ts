import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { after, describe, test } from 'node:test'
import { metricsName } from '../run-metrics.ts'
import { lockName } from '../run-lock.ts'
import { policyStages, type PolicyStage } from '../stages.ts'
import { native } from '../tensor/library.ts'
import { readSafetensors } from '../tensor/safetensors.ts'
import { policyFileName } from '../run-files.ts'
import { checkpointName } from './training-run.ts'

const script = fileURLToPath(new URL('group-training.test-helper.ts', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'attune-group-training-'))
after(() => rmSync(folder, { recursive: true, force: true }))
const skip = native().openStore === undefined && 'this libtorch has no Gloo'

/** Parameters differ by the order in which numbers are added, and by no more after three iterations. */
const bound = 1e-5

interface Training {
  readonly words?: readonly string[]
  readonly settings?: Readonly<Record<string, unknown>>
  /** What to do once one hangs. */
  readonly onHang?: (pid: number) => void
}

let meetings = 0
async function train(
  name: string,
  stage: PolicyStage,
  size: number,
  { words = [], settings = {}, onHang }: Training = {},
) {
  const rendezvous = `file://${join(folder, `meet-${meetings++}`)}`
  const processes = Array.from({ length: size }, (_, rank) => {
    const place = {
      RANK: String(rank),
      WORLD_SIZE: String(size),
      LOCAL_RANK: String(rank),
      ATTUNE_RENDEZVOUS: rendezvous,
      SETTINGS: JSON.stringify(settings),
    }
    const options = { env: { ...process.env, ...place } }
    const child = spawn(process.execPath, [script, join(folder, name), stage, ...words], options)
    let stderr = ''
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text
      if (text.includes('hangs')) onHang?.(child.pid!)
    })
    return new Promise<{ code: number | null; signal: NodeJS.Signals | null; stderr: string }>((resolve) => {
      child.on('close', (code, signal) => resolve({ code, signal, stderr }))
    })
  })
  return Promise.all(processes)
}

async function trained(name: string, stage: PolicyStage, size: number, options: Training = {}) {
  for (const { code, stderr } of await train(name, stage, size, options)) assert.equal(code, 0, stderr)
  return resultOf(name)
}

const rowsOf = (name: string) =>
  readFileSync(join(folder, name, metricsName), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, number>)

function resultOf(name: string) {
  const { tensors } = readSafetensors(join(folder, name, policyFileName))
  return { parameters: [...tensors].flatMap(([, one]) => one.toArray()), rows: rowsOf(name) }
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

/** Of each, settings by which rows do not come out even, and those with more than four steps. */
const cases: Readonly<Record<PolicyStage, { readonly uneven: Training; readonly longer: Training }>> = {
  'policy dpok': { uneven: { settings: { imagesDrawn: 17 } }, longer: { settings: { imagesDrawn: 80 } } },
  'policy nft': {
    uneven: { settings: { imagesDrawn: 20, rolloutsPerIteration: 12, timesPerImage: 1 } },
    longer: { settings: { imagesDrawn: 80 } },
  },
  'policy grpo': { uneven: { settings: { imagesDrawn: 20 } }, longer: { settings: { imagesDrawn: 80 } } },
  'policy ddpo': { uneven: { settings: { imagesDrawn: 17 } }, longer: { settings: { imagesDrawn: 80 } } },
  'policy draft': {
    uneven: { settings: { imagesDrawn: 9, imagesPerUpdate: 3, batchSize: 2 } },
    longer: { settings: { imagesDrawn: 80 } },
  },
  'policy dpo': {
    uneven: { settings: { batchSize: 3, gradientAccumulationSteps: 2 } },
    longer: { settings: { updates: 10 } },
  },
  'policy reward-weighted': {
    uneven: {
      settings: {
        ...{ batchSize: 3, gradientAccumulationSteps: 2, signed: true },
        ...{ imagesDrawn: 6, rolloutsPerIteration: 3, groupSize: 3, updates: 5 },
      },
    },
    longer: { settings: { updates: 10 } },
  },
}

for (const stage of policyStages) {
  describe(stage, { skip }, () => {
    const { uneven, longer } = cases[stage]
    const at = (name: string) => `${stage}-${name}`

    test('on 1, 2 and 4 processes ends in the same parameters, and its metrics are the same', async () => {
      const one = await trained(at('one'), stage, 1)
      assert.ok(one.parameters.some((value) => Math.abs(value) > 100 * bound))
      for (const size of [2, 4]) assertNear(await trained(at(`of-${size}`), stage, size), one)
    })

    test('rows that the processes cannot share evenly, or are fewer than these, do no harm', async () => {
      const one = await trained(at('few-one'), stage, 1, uneven)
      assertNear(await trained(at('few-four'), stage, 4, uneven), one)
    })

    test('when a process dies all others end, and fewer processes go on from their checkpoint', async () => {
      const ended = await train(at('killed'), stage, 4, { ...longer, words: ['dies'] })
      const last = ended.pop()!
      assert.equal(last.signal, 'SIGKILL')
      for (const { code, stderr } of ended) assert.equal(code, 143, stderr)
      assert.match(ended[0].stderr, /process 3 \(pid \d+ on .*\) is gone/)
      assert.ok(existsSync(join(folder, at('killed'), checkpointName)))
      const whole = await trained(at('whole'), stage, 1, longer)
      assertNear(await trained(at('killed'), stage, 2, { ...longer, words: ['resume'] }), whole)
    })

    test('SIGTERM of one process ends all after the same step, with a checkpoint of it', async () => {
      for (const { code, stderr } of await train(at('ended'), stage, 2, { ...longer, words: ['ends'] })) {
        assert.equal(code, 143, stderr)
        assert.match(stderr, /: expected to come to its end, received SIGTERM after step 4 of 10 — .* --resume$/m)
      }
      assert.equal(rowsOf(at('ended')).length, 4)
      assert.equal(existsSync(join(folder, at('ended'), lockName)), false)
      cpSync(join(folder, at('ended')), join(folder, at('ended-two')), { recursive: true })
      const alone = await trained(at('ended'), stage, 1, { ...longer, words: ['resume'] })
      assertNear(alone, resultOf(at('whole')))
    })
  })
}

test('in a single process SIGTERM ends after the step as well, and a second one at once', async () => {
  const [{ code, stderr }] = await train('alone', 'policy dpok', 1, { words: ['ends'], settings: { imagesDrawn: 80 } })
  assert.equal(code, 143, stderr)
  assert.match(stderr, /SIGTERM after step 4 of 10/)
  const killAgain = (pid: number) => void pause(700).then(() => process.kill(pid, 'SIGTERM'))
  const options = { words: ['hangs', 'resume'], settings: { imagesDrawn: 80 }, onHang: killAgain }
  const [hung] = await train('alone', 'policy dpok', 1, options)
  assert.equal(hung.code, 143, hung.stderr)
  assert.equal(rowsOf('alone').length, 7)
  assert.ok(existsSync(join(folder, 'alone', checkpointName)))
})
