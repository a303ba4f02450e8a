import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { FormatError } from '../../errors.ts'
import { tensor, zeros } from '../../tensor/create.ts'
import { useThreads } from '../../tensor/library.ts'
import { writeSafetensors } from '../../tensor/safetensors.ts'
import { livingTensors, tensorScope } from '../../tensor/scope.ts'
import { operator, type Tensor } from '../../tensor/tensor.ts'
import { imageOrderOn } from '../image-order.ts'
import { Weights } from '../weights.ts'
import { findWeights, type FoundWeights } from './find-weights.ts'
import { loadWeights, metaWeights } from './load-weights.ts'

useThreads(1)
const strideOf = operator<[Tensor, dim: number], number>('stride', 'int')
let folder: string
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), 'weights-'))))
afterEach(() => rmSync(folder, { recursive: true }))

function found(tensors: Readonly<Record<string, Tensor>>): FoundWeights {
  writeSafetensors(join(folder, 'model.safetensors'), new Map(Object.entries(tensors)))
  return findWeights(folder, 'model')
}

const file = () => join(folder, 'model.safetensors')

describe('loadWeights', () => {
  it('converts numbers, and leaves whole numbers as they are', () => {
    using _scope = tensorScope()
    const weights = found({
      half: tensor([1.5, -2], [2], 'float16'),
      single: tensor([0.25, 3], [1, 2]),
      ids: tensor([0, 1, 2], [3], 'int64'),
      mask: tensor([1, 0], [2], 'bool'),
      scalar: tensor([7], []),
      empty: zeros([0, 4]),
    })
    const loaded = loadWeights(weights, { dtype: 'bfloat16', device: 'cpu' })
    const summary = [...loaded].map(([name, one]) => [name, one.dtype, one.shape, one.toArray()])
    assert.deepEqual(summary.sort(), [
      ['empty', 'bfloat16', [0, 4], []],
      ['half', 'bfloat16', [2], [1.5, -2]],
      ['ids', 'int64', [3], [0, 1, 2]],
      ['mask', 'bool', [2], [1, 0]],
      ['scalar', 'bfloat16', [], [7]],
      ['single', 'bfloat16', [1, 2], [0.25, 3]],
    ])
  })

  it('puts the kernels of convolutions into the order that is asked for, and nothing else', () => {
    using _scope = tensorScope()
    const kernel = tensor(
      Float32Array.from({ length: 24 }, (_, i) => i),
      [2, 3, 2, 2],
    )
    const weights = found({ kernel, matrix: tensor([1, 2, 3, 4], [2, 2]) })
    const loaded = loadWeights(weights, { dtype: 'float32', device: 'cpu', order: 'places' })
    const [placed, matrix] = ['kernel', 'matrix'].map((name) => loaded.get(name)!)
    assert.deepEqual(placed.toArray(), kernel.toArray())
    assert.equal(strideOf(placed, 1), 1)
    assert.equal(strideOf(matrix, 0), 2)
    assert.deepEqual(
      [imageOrderOn('cuda:1', 'bfloat16'), imageOrderOn('cuda', 'float32'), imageOrderOn('cpu', 'bfloat16')],
      ['places', 'rows', 'rows'],
    )
  })

  it('renames', () => {
    using _scope = tensorScope()
    const weights = found({ 'mid.query.weight': tensor([1]), other: tensor([2]) })
    const rename = (key: string) => key.replace('query', 'to_q')
    const loaded = loadWeights(weights, { dtype: 'float32', device: 'cpu', rename })
    assert.deepEqual([...loaded.keys()].sort(), ['mid.to_q.weight', 'other'])
    assert.deepEqual([...metaWeights(weights, { rename }).keys()].sort(), ['mid.to_q.weight', 'other'])
  })

  it('refuses two tensors of one new name before anything is read', () => {
    using _scope = tensorScope()
    const weights = found({ a: tensor([1]), b: tensor([2]) })
    const rename = () => 'same'
    const complaint = (error: unknown) =>
      error instanceof FormatError && error.message.startsWith(`${file()} b: expected a parameter of its own`)
    assert.throws(() => loadWeights(weights, { dtype: 'float32', device: 'cpu', rename }), complaint)
    assert.throws(() => metaWeights(weights, { rename }), complaint)
  })

  it('names a tensor with a number that is not finite', () => {
    using _scope = tensorScope()
    for (const wrong of [NaN, Infinity, -Infinity]) {
      for (const dtype of ['float32', 'float16', 'bfloat16', 'float64'] as const) {
        const numbers = new Array<number>(100).fill(1)
        numbers[57] = wrong
        const weights = found({ fine: tensor([1]), bad: tensor(numbers, [10, 10], dtype) })
        assert.throws(
          () => loadWeights(weights, { dtype: 'float32', device: 'cpu' }),
          (error) =>
            error instanceof FormatError &&
            error.message.startsWith(`${file()} bad: expected finite numbers, received NaN or infinity`),
        )
      }
    }
  })

  it('names a tensor that the wanted type cannot hold', () => {
    using _scope = tensorScope()
    const weights = found({ large: tensor([1, -70000]) })
    assert.throws(
      () => loadWeights(weights, { dtype: 'float16', device: 'cpu' }),
      (error) =>
        error instanceof FormatError &&
        error.message.startsWith(`${file()} large: expected numbers that float16 can hold, received up to 7.00e+4`),
    )
    assert.deepEqual(loadWeights(weights, { dtype: 'float32', device: 'cpu' }).get('large')?.toArray(), [1, -70000])
  })

  it('gives the result to the scope in force, and keeps nothing after an error', () => {
    using scope = tensorScope()
    const weights = found({ a: tensor([1]), b: tensor([2], [1], 'float16'), c: tensor([NaN], [1], 'float16') })
    const fine = found({ a: tensor([1]), b: tensor([2], [1], 'float16') })
    scope[Symbol.dispose]()
    const before = livingTensors()
    {
      using _scope = tensorScope()
      loadWeights(fine, { dtype: 'float32', device: 'cpu' })
      assert.equal(livingTensors(), before + 2)
    }
    assert.equal(livingTensors(), before)
    {
      using _scope = tensorScope()
      found({ a: tensor([1]), b: tensor([2], [1], 'float16'), c: tensor([NaN], [1], 'float16') })
    }
    assert.throws(() => loadWeights(weights, { dtype: 'float32', device: 'cpu' }), FormatError)
    assert.equal(livingTensors(), before)
  })
})

describe('metaWeights', () => {
  it('is enough to check a network against a file', () => {
    using _scope = tensorScope()
    const weights = found({ 'fc.weight': zeros([3, 2], 'float16'), 'fc.bias': zeros([3], 'float16') })
    const meta = metaWeights(weights)
    assert.deepEqual(
      [...meta.values()].map((one) => one.device),
      ['meta', 'meta'],
    )
    const network = Weights.of(meta)
    const x = zeros([5, 2], 'float16', 'meta')
    assert.deepEqual(network.linear('fc', x, 2, 3).shape, [5, 3])
    assert.throws(() => network.linear('fc', x, 2, 4), /fc.weight: expected shape \[4, 2\], received \[3, 2\]/)
    assert.throws(() => network.linear('out', x, 2, 3), /out.weight: expected a tensor/)
  })
})
