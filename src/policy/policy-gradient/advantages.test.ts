import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { tensor } from '../../tensor/create.ts'
import { useThreads } from '../../tensor/library.ts'
import { tensorScope } from '../../tensor/scope.ts'
import { advantagesOf } from './advantages.ts'

useThreads(1)

describe('advantagesOf', () => {
  const values = () => [tensor([1, 2]), tensor([2, 5])]

  it('is reward − V at λ = 1', () => {
    using _scope = tensorScope()
    assert.deepEqual(advantagesOf([4, 3], values(), 1), [
      [3, 1],
      [2, -2],
    ])
  })

  it('is the change of V at λ = 0, and in between a weighted sum of changes', () => {
    using _scope = tensorScope()
    assert.deepEqual(advantagesOf([4, 3], values(), 0), [
      [1, 3],
      [2, -2],
    ])
    assert.deepEqual(advantagesOf([4, 3], values(), 0.5)[0], [2, 2])
  })
})
