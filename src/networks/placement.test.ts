import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { TensorError } from '../errors.ts'
import { tensor, zeros } from '../tensor/create.ts'
import { useDeterministic } from '../tensor/library.ts'
import { tensorScope } from '../tensor/scope.ts'
import { operator, type Tensor } from '../tensor/tensor.ts'
import { placementOf } from './placement.ts'

const settings = { device: 'cpu', mixedPrecision: null, threads: 1, deterministic: true } as const

describe('where a checkpoint computes', () => {
  it('is a CPU in float32 where nothing else is said', () => {
    assert.deepEqual(placementOf(settings), { device: 'cpu', dtype: 'float32' })
    assert.deepEqual(placementOf({ ...settings, mixedPrecision: 'bf16' }), { device: 'cpu', dtype: 'bfloat16' })
  })

  it('leaves operators as they are on a CPU, which repeats itself to the bit', () => {
    placementOf(settings)
    assert.equal(useDeterministic(), false)
  })
})

describe('operators that repeat themselves', () => {
  it('are the only ones, once it is asked for', () => {
    using _scope = tensorScope()
    const put = operator<[Tensor, Tensor, Tensor, boolean], Tensor>('put')
    const putTwice = () => put(zeros([2]), tensor([1, 1], [2], 'int64'), tensor([3, 4]), false).toArray()
    assert.equal(putTwice().length, 2)
    assert.equal(useDeterministic(true), true)
    assert.throws(putTwice, TensorError)
    assert.match(process.env.CUBLAS_WORKSPACE_CONFIG!, /^:/)
    assert.equal(useDeterministic(false), false)
    assert.equal(putTwice().length, 2)
  })
})
