import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { withoutLeak } from '../diffusion/tensor-checks.test-helper.ts'
import { VocabularyError } from '../errors.ts'
import { samplerOf } from '../images/draw.ts'
import { Weights } from '../networks/weights.ts'
import { policyOf } from '../networks/generative-model.ts'
import { withoutGrad } from '../tensor/autograd.ts'
import { full } from '../tensor/create.ts'
import { useThreads } from '../tensor/library.ts'
import { tensorScope } from '../tensor/scope.ts'
import { shapesEncoder } from './encoder.ts'
import { shapesModel, tokenRows } from './model.ts'

useThreads(1)

const states = (batch: number) => full([batch, ...policyOf(shapesModel(Weights.fresh(1), '')).stateShape], 0.3)

/** Fresh weights live on; everything else that a network makes ends with the scope. */
function withoutLeakOnceDrawn(body: () => void): void {
  {
    using _scope = tensorScope()
    body()
  }
  withoutLeak(body)
}

describe('the embedded model', () => {
  it('predicts in the shape of its state, for any prompt and none', () => {
    const model = shapesModel(Weights.fresh(1), 'sha')
    withoutLeakOnceDrawn(() => {
      const conditioning = model.encodeText(['', 'two red circles on a blue background'])
      for (const rows of Object.values(conditioning)) assert.equal(rows.shape[0], 2)
      const found = policyOf(model).predict(states(2), full([2], 995, 'int64'), conditioning)
      assert.deepEqual(found.shape, [2, ...policyOf(model).stateShape])
      assert.ok(found.toArray().every(Number.isFinite))
      assert.equal(model.with({}).sha256, 'sha')
    })
  })

  it('has text-path and adapter parameters, the text encoder among the first', () => {
    using _scope = tensorScope()
    const model = shapesModel(Weights.fresh(1), '')
    withoutGrad(() => policyOf(model).predict(states(1), full([1], 5, 'int64'), model.encodeText([''])))
    const names = [...model.weights.tensors().keys()]
    const textPath = names.filter((name) => model.isTextPath(name))
    assert.ok(names.filter((name) => name.startsWith('textEncoder.')).every((name) => textPath.includes(name)))
    assert.ok(textPath.some((name) => name.startsWith('unet.attention.0.cross.')))
    assert.ok(textPath.includes('unet.text.weight') && !textPath.includes('unet.in.weight'))
    const targets = names.filter((name) => model.isAdapterTarget(name, ['attention']))
    assert.ok(targets.every((name) => model.weights.tensors().get(name)!.shape.length === 2))
    // three blocks of self- and cross-attention, four maps each
    assert.equal(targets.length, 3 * 2 * 4)
  })

  it('is a policy as it is sampled by default', () => {
    const model = shapesModel(Weights.fresh(1), '')
    const { sampling, process } = policyOf(model)
    const { steps } = samplerOf(model, sampling)
    assert.equal(steps.length, sampling.steps)
    assert.deepEqual(
      steps.map(({ stochastic }) => stochastic),
      steps.map((_, i) => i < steps.length - 1),
    )
    for (const count of [1, 2, 50, 900]) assert.equal(process.sampler({ steps: count, eta: 1 }).steps.length, count)
  })

  it('knows its words, and says which it does not know', () => {
    using _scope = tensorScope()
    assert.deepEqual(tokenRows(['', 'Red circles, a']).shape, [2, 12])
    const model = shapesModel(Weights.fresh(1), '')
    assert.throws(() => model.encodeText(['two dogs']), VocabularyError)
    assert.throws(() => shapesEncoder(Weights.fresh(1), '').embedTexts(['two dogs']), VocabularyError)
  })

  it('decodes into [-1, 1]', () => {
    using _scope = tensorScope()
    const model = shapesModel(Weights.fresh(1), '')
    assert.deepEqual(model.decode([full([1, 1], 3)]).toArray(), [1])
    assert.deepEqual(model.encode(full([1, 1], 0.5)).x0.toArray(), [0.5])
  })
})

describe('the embedded encoder', () => {
  it('has the width that it states, for images and texts', () => {
    const encoder = shapesEncoder(Weights.fresh(1), 'sha')
    withoutLeakOnceDrawn(() => {
      assert.deepEqual(encoder.embedImages(states(2)).shape, [2, encoder.width])
      assert.deepEqual(encoder.embedTexts(['', 'rings', 'red rings']).shape, [3, encoder.width])
    })
  })

  it('says which texts it can read', () => {
    const encoder = shapesEncoder(Weights.fresh(1), 'sha')
    assert.deepEqual(['', 'two red rings', 'a photo of a dog'].map(encoder.canRead!), [true, true, false])
  })

  it('sees the middle of pictures of any size, made small', () => {
    const encoder = shapesEncoder(Weights.fresh(1), 'sha')
    withoutLeakOnceDrawn(() => {
      const side = 24
      const plain = full([1, 3, side, side], 0.2)
      const expected = encoder.embedImages(plain).toArray()
      for (const [height, width] of [
        [512, 512],
        [30, 90],
        [1, 1],
      ]) {
        const other = encoder.embedImages(full([1, 3, height, width], 0.2)).toArray()
        assert.ok(other.every((value, i) => Math.abs(value - expected[i]) < 0.01))
      }
    })
  })
})
