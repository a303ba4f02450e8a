import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { gradients } from './autograd.ts'
import { randn } from './create.ts'
import { linear } from './functional.ts'
import { Generator } from './generator.ts'
import { useThreads } from './library.ts'
import { lowRankLinear } from './low-rank.ts'
import { livingTensors, tensorScope } from './scope.ts'
import type { Tensor } from './tensor.ts'

useThreads(1)

function assertNear(actual: Tensor, expected: Tensor, tolerance: number): void {
  assert.deepEqual(actual.shape, expected.shape)
  const apart = actual.to('float32').sub(expected.to('float32')).abs().flatten().amax(0).item()
  assert.ok(apart < tolerance, `${apart} apart`)
}

describe('a low-rank change beside a weight', () => {
  for (const isBiased of [true, false]) {
    for (const scale of [1, 0.5]) {
      it(`is the sum of both maps, with its gradients: scale ${scale}${isBiased ? ', with a bias' : ''}`, () => {
        using _scope = tensorScope()
        const source = new Generator(1)
        const [x, weight] = [randn([3, 5, 12], source).requireGrad(), randn([7, 12], source)]
        const bias = isBiased ? randn([7], source) : undefined
        const adapter = { down: randn([4, 12], source).requireGrad(), up: randn([7, 4], source).requireGrad(), scale }
        const direction = randn([3, 5, 7], source)
        const leaves = [x, adapter.down, adapter.up]
        const own = lowRankLinear(x, weight, bias, adapter)
        const expected = linear(x, weight, bias).add(linear(linear(x, adapter.down), adapter.up).mul(scale))
        assertNear(own, expected, 1e-5)
        const slopes = (y: Tensor) => gradients([y.mul(direction).mean()], leaves)
        const wanted = slopes(expected)
        slopes(own).forEach((each, i) => assertNear(each!, wanted[i]!, 1e-6))
      })
    }
  }

  it('computes in half precision as near to exact numbers as a sum of two results', () => {
    const living = livingTensors()
    {
      using _scope = tensorScope()
      const source = new Generator(2)
      const draw = (...shape: number[]) => randn(shape, source).to('bfloat16')
      const [x, weight, bias, down, up] = [draw(40, 64), draw(48, 64), draw(48), draw(8, 64), draw(48, 8)]
      const exact = (dtype: 'float32' | 'bfloat16') => {
        const [a, w, b, d, u] = [x, weight, bias, down, up].map((each) => each.to(dtype))
        return linear(a, w, b).add(linear(linear(a, d), u))
      }
      const away = (y: Tensor) => y.to('float32').sub(exact('float32')).square().mean().sqrt().item()
      assert.ok(away(lowRankLinear(x, weight, bias, { down, up, scale: 1 })) <= 1.01 * away(exact('bfloat16')))
    }
    assert.equal(livingTensors(), living)
  })
})
