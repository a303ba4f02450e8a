import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { assertClose, assertGradient, float64 } from '../../diffusion/tensor-checks.test-helper.ts'
import { ShapeError } from '../../errors.ts'
import { tensor } from '../../tensor/create.ts'
import { tensorScope } from '../../tensor/scope.ts'
import { promptClassification, squaredError } from './reward-loss.ts'

describe('the squared error', () => {
  it('by hand', () => {
    using _scope = tensorScope()
    // (.1² + .4² + 1²) / 3
    assertClose([squaredError(float64([0.9, 0.4, 0]), float64([1, 0, 1])).item()], [(0.01 + 0.16 + 1) / 3])
  })

  it('has the gradient of finite differences', () => {
    assertGradient((rewards) => squaredError(rewards, float64([1, 0, 1])), [0.7, 0.2, 0.6], [3])
  })

  it('refuses shapes that would broadcast', () => {
    using _scope = tensorScope()
    assert.throws(() => squaredError(tensor([1, 0], [2, 1]), tensor([1, 0])), ShapeError)
  })
})

describe('prompt classification', () => {
  it('by hand: −log of the true prompt’s share, with T = 2 and the true one first', () => {
    using _scope = tensorScope()
    const loss = promptClassification(float64([1, 0, 0, 0.2, 0.8, 0.6], 2, 3), 2).item()
    const share = (own: number, others: number[]) =>
      Math.exp(own / 2) / [own, ...others].reduce((sum, reward) => sum + Math.exp(reward / 2), 0)
    assertClose([loss], [-(Math.log(share(1, [0, 0])) + Math.log(share(0.2, [0.8, 0.6]))) / 2])
  })

  it('is log N where the reward does not care', () => {
    using _scope = tensorScope()
    assertClose([promptClassification(float64([0.5, 0.5, 0.5, 0.5], 1, 4), 2).item()], [Math.log(4)])
  })

  it('has the gradient of finite differences', () => {
    assertGradient((rewards) => promptClassification(rewards, 0.7), [0.3, 0.9, 0.1, 0.8, 0.2, 0.4], [2, 3])
  })

  it('refuses a list without columns', () => {
    using _scope = tensorScope()
    assert.throws(() => promptClassification(tensor([1, 0]), 2), ShapeError)
  })
})
