import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { policyOf } from '../networks/generative-model.ts'
import { Weights } from '../networks/weights.ts'
import { shapesModel } from '../shapes/model.ts'
import { withoutGrad } from '../tensor/autograd.ts'
import { tensor, zeros } from '../tensor/create.ts'
import { useThreads } from '../tensor/library.ts'
import { tensorScope } from '../tensor/scope.ts'
import { gaussianModel, shiftsFrom } from './gaussian-model.test-helper.ts'
import { PolicyOptimiser } from './policy-optimiser.ts'
import { shownChange, trainableChange, type Trainable } from './trainable.ts'

useThreads(1)

describe('the optimiser of a policy', () => {
  it('goes on with adapters that a state of version 0.1 names lora_A and lora_B', () => {
    using _scope = tensorScope()
    const model = shapesModel(Weights.fresh(1), 'f'.repeat(64))
    // Random weights are drawn when they are first used.
    withoutGrad(() => {
      policyOf(model).predict(zeros([1, 3, 24, 24]), tensor([40], [1], 'int64'), model.encodeText(['two red rings']))
    })
    const begin = (seed: number) => {
      const lora: Trainable = { parameters: 'lora', rank: 2, loraAlpha: 2, loraLayers: ['attention'] }
      const trainable = trainableChange(model, lora, seed)
      return new PolicyOptimiser(model, trainable, { learningRate: 0.1, maxGradNorm: 1 }, { text: 1, lora: 1 })
    }
    const numbers = (of: PolicyOptimiser) => of.state().map(([name, each]) => [name, each.toArray()])
    const [one, other] = [begin(1), begin(2)]
    for (const [, each] of one.state().filter(([name]) => /exp_avg.*lora/.test(name))) {
      withoutGrad(() => each.add_(tensor([0.5])))
    }
    const early = one.state().map(([name, each]) => {
      return [name.replace(/\.lora\.down$/, '.lora_A').replace(/\.lora\.up$/, '.lora_B'), each] as const
    })
    assert.notDeepEqual(numbers(one), numbers(other))
    assert.ok(early.some(([name]) => name.endsWith('to_q.weight.lora_A')))
    other.load(new Map(early))
    assert.deepEqual(numbers(one), numbers(other))
  })

  it('keeps a running average of the parameters over updates, which goes on where it was saved', () => {
    using _scope = tensorScope()
    const decay = 0.75
    const begin = () => {
      const trainable = shiftsFrom([[1, 2, 3, 4], [0, 0, 0, 0], [5, 6, 7, 8]], decay) // prettier-ignore
      const optimiser = new PolicyOptimiser(gaussianModel(), trainable, { learningRate: 0.1, maxGradNorm: 9 }, { text: 1, lora: 1 }) // prettier-ignore
      const step = (by: number) => {
        const shift = trainable.parameters.get('shift')!
        shift.mul(by).sum().backward()
        optimiser.update(0.1)
        return shift.toArray()
      }
      const average = () => shownChange(trainable).parameters.get('shift')!.toArray()
      return { trainable, optimiser, step, average }
    }
    const one = begin()
    const [start] = [one.average()]
    const byHand = [one.step(1), one.step(-2), one.step(3)].reduce(
      (average, now) => average.map((each, i) => decay * each + (1 - decay) * now[i]),
      start,
    )
    one.average().forEach((each, i) => assert.ok(Math.abs(each - byHand[i]) < 1e-6, `${each}, by hand ${byHand[i]}`))
    const other = begin()
    other.optimiser.load(new Map(one.optimiser.state().map(([name, each]) => [name, each.clone()])))
    assert.deepEqual(other.average(), one.average())
    assert.deepEqual([one.step(2), one.average()], [other.step(2), other.average()])
    // What is looked at is the average, what is trained is not.
    const [shown] = [...(shownChange(one.trainable).change.trained ?? [])].map(([, each]) => each.toArray())
    assert.deepEqual(shown, one.average())
    assert.notDeepEqual(shown, one.trainable.parameters.get('shift')!.toArray())
  })
})
