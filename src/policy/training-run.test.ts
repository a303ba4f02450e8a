import assert from 'node:assert/strict'
import { cpSync, existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { DivergenceError, FormatError, RunInUseError } from '../errors.ts'
import { readRun } from '../run.ts'
import { policyStages } from '../stages.ts'
import { readSafetensors, writeSafetensors } from '../tensor/safetensors.ts'
import { readTrainingState, writeTrainingState } from '../tensor/training-state.ts'
import { trainToy } from './toy-training.test-helper.ts'
import { checkpointName, isOverdue } from './training-run.ts'

const root = mkdtempSync(join(tmpdir(), 'attune-training-'))
after(() => rmSync(root, { recursive: true, force: true }))
const at = (...names: string[]) => join(root, ...names)
let made = 0
const fresh = () => at(`run-${made++}`)
const policyOf = (folder: string) => readFileSync(join(folder, 'policy.safetensors'))
const rowsOf = (folder: string) =>
  readFileSync(join(folder, 'metrics.jsonl'), 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => ({ ...(JSON.parse(line) as { step: number; at?: string }), at: undefined }))

const breakOffAt = (last: number) => (step: number) => {
  if (step === last) throw new RangeError('broken off')
}
/** A run that broke off after the second of three steps, with checkpoints of both. */
let unfinished = ''
let whole = ''
before(async () => {
  whole = fresh()
  await trainToy(whole)
  unfinished = fresh()
  await assert.rejects(trainToy(unfinished, { onStep: breakOffAt(3) }), RangeError)
})
function copyOfUnfinished(): string {
  const folder = fresh()
  cpSync(unfinished, folder, { recursive: true })
  return folder
}
/** The same, of which the newest checkpoint alone is left. */
function copyWithOneCheckpoint(): string {
  const folder = copyOfUnfinished()
  rmSync(join(folder, 'checkpoint-000001.safetensors'))
  return folder
}

describe('a training with a running average', () => {
  for (const stage of policyStages) {
    it(`writes the average, and goes on exactly: ${stage}`, async () => {
      const [plain, whole, cut] = [fresh(), fresh(), fresh()]
      await trainToy(plain, { stage })
      await trainToy(whole, { stage, emaDecay: 0.5 })
      const atThird = (step: number) => {
        if (step === 3) throw new Error('the power went')
      }
      await assert.rejects(trainToy(cut, { stage, emaDecay: 0.5, onStep: atThird }), /the power went/)
      assert.deepEqual((await trainToy(cut, { stage, emaDecay: 0.5, resume: true })).steps < 3, true)
      assert.deepEqual(policyOf(cut), policyOf(whole))
      assert.notDeepEqual(policyOf(whole), policyOf(plain))
      // Training itself takes no notice of it: only what DPO measures on held-out pairs is that of the average.
      const trained = (folder: string) =>
        rowsOf(folder).map((row) => ({ ...row, heldout_loss: 0, heldout_accuracy: 0 }))
      assert.deepEqual(trained(whole), trained(plain))
    })
  }
})

describe('a checkpoint', () => {
  it('is there about every half minute, or where it takes long to write for a twentieth of the time', () => {
    assert.deepEqual([29, 31].map((since) => isOverdue(since, 0.1)), [false, true]) // prettier-ignore
    assert.deepEqual([31, 199, 201].map((since) => isOverdue(since, 10)), [false, false, true]) // prettier-ignore
  })

  it('names what the run depends on, and another of it is refused by its name', async () => {
    const { numbers } = readTrainingState(join(unfinished, checkpointName))
    assert.deepEqual(numbers.inputs, { reward: 'a', model: 'b' })
    for (const inputs of [{ reward: 'c', model: 'b' }, { reward: 'c' }, { reward: 'c', model: 'b', prompts: 'd' }]) {
      const folder = copyOfUnfinished()
      const resumed = () => trainToy(folder, { resume: true, inputs: inputs as Record<string, string> })
      await assert.rejects(resumed, { name: RunInUseError.name, message: /the reward.* with which this run began/ })
      // Also where the file beside it has been lost, or is another run's.
      rmSync(join(folder, 'inputs.json'), { force: true })
      await assert.rejects(resumed, { name: RunInUseError.name, message: /the reward.* with which this run began/ })
    }
  })

  it('with one flipped bit anywhere is noticed', async () => {
    const folder = copyWithOneCheckpoint()
    const file = join(folder, checkpointName)
    const sound = readFileSync(file)
    for (const place of [3, 20, 100, Math.floor(sound.length / 2), sound.length - 5]) {
      for (const bit of [0, 6]) {
        const flipped = Buffer.from(sound)
        flipped[place] ^= 1 << bit
        writeFileSync(file, flipped)
        await assert.rejects(trainToy(folder, { resume: true }), FormatError, `byte ${place} bit ${bit}`)
      }
    }
    writeFileSync(file, sound)
    assert.deepEqual(await trainToy(folder, { resume: true }), { steps: 1, total: 3 })
    assert.deepEqual(policyOf(folder), policyOf(whole))
  })

  it('without its numbers, or with senseless ones, finishes nothing', async () => {
    const { tensors, numbers } = readTrainingState(join(unfinished, checkpointName))
    const { iteration: _iteration, ...without } = numbers
    const value = numbers.value as Record<string, unknown>
    const broken: Record<string, unknown>[] = [
      {},
      without,
      { ...numbers, iteration: null },
      { ...numbers, iteration: 2.5 },
      { ...numbers, iteration: -1 },
      { ...numbers, iteration: 9 },
      { ...numbers, iteration: '2' },
      { ...numbers, seconds: undefined },
      { ...numbers, growth: null },
      { ...numbers, inputs: undefined },
      { ...numbers, promptMeans: [['low', {}]] },
      { ...numbers, value: undefined },
      { ...numbers, value: { ...value, fits: undefined } },
      { ...numbers, value: { ...value, memory: 4 } },
    ]
    for (const one of broken) {
      const folder = copyOfUnfinished()
      writeTrainingState(join(folder, checkpointName), { tensors, numbers: one })
      await assert.rejects(trainToy(folder, { resume: true }), FormatError, JSON.stringify(one))
      assert.ok(!existsSync(join(folder, 'manifest.json')))
    }
    for (const name of tensors.keys()) {
      const folder = copyOfUnfinished()
      const fewer = new Map([...tensors].filter(([other]) => other !== name))
      writeTrainingState(join(folder, checkpointName), { tensors: fewer, numbers })
      await assert.rejects(trainToy(folder, { resume: true }), FormatError, name)
    }
  })

  it('of no kind that is known is refused', async () => {
    const folder = copyWithOneCheckpoint()
    const { tensors, metadata } = readSafetensors(join(folder, checkpointName))
    for (const other of [{}, { ...metadata, format: 'attune-training-state-1' }, { ...metadata, numbers: '{}' }]) {
      writeSafetensors(join(folder, checkpointName), tensors, other)
      await assert.rejects(trainToy(folder, { resume: true }), FormatError)
    }
  })
})

describe('a training run that diverges', () => {
  const tooFast = { learningRate: 1e38, maxGradNorm: 1e9 }

  it('ends before anything of it is written, where it has no checkpoint, and the remedy works', async () => {
    const folder = fresh()
    await assert.rejects(trainToy(folder, { settings: tooFast }), {
      name: DivergenceError.name,
      message: /^dpok step 1: .*no checkpoint was written before; begin again with --learning-rate 0\.003$/,
    })
    assert.ok(!existsSync(folder))
    await trainToy(folder, { settings: { ...tooFast, learningRate: 0.003 } })
  })

  it('ends where a ratio has exploded, although it is a number', async () => {
    const folder = copyOfUnfinished()
    await assert.rejects(trainToy(folder, { resume: true, settings: { learningRate: 1e5 } }), {
      name: DivergenceError.name,
      message: /^dpok step 3: log-ratio .*: expected at most 88 nats, .* last good checkpoint, of step 2/,
    })
  })

  it('ends where parameters are out of all proportion, although they are numbers', async () => {
    const [folder, stage, learningRate] = [fresh(), 'policy reward-weighted', 3000] as const
    await assert.rejects(trainToy(folder, { stage, settings: { learningRate } }), {
      name: DivergenceError.name,
      message:
        /^reward-weighted step 1: parameters: expected none above 1000 times .* begin again with --learning-rate/,
    })
  })

  it('goes back to the last good checkpoint where those after it have gone too far already', async () => {
    const folder = fresh()
    const stage = 'policy reward-weighted'
    await trainToy(folder, { stage, settings: { updates: 40 }, onStep: breakOffAt(3) }).catch(() => undefined)
    // Parameters grow by about the rate in a step: three of these are far, and four too far.
    const settings = { updates: 40, learningRate: 450 }
    const diverging = trainToy(folder, { stage, settings, resume: true })
    await assert.rejects(
      diverging,
      /^DivergenceError: reward-weighted step 6: .* last good checkpoint, of step 2: attune/,
    )
    assert.deepEqual(
      readdirSync(folder).filter((name) => name.startsWith('checkpoint')),
      [checkpointName],
    )
    const { total } = await trainToy(folder, { stage, settings: { ...settings, learningRate: 0.01 }, resume: true })
    assert.equal(total, 40)
    assert.equal(rowsOf(folder).length, 40)
  })

  it('names the last good checkpoint, from which a lower rate goes on; the change is recorded', async () => {
    const folder = copyOfUnfinished()
    const before = readFileSync(join(folder, checkpointName))
    await assert.rejects(trainToy(folder, { resume: true, settings: { learningRate: 1e38 } }), {
      name: DivergenceError.name,
      message: new RegExp(
        `^dpok step 3: .* — go on from the last good checkpoint, of step 2: attune policy dpok --config ${folder}/config.json --learning-rate 0\\.003 --resume --out ${folder}$`,
      ),
    })
    assert.deepEqual(readFileSync(join(folder, checkpointName)), before)
    assert.equal(rowsOf(folder).length, 2)
    await trainToy(folder, { resume: true, settings: { learningRate: 0.001 } })
    const { results } = readRun(folder)
    const changes = results.settingsChanges as { step: number; changed: unknown }[]
    assert.deepEqual(
      changes.map(({ step, changed }) => ({ step, changed })),
      [
        { step: 2, changed: { learningRate: [null, 1e38] } },
        { step: 2, changed: { learningRate: [1e38, 0.001] } },
      ],
    )
    const config = JSON.parse(readFileSync(join(folder, 'config.json'), 'utf8')) as Record<string, unknown>
    assert.equal(config.learningRate, 0.001)
    assert.deepEqual(rowsOf(folder).slice(0, 2), rowsOf(whole).slice(0, 2))
    assert.notDeepEqual(policyOf(folder), policyOf(whole))
  })

  it('does not take up other settings', async () => {
    const folder = copyOfUnfinished()
    await assert.rejects(
      trainToy(folder, { resume: true, settings: { clipRange: 0.1 } }),
      /other settings \(clipRange 0\.2, not 0\.1\)/,
    )
    await trainToy(folder, { resume: true, checkpointEvery: 2 })
    assert.deepEqual(policyOf(folder), policyOf(whole))
  })
})
