import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { assertClose } from '../diffusion/tensor-checks.test-helper.ts'
import { FormatError } from '../errors.ts'
import { withoutGrad } from '../tensor/autograd.ts'
import { randn, tensor } from '../tensor/create.ts'
import { linear } from '../tensor/functional.ts'
import { Generator } from '../tensor/generator.ts'
import { tensorScope } from '../tensor/scope.ts'
import { Weights } from './weights.ts'

describe('fresh weights', () => {
  it('depend on seed and name alone, not on the order of asking', () => {
    using _scope = tensorScope()
    const [one, two] = [Weights.fresh(1), Weights.fresh(1)]
    const draw = (weights: Weights, name: string) => weights.parameter(name, [3, 4], { gain: 1 }).toArray()
    const [a, b] = [draw(one, 'a'), draw(one, 'b')]
    assert.deepEqual([draw(two, 'b'), draw(two, 'a')], [b, a])
    assert.notDeepEqual(a, b)
    assert.notDeepEqual(draw(Weights.fresh(2), 'a'), a)
    assert.deepEqual([...one.tensors().keys()], ['a', 'b'])
  })

  it('have the standard deviation gain/√fan-in', () => {
    using _scope = tensorScope()
    const drawn = Weights.fresh(1).parameter('w', [200, 10, 5, 2], { gain: 3 })
    const spread = Math.sqrt(drawn.flatten().variance(0).item())
    assert.ok(Math.abs(spread / 0.3 - 1) < 0.03, `${spread}`)
  })

  it('are held once: asking again gives the same tensor, also below a name', () => {
    using _scope = tensorScope()
    const weights = Weights.fresh(1)
    assert.equal(weights.at('a').at('b').parameter('c', [2], 'ones'), weights.parameter('a.b.c', [2], 'zeros'))
  })
})

describe('loaded weights', () => {
  it('name what is missing and what has another shape', () => {
    using _scope = tensorScope()
    const weights = Weights.of(new Map([['block.weight', tensor([1, 2], [1, 2])]]))
    assert.throws(() => weights.at('block').parameter('bias', [1], 'zeros'), {
      name: FormatError.name,
      where: 'block.bias',
      received: 'no tensor of this name',
    })
    assert.throws(() => weights.linear('block', tensor([1], [1, 1]), 1, 1), {
      name: FormatError.name,
      where: 'block.weight',
      expected: 'shape [1, 1]',
      received: '[1, 2]',
    })
    assert.throws(() => weights.parameter('block.weight', [2], 'zeros'), FormatError)
  })
})

describe('a change in front of weights', () => {
  it('by hand: W x + b + scale · B A x, below a name', () => {
    using _scope = tensorScope()
    const base = Weights.of(
      new Map([
        ['q.weight', tensor([1, 2, 3, 4], [2, 2])],
        ['q.bias', tensor([0.5, -0.5])],
      ]),
    )
    const adapter = { down: tensor([1, -1], [1, 2]), up: tensor([2, 3], [2, 1]), scale: 0.5 }
    const x = tensor([1, 3], [1, 2])
    const changed = base.with({ adapters: new Map([['q.weight', adapter]]) })
    assertClose(base.linear('q', x, 2, 2).toArray(), [7.5, 14.5])
    assertClose(changed.linear('q', x, 2, 2).toArray(), [7.5 - 2, 14.5 - 3])
    const trained = changed.with({ trained: new Map([['q.bias', tensor([0, 0])]]) })
    assertClose(trained.linear('q', x, 2, 2).toArray(), [7, 15])
    const below = Weights.of(new Map([...base.tensors()].map(([name, each]) => [`deep.${name}`, each])))
    const adapted = below.with({ adapters: new Map([['deep.q.weight', adapter]]) }).at('deep')
    assertClose(adapted.linear('q', x, 2, 2).toArray(), [5.5, 11.5])
  })

  it('is the same beside a weight, as gradients want it, and added to it', () => {
    using _scope = tensorScope()
    const source = new Generator(1)
    const adapter = { down: randn([2, 4], source).requireGrad(), up: randn([3, 2], source).requireGrad(), scale: 0.5 }
    const weights = Weights.fresh(1).with({ adapters: new Map([['q.weight', adapter]]) })
    const x = randn([20, 3, 4], source)
    const apply = () => weights.linear('q', x, 4, 3)
    assert.ok(apply().requiresGrad)
    assertClose(withoutGrad(apply).toArray(), apply().toArray(), 1e-5)
  })

  it('change what bf16 computes once they have come as far as in ten updates', () => {
    using _scope = tensorScope()
    const [width, rank] = [64, 8]
    const source = new Generator(2)
    const x = randn([256, width], source).to('bfloat16')
    const signs = randn([width, rank], source)
    const up = signs.div(signs.abs()).mul(10 * 3e-4)
    const adapter = { down: randn([rank, width], source).div(Math.sqrt(width)), up, scale: 1 }
    const base = Weights.fresh(1, { dtype: 'bfloat16' })
    const wide = (weights: Weights) => weights.linear('q', x, width, width).to('float32')
    const found = wide(base.with({ adapters: new Map([['q.weight', adapter]]) })).sub(wide(base))
    const change = linear(linear(x.to('float32'), adapter.down), up)
    const share = found.mul(change).sum().div(change.square().sum()).item()
    assert.ok(Math.abs(share - 1) < 0.02, `${share}`)
  })

  it('is converted once for many passes in a narrower type, to the same numbers', () => {
    using _scope = tensorScope()
    const source = new Generator(1)
    const adapter = { down: randn([2, 4], source).requireGrad(), up: randn([3, 2], source).requireGrad(), scale: 0.3 }
    const weights = Weights.fresh(1).with({ adapters: new Map([['block.q.weight', adapter]]) })
    assert.equal(weights.convertedAdapters(), undefined)
    const narrow = weights.in('bfloat16')
    const change = narrow.convertedAdapters()!
    const { down, up } = change.adapters!.get('block.q.weight')!
    assert.deepEqual([down.dtype, up.dtype], ['bfloat16', 'bfloat16'])
    const converted = narrow.with(change)
    assert.equal(converted.convertedAdapters(), undefined)
    const x = randn([5, 4], source).to('bfloat16')
    const apply = (from: Weights) => from.at('block').linear('q', x, 4, 3).toArray()
    assert.deepEqual(apply(converted), apply(narrow))
  })

  it('checks the shape of a trained tensor', () => {
    using _scope = tensorScope()
    const weights = Weights.fresh(1).with({ trained: new Map([['w', tensor([1, 2])]]) })
    assert.throws(() => weights.parameter('w', [3], 'zeros'), FormatError)
  })
})
