/** What every algorithm has to do, whatever it learns from. */
import assert from 'node:assert/strict'
import { mkdtempDisposableSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { z } from 'zod'
import { FormatError } from '../../errors.ts'
import { policyStages, type PolicyStage } from '../../stages.ts'
import { tensor } from '../../tensor/create.ts'
import { useThreads } from '../../tensor/library.ts'
import { livingTensors, tensorScope } from '../../tensor/scope.ts'
import { readTrainingState, writeTrainingState, type TrainingState } from '../../tensor/training-state.ts'
import type { AnyAlgorithm } from '../algorithm.ts'
import { fullSampler, gaussianModel, linearReward, shiftsFrom } from '../gaussian-model.test-helper.ts'
import { algorithms } from './index.ts'

useThreads(1)

const statesOf = (count: number, from = 0) => ({
  x0: tensor(
    Array.from({ length: 4 * count }, (_, i) => ((i + 4 * from) % 17) / 17),
    [count, 1, 2, 2],
  ),
  earlier: [],
})

/** Small enough for a test, of each the settings that it has. */
const small: Readonly<Record<string, unknown>> = {
  ...{
    imagesDrawn: 60,
    rolloutsPerIteration: 6,
    imagesPerUpdate: 6,
    groupSize: 3,
    valueUpdates: 2,
    oldDecaySlope: 0.1,
    promptMemory: 4,
  },
  ...{ updates: 12, batchSize: 4, klO: 0.1, beta: 20, heldOut: 0, ties: 'davidson' },
  learningRate: 0.05,
}

/** Beside each method with these settings, the same with others that change what its state holds. */
const variants: readonly (readonly [stage: PolicyStage, more: Readonly<Record<string, unknown>>])[] = [
  ['policy reward-weighted', { imagesDrawn: 0 }],
  ['policy reward-weighted', { signed: true, updates: 11, imagesDrawn: 24 }],
]

/** A training at its start, of the Gaussian chain, given all that any stage takes. */
async function begin(stage: PolicyStage, more: Readonly<Record<string, unknown>> = {}) {
  const algorithm: AnyAlgorithm = await algorithms[stage]()
  const own = Object.entries({ ...small, ...more }).filter(([field]) => field in algorithm.fields)
  const given = {
    ...{ model: gaussianModel(), trainable: shiftsFrom(), seed: 3 },
    settings: z.object(algorithm.fields).parse(Object.fromEntries(own)),
    ...{ texts: ['low', 'high'], sampler: fullSampler, guidance: 1 },
    reward: { ...linearReward(0.5, (text) => (text === 'high' ? 1 : 0)), range: [0, 1] },
    images: Array.from({ length: 12 }, (_, i) => ({ text: i % 2 === 0 ? 'low' : 'high', score: i / 12 })),
    states: statesOf(12),
    pairs: Array.from({ length: 6 }, (_, i) => ({
      ...{ better: 2 * i, worse: 2 * i + 1, weight: 1, isTie: i === 5 },
      text: i % 2 === 0 ? 'low' : 'high',
    })),
    pretraining: (from: number, count: number) => ({
      ...statesOf(count, from),
      captions: new Array<string>(count).fill('low'),
    }),
  }
  return algorithm.begin(given as never)
}

const savedAfter = async (stage: PolicyStage, steps: number, more = {}): Promise<TrainingState> => {
  const training = await begin(stage, more)
  for (let i = 0; i < steps; i++) training.step()
  return training.state()
}

for (const [stage, more] of [...policyStages.map((stage) => [stage, {}] as const), ...variants]) {
  describe([stage, ...Object.entries(more).map((one) => one.join(' '))].join(', '), () => {
    it('goes on from a saved state bit for bit, to its end, with finite parameters', async () => {
      using folder = mkdtempDisposableSync(join(tmpdir(), 'attune-algorithm-'))
      using _scope = tensorScope()
      const whole = await begin(stage, more)
      const before = [...whole.parameters.values()].flatMap((one) => one.toArray())
      const rows = Array.from({ length: whole.total }, () => whole.step())
      assert.equal(whole.done, whole.total)
      const after = [...whole.parameters.values()].flatMap((one) => one.toArray())
      assert.ok(after.every(Number.isFinite))
      assert.notDeepEqual(after, before)

      const file = join(folder.path, 'state.safetensors')
      writeTrainingState(file, await savedAfter(stage, 4, more))
      const resumed = await begin(stage, more)
      {
        using _reading = tensorScope()
        resumed.load(readTrainingState(file))
      }
      assert.equal(resumed.done, 4)
      assert.deepEqual(Array.from({ length: whole.total - 4 }, () => resumed.step()), rows.slice(4)) // prettier-ignore
      assert.deepEqual([...resumed.parameters.values()].flatMap((one) => one.toArray()), after) // prettier-ignore
    })

    it('leaves no tensor behind in a step', async () => {
      using _scope = tensorScope()
      const training = await begin(stage, more)
      for (let i = 0; i < 6; i++) training.step()
      const before = livingTensors()
      for (let i = 0; i < 3; i++) training.step()
      // Garbage collection may free abandoned ones of the beginning meanwhile.
      assert.ok(livingTensors() <= before, `${livingTensors()} living tensors, ${before} before`)
    })

    it('refuses the state of other algorithms, of more steps, and one of which something is missing', async () => {
      using _scope = tensorScope()
      const training = await begin(stage, more)
      for (const other of policyStages.filter((one) => one !== stage)) {
        const state = await savedAfter(other, 1)
        assert.throws(() => training.load(state), FormatError, other)
      }
      const { tensors, numbers } = await savedAfter(stage, 3, more)
      assert.throws(() => training.load({ tensors, numbers: {} }), FormatError)
      const [counter] = Object.keys(numbers)
      assert.throws(() => training.load({ tensors, numbers: { ...numbers, [counter]: 1e6 } }), FormatError)
      for (const name of tensors.keys()) {
        const fewer = new Map([...tensors].filter(([one]) => one !== name))
        assert.throws(() => training.load({ tensors: fewer, numbers }), FormatError, name)
      }
    })

    it('names lower rates with which to go on, among its own settings', async () => {
      using _scope = tensorScope()
      const { fields }: AnyAlgorithm = await algorithms[stage]()
      const rates = (await begin(stage)).lowerRates('gradient of x')
      assert.ok(rates !== undefined && Object.keys(rates).length > 0)
      for (const [field, rate] of Object.entries(rates)) assert.ok(field in fields && rate > 0 && rate < 0.05, field)
    })
  })
}
