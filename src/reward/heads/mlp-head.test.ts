import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { assertClose } from '../../diffusion/tensor-checks.test-helper.ts'
import { FormatError } from '../../errors.ts'
import { Weights } from '../../networks/weights.ts'
import { tensor, zeros } from '../../tensor/create.ts'
import { tensorScope } from '../../tensor/scope.ts'
import { mlpFeatures, mlpLogit } from './mlp-head.ts'

describe('the head of Lee et al.', () => {
  it('by hand: w₂ · relu(W₁ [image; text] √d + b₁) + b₂', () => {
    using _scope = tensorScope()
    const [image, text] = [tensor([0.6, 0.8, 1, 0], [2, 2]), tensor([1, 0, 0, -1], [2, 2])]
    const rows = (values: readonly number[], columns: number) => [
      ...values,
      ...new Array<number>((1024 - values.length / columns) * columns).fill(0),
    ]
    const weights = Weights.of(
      new Map([
        ['hidden.weight', tensor(rows([1, 2, 3, 4, -1, 0, 0, 1], 4), [1024, 4])],
        ['hidden.bias', tensor(rows([0.5, 0.25], 1), [1024])],
        ['out.weight', tensor(rows([0.1, 0.7], 1), [1, 1024])],
        ['out.bias', tensor([-0.3])],
      ]),
    )
    const root = Math.SQRT2
    const units = [
      [root * (0.6 + 1.6 + 3) + 0.5, Math.max(0, root * -0.6 + 0.25)],
      [Math.max(0, root * (1 - 4) + 0.5), Math.max(0, root * (-1 - 1) + 0.25)],
    ]
    const features = mlpFeatures(weights, image, text)
    assert.deepEqual(features.shape, [2, 1024])
    assertClose(features.slice(1, 0, 2).toArray(), units.flat(), 1e-6)
    const expected = units.map(([a, b]) => 0.1 * a + 0.7 * b - 0.3)
    assertClose(mlpLogit(weights, image, text).toArray(), expected, 1e-6)
  })

  it('refuses embeddings of another width', () => {
    using _scope = tensorScope()
    const weights = Weights.fresh(1)
    mlpLogit(weights, zeros([1, 3]), zeros([1, 3]))
    assert.throws(() => mlpLogit(weights, zeros([1, 4]), zeros([1, 4])), FormatError)
  })
})
