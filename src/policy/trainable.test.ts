import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { FormatError } from '../errors.ts'
import { policyOf, type GenerativeModel } from '../networks/generative-model.ts'
import { Weights } from '../networks/weights.ts'
import { shapesModel } from '../shapes/model.ts'
import { withoutGrad } from '../tensor/autograd.ts'
import { full, randn, tensor } from '../tensor/create.ts'
import { Generator } from '../tensor/generator.ts'
import { useThreads } from '../tensor/library.ts'
import { tensorScope } from '../tensor/scope.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { mergeAdapters, trainableChange, type Trainable } from './trainable.ts'

useThreads(1)

const lora: Trainable = { parameters: 'lora', rank: 3, loraAlpha: 6, loraLayers: ['attention'] }
const text: Trainable = { parameters: 'text', rank: 3, loraAlpha: 6, loraLayers: ['attention'] }
const all: Trainable = { parameters: 'all', rank: 3, loraAlpha: 6, loraLayers: ['attention'] }

function predict(model: GenerativeModel): Tensor {
  return withoutGrad(() => {
    const xt = randn([2, 3, 24, 24], new Generator(4))
    return policyOf(model).predict(xt, tensor([900, 40], [2], 'int64'), model.encodeText(['two red rings', '']))
  })
}

/** The embedded model with random weights, all of them drawn. */
function freshModel(sha256 = 'f'.repeat(64), seed = 1): GenerativeModel {
  const model = shapesModel(Weights.fresh(seed), sha256)
  predict(model)
  return model
}

const numbers = (model: GenerativeModel) => predict(model).toArray()

function disturb(parameters: ReadonlyMap<string, Tensor>): void {
  const generator = new Generator(9)
  withoutGrad(() => {
    for (const parameter of parameters.values()) parameter.add_(randn(parameter.shape, generator).mul(0.05))
  })
}

