import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DivergenceError } from '../errors.ts'
import { tensor, zeros } from './create.ts'
import { expectFinite, largestValues } from './finite.ts'
import { tensorScope } from './scope.ts'

test('the largest absolute value of each tensor, NaN and infinity among them, and 0 of an empty one', () => {
  using _scope = tensorScope()
  const all = [
    tensor([1, -3, 2]),
    zeros([0, 4]),
    tensor([0.5, Number.NaN]),
    tensor([-Infinity, 1], [2, 1]),
    tensor([0.25]),
  ]
  assert.deepEqual(largestValues(all), [3, 0, Number.NaN, Infinity, 0.25])
  assert.deepEqual(largestValues([zeros([0])]), [0])
  assert.deepEqual(largestValues([]), [])
  assert.deepEqual(largestValues([tensor([2, -4]).to('bfloat16')]), [4])
})

test('the first tensor with a number that is not finite is named; whole numbers are', () => {
  using _scope = tensorScope()
  const sound = { a: tensor([1, 2]), rows: tensor([7], [1], 'int64') }
  expectFinite('policy', new Map(Object.entries(sound)))
  const broken = { ...sound, b: tensor([0, -Infinity]), c: tensor([Number.NaN]) }
  assert.throws(() => expectFinite('policy', new Map(Object.entries(broken))), {
    name: DivergenceError.name,
    where: 'policy b',
    received: 'Infinity',
    remedy: 'nothing was written',
  })
})
