/** The parts of a check, on the embedded model as it is and with faults. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { z } from 'zod'
import type { Fault } from '../../test/odd-model.test-helper.ts'
import { modelFields } from '../images/open-model.ts'
import { linesOf, type Finding } from './finding.ts'
import { tryFolder } from './folder.ts'
import { memoryFinding } from './memory.ts'
import type { CheckedModel, ModelTrial } from './model.ts'
import { tryRise } from './rise.ts'
import { tryRuns } from './trial-runs.ts'
import { Workers } from './workers.ts'

const temporary = mkdtempSync(join(tmpdir(), 'attune-check-'))
after(() => rmSync(temporary, { recursive: true, force: true }))
const newFolder = () => mkdtempSync(join(temporary, 'trial-'))

const script = new URL('../../test/odd-model.test-helper.ts', import.meta.url)
function workersWith(fault: Fault): Workers {
  process.env.FAULT = fault
  return new Workers(script, new AbortController().signal)
}

const sampling = { steps: 4, eta: null, guidance: null }
const model: CheckedModel = { ...z.object(modelFields).parse({ device: 'cpu' }), ...sampling, encoder: null }
const prompts = ['a blue circle', 'a green ring']
const settings = { ...model, reward: 'redness', prompt: prompts, learningRate: 5e-3, seed: 0 }

/** `fail first ratio` … */
const statesOf = (findings: readonly Finding[]) => findings.map(({ state, name }) => `${state} ${name}`)

describe('small runs', () => {
  const plan = { settings, steps: 4, mostSeconds: 1e7, stepSeconds: 1e4, decodeSeconds: 0, isOnGpu: false }
  const tried = (fault: Fault, more = {}) => tryRuns(newFolder(), { ...plan, ...more }, workersWith(fault))

  test('pass on the embedded model, and tell how long a prediction takes', async () => {
    const { findings, predictionSeconds } = await tried('none')
    assert.deepEqual(statesOf(findings), ['pass first ratio', 'pass resume'], JSON.stringify(findings))
    assert.match(findings[0].said, /begin within \d\S+e-\d nats .* of a clip range of 0\.2/)
    assert.ok(predictionSeconds! > 0)
  })

  test('fail where gradients change what a model says', async () => {
    const { findings } = await tried('other rounding with gradients')
    assert.deepEqual(statesOf(findings), ['fail first ratio', 'not tried resume'])
    assert.match(
      findings[0].said,
      /first update, batch 1 of 1, sampling step \d: expected the log-density .* differs by/,
    )
    assert.ok(findings[0].remedy)
  })

  test('fail where a run that goes on is another', async () => {
    const { findings } = await tried('another result in each process')
    assert.deepEqual(statesOf(findings), ['pass first ratio', 'fail resume'])
    assert.match(findings[1].said, /the numbers of step [13] are others/)
  })

  test('fail with the words of a training that cannot begin', async () => {
    const { findings } = await tried('one picture')
    assert.deepEqual(statesOf(findings), ['fail training', 'not tried first ratio', 'not tried resume'])
    assert.match(findings[0].said, /redness: expected finite rewards that differ between images/)
  })

  test('are not tried where they would take too long, and it is said how long', async () => {
    const { findings, predictionSeconds } = await tried('none', { mostSeconds: 60 })
    assert.equal(predictionSeconds, undefined)
    assert.deepEqual(statesOf(findings), ['not tried first ratio', 'not tried resume'])
    assert.match(linesOf(findings[0])[0], /^not tried {2}first ratio {2}.*about 22 days — give it --minutes \d+, fewer/)
  })
})

