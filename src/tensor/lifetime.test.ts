/** What begins with a block and ends with it: tensors, grad mode, mixed precision; and generators that start over. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { TensorError } from '../errors.ts'
import { autocast, gradients, noGrad } from './autograd.ts'
import { ones, randn, tensor, zeros } from './create.ts'
import { Generator } from './generator.ts'
import { useThreads } from './library.ts'
import { livingTensors, tensorScope } from './scope.ts'
import type { Tensor } from './tensor.ts'

useThreads(1)

const sizes = (tensors: Iterable<Tensor>) => Array.from(tensors, ({ shape }) => shape)

describe('a scope', () => {
  it('frees what was made in it', () => {
    const before = livingTensors()
    let made: Tensor
    {
      using _scope = tensorScope()
      made = zeros([2]).add(1).mul(3)
      assert.equal(livingTensors(), before + 3)
    }
    assert.equal(livingTensors(), before)
    assert.throws(() => made.add(1), { name: TensorError.name, received: 'a disposed one' })
  })

  it('hands kept tensors outwards, one block at a time', () => {
    const before = livingTensors()
    let outermost: Tensor
    {
      using outer = tensorScope()
      let kept: Tensor
      {
        using inner = tensorScope()
        kept = inner.keep(zeros([3]).add(1))
      }
      assert.equal(livingTensors(), before + 1)
      assert.deepEqual(kept.toArray(), [1, 1, 1])
      outermost = outer.keep(kept)
    }
    assert.deepEqual(outermost.toArray(), [1, 1, 1])
    outermost.dispose()
    assert.equal(livingTensors(), before)
  })

  it('ends when something is thrown in it', () => {
    const before = livingTensors()
    const failing = () => {
      using _scope = tensorScope()
      {
        using inner = tensorScope()
        inner.keep(zeros([2])).matmul(zeros([3]))
      }
    }
    assert.throws(failing, TensorError)
    assert.equal(livingTensors(), before)
    const free = zeros([1])
    assert.equal(livingTensors(), before + 1)
    free.dispose()
  })

  it('does not mind tensors that were disposed in it, even twice', () => {
    const before = livingTensors()
    {
      using _scope = tensorScope()
      using first = zeros([2])
      first.dispose()
      first.dispose()
    }
    assert.equal(livingTensors(), before)
  })

  it('owns every tensor of an operator that gives several, gradients and states', () => {
    const before = livingTensors()
    {
      using _scope = tensorScope()
      const x = ones([2, 2]).requireGrad()
      const loss = x.square().sum()
      gradients([loss], [x])
      x.square().sum().backward()
      assert.deepEqual(x.grad?.toArray(), [2, 2, 2, 2])
      new Generator(1).state()
    }
    assert.equal(livingTensors(), before)
  })
})

describe('grad mode', () => {
  it('is off inside noGrad, also in nested blocks and after an exception', () => {
    using _scope = tensorScope()
    const x = ones([2]).requireGrad()
    const records = () => x.mul(2).requiresGrad
    assert.equal(records(), true)
    {
      using _outer = noGrad()
      {
        using _inner = noGrad()
        assert.equal(records(), false)
      }
      assert.equal(records(), false)
    }
    assert.equal(records(), true)
    const failing = () => {
      using _off = noGrad()
      x.matmul(zeros([3]))
    }
    assert.throws(failing, TensorError)
    assert.equal(records(), true)
  })
})

describe('autocast', () => {
  it('ends with its block, also when blocks nest and when one throws', () => {
    using _scope = tensorScope()
    const x = ones([4, 4])
    const type = () => x.matmul(x).dtype
    assert.equal(type(), 'float32')
    {
      using _half = autocast('bfloat16')
      assert.equal(type(), 'bfloat16')
      {
        using _full = autocast(undefined)
        assert.equal(type(), 'float32')
      }
      assert.equal(type(), 'bfloat16')
    }
    assert.equal(type(), 'float32')
    const failing = () => {
      using _half = autocast('bfloat16')
      x.matmul(zeros([3]))
    }
    assert.throws(failing, TensorError)
    assert.equal(type(), 'float32')
  })

  it('sees the weights as they are after each update', () => {
    using _scope = tensorScope()
    const weight = ones([2, 2]).requireGrad()
    const x = ones([1, 2])
    for (const expected of [2, 4]) {
      using _half = autocast('bfloat16')
      assert.deepEqual(x.matmul(weight).detach().toArray(), [expected, expected])
      weight.detach().mul_(2)
    }
  })
})

describe('gradients', () => {
  it('are values, undefined where there is no influence', () => {
    using _scope = tensorScope()
    const x = tensor([1, 2]).requireGrad()
    const y = tensor([3, 4]).requireGrad()
    const [dx, dy] = gradients([x.square()], [x, y], [tensor([1, 10])])
    assert.deepEqual(dx?.toArray(), [2, 40])
    assert.equal(dy, undefined)
    assert.equal(x.grad, undefined)
  })

  it('add up in leaves until they are cleared', () => {
    using _scope = tensorScope()
    const x = tensor([1, 2]).requireGrad()
    x.sum().backward()
    x.sum().backward()
    assert.deepEqual(x.grad?.toArray(), [2, 2])
    x.grad = undefined
    assert.equal(x.grad, undefined)
  })

  it('explain why there are none', () => {
    using _scope = tensorScope()
    assert.throws(() => ones([]).backward(), { name: TensorError.name, where: 'backward' })
    assert.throws(() => ones([2]).requireGrad().mul(2).backward(), /scalar outputs/)
    assert.throws(() => gradients([ones([])], [ones([])]), { name: TensorError.name, where: 'gradients' })
  })
})

describe('a generator', () => {
  it('goes on from a saved state and starts over from its seed', () => {
    using _scope = tensorScope()
    const source = new Generator(11)
    const first = randn([20], source).toArray()
    const state = source.state()
    const second = randn([20], source).toArray()
    source.restore(state)
    assert.deepEqual(randn([20], source).toArray(), second)
    source.seed(11)
    assert.deepEqual(randn([20], source).toArray(), first)
    assert.notDeepEqual(first, second)
    const other = new Generator(0)
    other.restore(state)
    assert.deepEqual(randn([20], other).toArray(), second)
  })

  it('is independent of other generators', () => {
    using _scope = tensorScope()
    const [a, b] = [new Generator(11), new Generator(12)]
    const alone = randn([4], new Generator(11)).toArray()
    randn([7], b)
    assert.deepEqual(randn([4], a).toArray(), alone)
    assert.deepEqual(sizes([randn([2, 3], a)]), [[2, 3]])
  })

  it('refuses seeds and states that are none', () => {
    using _scope = tensorScope()
    for (const seed of [-1, 0.5, Number.NaN, 2 ** 60]) assert.throws(() => new Generator(seed), TensorError)
    const source = new Generator(1)
    assert.throws(() => source.seed(-1), TensorError)
    assert.throws(() => source.restore(zeros([3])), TensorError)
    assert.throws(() => source.restore(zeros([5056], 'uint8')), TensorError)
  })
})
