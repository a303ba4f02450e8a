/** Stages in several processes by the command line: the same as in one, and what happens when they are ended. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { placeVariables } from '../src/place-in-group.ts'
import { Report } from '../src/report/schema.ts'
import { readRun } from '../src/run.ts'
import { lockName } from '../src/run-lock.ts'
import { native } from '../src/tensor/library.ts'
import { readSafetensors } from '../src/tensor/safetensors.ts'

const cli = fileURLToPath(new URL('../src/cli.ts', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'attune-group-stages-'))
const at = (...names: string[]) => join(folder, ...names)
after(() => rmSync(folder, { recursive: true, force: true }))
const skip = native().openStore === undefined && 'this libtorch has no Gloo'

/** Of parameters after some updates, between one process and several: numbers are added in another order. */
const bound = 1e-5

interface Ended {
  readonly code: number | null
  readonly stderr: string
}

/** @param deed what to do at the line of a progress that tells of a step under way, once */
function attune(words: string, deed?: { readonly at: RegExp; readonly act: (pid: number) => void }): Promise<Ended> {
  const env = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !placeVariables.includes(name as (typeof placeVariables)[number])),
  )
  const child = spawn(process.execPath, [cli, ...words.split(' ')], {
    cwd: folder,
    env: { ...env, ...(deed && { ATTUNE_LOG_EVERY_MS: '1' }) },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let [stderr, isDone] = ['', false]
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text
    if (isDone || deed === undefined || !deed.at.test(stderr)) return
    isDone = true
    deed.act(child.pid!)
  })
  return new Promise((resolve) => child.on('close', (code) => resolve({ code, stderr: stderr.slice(-3000) })))
}

async function done(words: string): Promise<void> {
  const { code, stderr } = await attune(words)
  assert.equal(code, 0, stderr)
}

/** The process that writes a run folder. */
const writerOf = (run: string) => (JSON.parse(readFileSync(at(run, lockName), 'utf8')) as { pid: number }).pid

