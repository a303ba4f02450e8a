import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { gradients } from './autograd.ts'
import { randn } from './create.ts'
import { attention, channelsLast, conv2d, groupNorm } from './functional.ts'
import { Generator } from './generator.ts'
import { tensorScope } from './scope.ts'
import { operator, type Tensor } from './tensor.ts'

const fused = operator<[Tensor, Tensor, Tensor, Tensor | undefined], Tensor>('scaled_dot_product_attention')

function assertNear(actual: Tensor, expected: Tensor): void {
  assert.deepEqual(actual.shape, expected.shape)
  const apart = actual.sub(expected).abs().flatten().amax(0).item()
  assert.ok(apart < 1e-5, `${apart} apart`)
}

describe('attention', () => {
  for (const keys of [1, 12, 15, 16]) {
    for (const isMasked of [false, true]) {
      it(`to ${keys} keys ${isMasked ? 'under a mask ' : ''}is libtorch’s, with its gradients`, () => {
        using _scope = tensorScope()
        const source = new Generator(keys)
        const make = (length: number) => randn([2, length, 3, 8], source).transpose(1, 2).requireGrad() // [B, heads, n, d]
        const inputs = [make(20), make(keys), make(keys)] as const
        const mask = isMasked ? randn([2, 1, 1, keys], source).mul(3) : undefined
        const direction = randn([2, 3, 20, 8], source)
        const [ours, theirs] = [attention(...inputs, mask), fused(...inputs, mask)]
        assertNear(ours, theirs)
        const own = gradients([ours.mul(direction).sum()], inputs)
        gradients([theirs.mul(direction).sum()], inputs).forEach((each, i) => assertNear(own[i]!, each!))
      })
    }
  }
})

describe('channels last', () => {
  it('gives the same numbers, for convolutions, norms and what they are flattened to', () => {
    using _scope = tensorScope()
    const source = new Generator(1)
    const [x, weight] = [randn([2, 16, 6, 5], source), randn([8, 16, 3, 3], source)]
    const [scale, offset] = [randn([8], source), randn([8], source)]
    const through = (input: Tensor) => groupNorm(conv2d(input, weight, offset, 1, 1), 2, scale, offset).flatten(2)
    assertNear(through(channelsLast(x)), through(x))
    assertNear(channelsLast(x), x)
  })
})
