import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { TensorError } from '../errors.ts'
import { gradients, withoutGrad } from './autograd.ts'
import { randn, tensor } from './create.ts'
import { attention } from './functional.ts'
import { Generator } from './generator.ts'
import { useThreads } from './library.ts'
import { tensorScope } from './scope.ts'
import { operator, type Tensor } from './tensor.ts'

type Attend = [q: Tensor, k: Tensor, v: Tensor, mask: Tensor | undefined]
const own = operator<Attend, Tensor>('attune::attend')
const fused = operator<Attend, Tensor>('scaled_dot_product_attention')

function assertNear(actual: Tensor, expected: Tensor): void {
  assert.deepEqual(actual.shape, expected.shape)
  const apart = actual.sub(expected).abs().flatten().amax(0).item()
  assert.ok(apart < 1e-5, `${apart} apart`)
}

useThreads(1)

describe('attention of short sequences', () => {
  const sizes = [
    { queries: 1, keys: 1, width: 1 },
    { queries: 7, keys: 5, width: 3 },
    { queries: 36, keys: 12, width: 16 },
    { queries: 20, keys: 36, width: 24 },
    { queries: 64, keys: 64, width: 64 },
  ]
  for (const { queries, keys, width } of sizes) {
    for (const isMasked of [false, true]) {
      it(`of ${queries} to ${keys}, ${width} wide, is libtorch’s${isMasked ? ' under a mask' : ''}, with its gradients`, () => {
        using _scope = tensorScope()
        const source = new Generator(keys)
        const make = (length: number) => randn([2, length, 3, width], source).transpose(1, 2).requireGrad() // [B, heads, n, d]
        const inputs = [make(queries), make(keys), make(keys)] as const
        const mask = isMasked ? randn([2, 1, 1, keys], source).mul(3) : undefined
        const direction = randn([2, 3, queries, width], source)
        const [ours, theirs] = [own(...inputs, mask), fused(...inputs, mask)]
        assertNear(ours, theirs)
        assertNear(attention(...inputs, mask), theirs)
        const found = gradients([ours.mul(direction).sum()], inputs)
        gradients([theirs.mul(direction).sum()], inputs).forEach((each, i) => assertNear(found[i]!, each!))
      })
    }
  }

  it('has the gradient of finite differences', () => {
    using _scope = tensorScope()
    const source = new Generator(1)
    const inputs = [5, 6, 6].map((length) => randn([1, 2, length, 4], source).requireGrad())
    const [q, k, v] = inputs
    const direction = randn([1, 2, 5, 4], source)
    const loss = () => own(q, k, v, undefined).mul(direction).sum()
    const slopes = gradients([loss()], inputs)
    inputs.forEach((input, i) => {
      const along = randn(input.shape, source)
      const at = (by: number) => {
        const kept = input.detach().clone()
        const value = withoutGrad(() => {
          input.add_(along.mul(by))
          return loss().item()
        })
        withoutGrad(() => input.copy_(kept))
        return value
      }
      const difference = (at(1e-2) - at(-1e-2)) / 2e-2
      const slope = slopes[i]!.mul(along).sum().item()
      assert.ok(
        Math.abs(difference - slope) < 2e-3 * Math.max(1, Math.abs(slope)),
        `${difference} by differences, ${slope}`,
      )
    })
  })

  it('ignores keys under a mask of −10⁴, and stays finite where logits are large', () => {
    using _scope = tensorScope()
    const source = new Generator(2)
    const [q, k, v] = [4, 6, 6].map((length) => randn([1, 2, length, 8], source))
    const mask = tensor([0, 0, 0, -1e4, -1e4, -1e4], [1, 1, 1, 6])
    assertNear(own(q, k, v, mask), own(q, k.slice(2, 0, 3), v.slice(2, 0, 3), undefined))
    assertNear(own(q.mul(300), k, v, undefined), fused(q.mul(300), k, v, undefined))
  })

  it('refuses what does not fit', () => {
    using _scope = tensorScope()
    const make = (...shape: number[]) => randn(shape, new Generator(1))
    const x = make(1, 2, 4, 8)
    for (const [k, v] of [
      [make(1, 2, 65, 8), make(1, 2, 65, 8)],
      [make(1, 2, 4, 7), x],
      [x, make(1, 2, 5, 8)],
      [make(1, 1, 4, 8), make(1, 1, 4, 8)],
    ]) {
      assert.throws(() => own(x, k, v, undefined), TensorError)
    }
    assert.throws(() => own(x, x, x, make(1, 1, 1, 5)), TensorError)
  })
})
