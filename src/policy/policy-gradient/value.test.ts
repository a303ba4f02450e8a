import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { FormatError } from '../../errors.ts'
import { explainedVariance } from '../../reward/training/classification.ts'
import { useThreads } from '../../tensor/library.ts'
import { livingTensors, tensorScope } from '../../tensor/scope.ts'
import { readTrainingState, writeTrainingState } from '../../tensor/training-state.ts'
import { gaussianModel, linearReward, fullSampler } from '../gaussian-model.test-helper.ts'
import { rollOut, type Rollouts } from '../rollout.ts'
import { predictedFeatures, ValueFunction } from './value.ts'

useThreads(1)

const options = { learningRate: 3e-3, updates: 40, batchSize: 64, memory: 2 }
const bonus = (text: string) => (text === 'high' ? 1 : 0)

/** Roll-outs of both prompts, of noise of their own. */
function fresh(iteration: number, count = 48): Rollouts {
  const model = gaussianModel()
  const reward = linearReward(0.5, bonus)
  const prompts = Array.from({ length: count }, (_, i) => (i % 2 === 0 ? 'low' : 'high'))
  return rollOut(model, reward, prompts, (i) => [7, iteration, i], {
    sampler: fullSampler,
    guidance: 1,
    batchSize: 64,
    observer: predictedFeatures(model, reward, fullSampler),
  })
}

const predictions = (value: ValueFunction, rollouts: Rollouts) => value.predict(rollouts).map((each) => each.toArray())

describe('the value function', () => {
  it('foretells fresh roll-outs better than the mean reward of their prompt, the better the later the step', () => {
    using _scope = tensorScope()
    const value = new ValueFunction(2, 4, 1, options)
    const losses = [1, 2, 3, 4, 5].map((iteration) => value.fit(fresh(iteration)))
    assert.ok(losses[4] < losses[0], `${losses}`)
    const unseen = fresh(100, 200)
    const explained = predictions(value, unseen).map((values) => explainedVariance(values, unseen.rewards))
    const promptMean = explainedVariance(unseen.texts.map(bonus), unseen.rewards)
    assert.ok(promptMean > 0.2 && promptMean < 0.8, `${promptMean}`)
    assert.ok(
      explained.slice(1).every((each) => each > promptMean + 0.02),
      `${explained}, per prompt ${promptMean}`,
    )
    assert.ok(explained[3] > 0.9 && explained[3] > explained[1], `${explained}`)
  })

  it('tells steps apart: the same features mean another reward', () => {
    using _scope = tensorScope()
    const value = new ValueFunction(2, 4, 1, { ...options, updates: 300, learningRate: 0.01 })
    const rollouts = fresh(1)
    const same = { ...rollouts, observed: rollouts.observed.map(() => rollouts.observed[0]) }
    const before = predictions(value, same)
    assert.notDeepEqual(before[0], before[1])
  })

  it('predicts as it was fitted before, and another thing after a fit', () => {
    using _scope = tensorScope()
    const value = new ValueFunction(2, 4, 1, options)
    const rollouts = fresh(1)
    const before = predictions(value, rollouts)
    assert.deepEqual(predictions(value, rollouts), before)
    value.fit(rollouts)
    assert.notDeepEqual(predictions(value, rollouts), before)
  })

  it('is a function of its seed', () => {
    using _scope = tensorScope()
    const rollouts = fresh(1)
    const [one, same, other] = [1, 1, 2].map((seed) => {
      const value = new ValueFunction(2, 4, seed, options)
      return [value.fit(rollouts), ...predictions(value, rollouts).flat()]
    })
    assert.deepEqual(one, same)
    assert.notDeepEqual(one, other)
  })

  it('outlives the scope that it is made in', () => {
    using _scope = tensorScope()
    let value: ValueFunction
    {
      using _inner = tensorScope()
      value = new ValueFunction(2, 4, 1, options)
      value.fit(fresh(1))
    }
    assert.ok(Number.isFinite(value.fit(fresh(2))))
  })

  it('remembers the last few batches and no more', () => {
    using _scope = tensorScope()
    const value = new ValueFunction(2, 4, 1, { ...options, updates: 1 })
    const rollouts = fresh(1)
    value.fit(rollouts)
    value.fit(rollouts)
    const full = livingTensors()
    value.fit(rollouts)
    value.fit(rollouts)
    assert.ok(livingTensors() <= full)
  })

  it('continues from its saved state bit for bit, with what it remembers', () => {
    const folder = mkdtempSync(join(tmpdir(), 'attune-'))
    try {
      using _scope = tensorScope()
      const batches = [1, 2, 3, 4, 5].map((iteration) => fresh(iteration, 16))
      const whole = new ValueFunction(2, 4, 1, options)
      for (const batch of batches.slice(0, 3)) whole.fit(batch)
      const file = join(folder, 'value.safetensors')
      writeTrainingState(file, whole.state())
      const restored = new ValueFunction(2, 4, 1, options)
      {
        using _reading = tensorScope()
        restored.load(readTrainingState(file))
      }
      for (const batch of batches.slice(3)) assert.equal(restored.fit(batch), whole.fit(batch))
      assert.deepEqual(predictions(restored, batches[0]), predictions(whole, batches[0]))
    } finally {
      rmSync(folder, { recursive: true })
    }
  })

  it('refuses the state of another', () => {
    using _scope = tensorScope()
    const state = new ValueFunction(3, 4, 1, options).state()
    assert.throws(() => new ValueFunction(2, 4, 1, options).load(state), FormatError)
  })
})