describe('what a fine-tuning run changes', () => {
  for (const kind of [lora, text, all]) {
    it(`starts as the pre-trained model exactly (${kind.parameters})`, () => {
      using _scope = tensorScope()
      const model = freshModel()
      const { parameters, change } = trainableChange(model, kind, 1)
      assert.ok(parameters.size > 0)
      assert.ok([...parameters.values()].every((each) => each.requiresGrad))
      assert.deepEqual(numbers(model.with(change)), numbers(model))
    })

    it(`reaches the prediction, and leaves the pre-trained weights untouched (${kind.parameters})`, () => {
      using _scope = tensorScope()
      const model = freshModel()
      const weights = () => [...model.weights.tensors()].map(([name, each]) => [name, ...each.toArray()].join())
      const [prediction, untouched] = [numbers(model), weights()]
      const { parameters, change } = trainableChange(model, kind, 1)
      disturb(parameters)
      assert.notDeepEqual(numbers(model.with(change)), prediction)
      assert.deepEqual(numbers(model.with(change).with({})), prediction)
      assert.deepEqual(weights(), untouched)
      assert.ok([...model.weights.tensors().values()].every((each) => !each.requiresGrad))
    })
  }

  it('holds whatever is not trained once: policy and reference have the same tensors', () => {
    using _scope = tensorScope()
    const model = freshModel()
    const { parameters, change } = trainableChange(model, text, 1)
    const policy = model.with(change)
    const reference = model.with({})
    for (const [name, own] of model.weights.tensors()) {
      const at = (of: GenerativeModel) => of.weights.parameter(name, own.shape, 'zeros')
      assert.equal(at(reference).handle, own.handle)
      assert.equal(at(policy).handle, (parameters.get(name) ?? own).handle)
    }
    assert.ok(parameters.size < model.weights.tensors().size)
    assert.ok([...parameters.keys()].every((name) => model.isTextPath(name)))
  })

  it('gets a gradient in every parameter, through both towers', () => {
    using _scope = tensorScope()
    const model = freshModel()
    for (const kind of [lora, text, all]) {
      const { parameters, change } = trainableChange(model, kind, 1)
      disturb(parameters)
      const policy = model.with(change)
      policyOf(policy)
        .predict(full([1, 3, 24, 24], 0.1), tensor([300], [1], 'int64'), policy.encodeText(['two red rings']))
        .square()
        .mean()
        .backward()
      const without = [...parameters].filter(([, each]) => each.grad === undefined).map(([name]) => name)
      assert.deepEqual(without, [])
    }
  })

  it('merges adapters into weights that do the same', () => {
    using _scope = tensorScope()
    const model = freshModel()
    const { parameters, change } = trainableChange(model, lora, 1)
    disturb(parameters)
    const merged = model.with({ trained: mergeAdapters(model, change) })
    const [expected, found] = [numbers(model.with(change)), numbers(merged)]
    const largest = Math.max(...expected.map((value, i) => Math.abs(value - found[i])))
    assert.ok(largest < 1e-5, `${largest}`)
  })

  it('merges by hand: W + alpha/rank · B A', () => {
    using _scope = tensorScope()
    const model = freshModel()
    const { change, parameters } = trainableChange(model, { ...lora, rank: 1, loraAlpha: 3 }, 1)
    disturb(parameters)
    const name = [...change.adapters!.keys()][0]
    const [a, b] = ['lora.down', 'lora.up'].map((part) => parameters.get(`${name}.${part}`)!.toArray())
    const weight = model.weights.tensors().get(name)!.toArray()
    const merged = mergeAdapters(model, change).get(name)!.toArray()
    merged.forEach((value, i) => {
      const [row, column] = [Math.floor(i / a.length), i % a.length]
      assert.ok(Math.abs(value - (weight[i] + 3 * b[row] * a[column])) < 1e-6)
    })
  })

  it('is a function of its seed', () => {
    using _scope = tensorScope()
    const model = freshModel()
    const start = (seed: number) =>
      [...trainableChange(model, lora, seed).parameters.values()].flatMap((each) => each.toArray())
    assert.deepEqual(start(1), start(1))
    assert.notDeepEqual(start(1), start(2))
  })

  it('continues an earlier change, also of another alpha, and refuses one of another kind', () => {
    using _scope = tensorScope()
    const model = freshModel()
    const first = trainableChange(model, lora, 1)
    disturb(first.parameters)
    const start = { file: 'first', change: first.change }
    const trained = numbers(model.with(first.change))
    const second = trainableChange(model, { ...lora, loraAlpha: 1.5 }, 2, start)
    const continued = numbers(model.with(second.change))
    const largest = Math.max(...trained.map((value, i) => Math.abs(value - continued[i])))
    assert.ok(largest < 1e-5, `${largest}`)
    disturb(second.parameters)
    assert.deepEqual(numbers(model.with(first.change)), trained, 'the first round is not changed by the second')

    assert.throws(() => trainableChange(model, text, 1, start), FormatError)
    const whole = { file: 'whole', change: trainableChange(model, all, 1).change }
    assert.throws(() => trainableChange(model, text, 1, whole), FormatError)
    assert.throws(() => trainableChange(model, lora, 1, whole), FormatError)
  })

  it('continues adapters of another rank and of other layers', () => {
    using _scope = tensorScope()
    const model = freshModel()
    const first = trainableChange(model, { ...lora, rank: 4 }, 1)
    disturb(first.parameters)
    const start = { file: 'first', change: first.change }
    const trained = numbers(model.with(first.change))
    const far = (other: Trainable) => {
      const { change } = trainableChange(model, other, 2, start)
      const found = numbers(model.with(change))
      return { change, largest: Math.max(...trained.map((value, i) => Math.abs(value - found[i]))) }
    }
    assert.ok(far({ ...lora, rank: 7, loraAlpha: 3 }).largest < 1e-5)
    const more = far({ ...lora, rank: 4, loraLayers: ['feed-forward'] })
    assert.ok(more.largest < 1e-5)
    assert.ok(more.change.adapters!.size > first.change.adapters!.size)
    const [fewer, one] = [far({ ...lora, rank: 3 }), far({ ...lora, rank: 1 })]
    const untrained = numbers(model)
    const whole = Math.max(...trained.map((value, i) => Math.abs(value - untrained[i])))
    assert.ok(fewer.largest < whole && fewer.largest > 1e-5, `${fewer.largest} of ${whole}`)
    // A change that has a lower rank is kept whole by it.
    const again = trainableChange(model, { ...lora, rank: 6 }, 3, { file: 'one', change: one.change })
    const back = trainableChange(model, { ...lora, rank: 1 }, 4, { file: 'again', change: again.change })
    const [expected, found] = [numbers(model.with(one.change)), numbers(model.with(back.change))]
    assert.ok(Math.max(...expected.map((value, i) => Math.abs(value - found[i]))) < 1e-4)
  })

  it('puts adapters on the layers that are asked for, convolutions among them', () => {
    using _scope = tensorScope()
    const model = freshModel()
    const targets = (loraLayers: Trainable['loraLayers']) => {
      const names = [...trainableChange(model, { ...lora, loraLayers }, 1).change.adapters!.keys()]
      assert.ok(names.length > 0, loraLayers.join())
      return names
    }
    assert.ok(targets(['attention']).every((name) => /to_(q|k|v|out)\.weight$/.test(name)))
    assert.ok(targets(['feed-forward']).every((name) => name.includes('.mlp.')))
    const convolutions = trainableChange(model, { ...lora, loraLayers: ['convolutions'] }, 1)
    disturb(convolutions.parameters)
    const merged = model.with({ trained: mergeAdapters(model, convolutions.change) })
    const [expected, found] = [numbers(model.with(convolutions.change)), numbers(merged)]
    assert.notDeepEqual(expected, numbers(model))
    const largest = Math.max(...expected.map((value, i) => Math.abs(value - found[i])))
    assert.ok(largest < 1e-4, `${largest}`)
  })
})