describe('a reward', () => {
  const seconds = { mostSeconds: 1000, openSeconds: 0, predictionSeconds: 1 }
  const plan = { model, settings, reward: 'redness', prompts, seed: 1, steps: 4, batchSize: 32, ...seconds }

  test('that rises is told with its interval', async () => {
    const found = await tryRise(newFolder(), { ...plan, predictionSeconds: 0.25 }, workersWith('none'))
    assert.equal(found.state, 'pass', JSON.stringify(found))
    assert.match(found.said, /redness rose from -?\d\S+ to \S+, \+\S+ \(95 %: \d\S+ … \S+\) over \d+ pairs/)
  })

  test('that does not rise fails', async () => {
    const still = { ...plan, settings: { ...settings, learningRate: 1e-12 } }
    const found = await tryRise(newFolder(), still, workersWith('none'))
    assert.deepEqual(statesOf([found]), ['fail reward'])
    assert.match(found.said, /redness did not rise/)
  })

  test('is not tried where that takes too long', async () => {
    const found = await tryRise(newFolder(), { ...plan, predictionSeconds: 60 }, workersWith('none'))
    assert.deepEqual(statesOf([found]), ['not tried reward'])
    assert.match(found.said, /about \d+ hours/)
  })
})

describe('the folder of runs', () => {
  test('is written, and left as it was found', () => {
    const out = join(temporary, 'not', 'yet')
    const { finding, scratch } = tryFolder(out)
    assert.equal(finding.state, 'pass', finding.said)
    assert.ok(existsSync(scratch.folder))
    scratch[Symbol.dispose]()
    assert.equal(existsSync(join(temporary, 'not')), false)
  })

  test('stays where others write there meanwhile', () => {
    const out = join(temporary, 'shared')
    const { scratch } = tryFolder(out)
    mkdirSync(join(out, 'run-of-another'))
    scratch[Symbol.dispose]()
    assert.deepEqual(readdirSync(out), ['run-of-another'])
  })

  test('that is a file fails, and the rest is tried elsewhere', () => {
    const out = join(temporary, 'file')
    writeFileSync(out, '')
    const { finding, scratch } = tryFolder(out)
    assert.equal(finding.state, 'fail')
    assert.match(finding.said, /file where a folder should be/)
    assert.ok(existsSync(scratch.folder))
    scratch[Symbol.dispose]()
  })

  test('on a full disk fails', (t) => {
    const out = join(temporary, 'full')
    mkdirSync(out)
    const { status } = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', out])
    if (status !== 0) return t.skip('no file system of its own size without root')
    try {
      const { finding, scratch } = tryFolder(join(out, 'runs'))
      assert.equal(finding.state, 'fail')
      assert.match(finding.said, /received a full disk/)
      assert.deepEqual(readdirSync(out), [])
      scratch[Symbol.dispose]()
    } finally {
      spawnSync('umount', [out])
    }
  })
})

test('memory that is too small for a stage names the stage, and a size that fits', () => {
  const trial = {
    ...{ device: 'cuda:0', dtype: 'bfloat16', batchSize: 8, parameters: 'lora', openSeconds: 1, stepSeconds: 1, decodeSeconds: 1 },
    ...{ sampling: { steps: 50, eta: 1, guidance: 7.5 }, imageSize: { width: 512, height: 512 } },
    memory: { free: 4e9, total: 6e9, limit: 'cuda:0' },
    fits: [
      { stage: 'images generate', size: { width: 512, height: 512 }, flags: ['--batch-size 4'], bytes: 3e9, isTooLarge: false },
      { stage: 'policy dpok', size: { width: 512, height: 512 }, flags: [], bytes: 7e9, isTooLarge: true },
      { stage: 'policy dpok', size: { width: 256, height: 256 }, flags: ['--batch-size 2'], bytes: 2e9, isTooLarge: false },
    ],
  } as const satisfies ModelTrial // prettier-ignore
  const [line, ...more] = linesOf(memoryFinding(trial))
  assert.match(line, /^fail .*4\.00 GB free .*too little for `policy dpok` — --resolution 256x256, /)
  assert.match(more[1], /512 × 512: policy dpok would take 7\.00 GB for one at a time/)
  assert.equal(memoryFinding({ ...trial, memory: undefined, fits: [] }).state, 'not tried')
})
