import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ShapeError, TensorError } from '../errors.ts'
import { gradients } from '../tensor/autograd.ts'
import { guide } from './guidance.ts'
import { assertClose, assertGradient, float64, withoutLeak } from './tensor-checks.test-helper.ts'

describe('guide', () => {
  it('by hand: scale 0 unconditional, 1 conditional, beyond it further away', () => {
    withoutLeak(() => {
      const [unconditional, conditional] = [float64([1, 2], 1, 2), float64([3, 0], 1, 2)]
      assertClose(guide(unconditional, conditional, 0).toArray(), [1, 2])
      assertClose(guide(unconditional, conditional, 7.5).toArray(), [16, -13])
      assert.equal(guide(unconditional, conditional, 1), conditional)
      assert.equal(guide(undefined, conditional, 1), conditional)
    })
  })

  it('passes gradients through both branches', () => {
    withoutLeak(() => {
      const [unconditional, conditional] = [float64([1], 1, 1).requireGrad(), float64([3], 1, 1).requireGrad()]
      const found = gradients([guide(unconditional, conditional, 1.5).sum()], [unconditional, conditional])
      assert.deepEqual(
        found.map((gradient) => gradient!.item()),
        [-0.5, 1.5],
      )
    })
    assertGradient((conditional) => guide(float64([1, 2], 1, 2), conditional, 3).square(), [0.5, -1], [1, 2])
  })

  it('refuses a missing branch and different shapes', () => {
    withoutLeak(() => {
      const conditional = float64([1, 2], 1, 2)
      assert.throws(() => guide(undefined, conditional, 2), TensorError)
      assert.throws(() => guide(float64([1]), conditional, 2), ShapeError)
    })
  })
})