/** Files of a run by their names, but for what tells the time. */
const filesOf = (run: string) =>
  readdirSync(at(run), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !/^(manifest\.json|events\.)/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort()
    .map((file) => [file.slice(at(run).length), readFileSync(file).toString('base64')])

const parametersOf = (run: string) => {
  const { tensors } = readSafetensors(at(run, 'policy.safetensors'))
  return [...tensors].flatMap(([, one]) => one.toArray())
}

function assertNear(run: string, other: string): void {
  const [own, theirs] = [parametersOf(run), parametersOf(other)]
  assert.equal(own.length, theirs.length)
  const apart = own.reduce((most, value, i) => Math.max(most, Math.abs(value - theirs[i])), 0)
  assert.ok(apart <= bound, `${run} and ${other} are ${apart} apart`)
}

const rewardTrain = 'reward train --feedback f.sqlite --ensemble 2 --held-out 0.4 --epochs 40'
// What rounding moves a policy by is in proportion to its rate.
const weighted =
  'policy reward-weighted --images round --reward reward --batch-size 6 --kl-o 0.1 --updates 20 --learning-rate 1e-4 --train-data-dir round'

before(async () => {
  const prompts = [
    'two red circles',
    'three blue triangles',
    'two yellow rings',
    'four purple crosses',
    'three red rings',
  ]
  writeFileSync(at('prompts.txt'), `${prompts.join('\n')}\n`)
  await done('images generate --prompts prompts.txt --per-prompt 14 --batch-size 64 --steps 3 --out round')
  const rows = readFileSync(at('round', 'images.jsonl'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { file: string; text: string })
  writeFileSync(
    at('round', 'metadata.jsonl'),
    rows.map(({ file, text }) => `${JSON.stringify({ file_name: file, text })}\n`).join(''),
  )
  await done('feedback simulate --feedback f.sqlite --images round --error-rate 0.2')
  await done(`${rewardTrain} --out reward`)
})

describe('several processes', { skip }, () => {
  test('learn the same reward', async () => {
    await done(`launch --processes 4 ${rewardTrain} --threads 1 --out reward-4`)
    const [own, one] = ['reward-4', 'reward'].map((run) => filesOf(run).filter(([name]) => name !== '/config.json'))
    assert.deepEqual(own, one)
    assert.deepEqual(readRun(at('reward-4')).results, readRun(at('reward')).results)
  })

  test('choose the same best images', async () => {
    const words = 'policy best-of-n --images round --reward reward --n 7'
    await done(`${words} --out best`)
    await done(`launch --processes 2 ${words} --out best-2`)
    assert.deepEqual(filesOf('best-2'), filesOf('best'))
    assert.deepEqual(readRun(at('best-2')).results, readRun(at('best')).results)
  })

  test('train by rewards as weights, with pre-training images that they encode once together', async () => {
    await done(`${weighted} --out weighted`)
    await done(`launch --processes 4 ${weighted} --out weighted-4`)
    assertNear('weighted-4', 'weighted')
    assert.deepEqual(filesOf('weighted-4').map(([name]) => name), filesOf('weighted').map(([name]) => name)) // prettier-ignore
  })

  test('write the same report', async () => {
    writeFileSync(at('unseen.txt'), 'four blue crosses\n')
    const words =
      'report --reward reward --policies weighted --seen prompts.txt --unseen unseen.txt --images-per-prompt 12 --best-of 1 --kl-rollouts 6 --steps 2'
    await done(`${words} --out report`)
    await done(`launch --processes 2 ${words} --out report-2`)
    const [own, one] = ['report-2', 'report'].map((run) => {
      const report = Report.parse(JSON.parse(readFileSync(at(run, 'report.json'), 'utf8')))
      return {
        ...{ ...report, seconds: 0, details: { ...report.details, stages: [] } },
        policies: report.policies.map((policy) => ({ ...policy, seconds: 0 })),
      }
    })
    assert.deepEqual(own, one)
    assert.deepEqual(readdirSync(at('report-2')).sort(), readdirSync(at('report')).sort())
  })

  const trainings = [
    { name: 'a reward', words: rewardTrain, under: /prompts: [2-9]\/40 updates/, whole: 'reward' },
    { name: 'a policy', words: weighted, under: /reward-weighted: [2-9]\/20/, whole: 'weighted' },
  ]
  for (const { name, words, under, whole } of trainings) {
    test(`that train ${name} end by SIGTERM where one can go on`, async () => {
      const run = `${whole}-ended`
      const act = (pid: number) => process.kill(pid, 'SIGTERM')
      const { code, stderr } = await attune(`launch --processes 2 ${words} --out ${run}`, { at: under, act })
      assert.equal(code, 143, stderr)
      assert.match(stderr, /^\[0\] .*: expected to come to its end, received SIGTERM/m)
      assert.match(stderr, /^stopped; to go on: attune launch --processes 2 .* --resume$/m)
      assert.ok(!existsSync(at(run, lockName)))
      await done(`${words} --out ${run} --resume`)
      if (whole === 'reward') assert.deepEqual(filesOf(run), filesOf(whole))
      else assertNear(run, whole)
    })
  }

  test('that train a reward start again where one is killed', async () => {
    const { words, under } = trainings[0]
    const act = () => process.kill(writerOf('killed'), 'SIGKILL')
    const deed = { at: under, act }
    const { code, stderr } = await attune(`launch --processes 2 --max-restarts 1 ${words} --out killed`, deed)
    assert.equal(code, 0, stderr)
    assert.ok(!existsSync(at('killed', 'fits')))
    assert.deepEqual(filesOf('killed'), filesOf('reward'))
  })
})

test('a single process that is asked to end while it draws images keeps them, and goes on', async () => {
  const words = 'images generate --prompts prompts.txt --per-prompt 40 --batch-size 2 --out drawn'
  const act = (pid: number) => process.kill(pid, 'SIGTERM')
  const { code, stderr } = await attune(words, { at: /images: \d+\/200/, act })
  assert.equal(code, 143, stderr)
  assert.match(stderr, /^drawn: expected to come to its end, received SIGTERM — .* --resume$/m)
  assert.ok(readFileSync(at('drawn', 'images.jsonl'), 'utf8').length > 0)
  assert.ok(!existsSync(at('drawn', lockName)))
})
