import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { assertClose } from '../diffusion/tensor-checks.test-helper.ts'
import { TensorError } from '../errors.ts'
import { withoutGrad } from './autograd.ts'
import { randn, tensor } from './create.ts'
import { linear } from './functional.ts'
import { Generator } from './generator.ts'
import { checkpointed, gradientCheckpoints } from './gradient-checkpoints.ts'
import { useThreads } from './library.ts'
import { livingTensors, tensorScope } from './scope.ts'
import type { Tensor } from './tensor.ts'

useThreads(1)

const leaf = (...elements: number[]) => tensor(elements).requireGrad()
const gradOf = (parameter: Tensor) => parameter.grad?.toArray()

/** The gradients of leaves, without and with checkpoints. */
function bothWays(leaves: () => Tensor[], lossOf: (...leaves: Tensor[]) => Tensor): (number[] | undefined)[][] {
  return [false, true].map((wanted) => {
    using _scope = tensorScope()
    const made = leaves()
    using graph = gradientCheckpoints(wanted)
    graph.backward(lossOf(...made))
    return made.map(gradOf)
  })
}

describe('gradient checkpoints, by hand', () => {
  it('one block: d(w x²)/dx = 2 w x and d(w x²)/dw = x²', () => {
    using _scope = tensorScope()
    const [x, w] = [leaf(3, 4), leaf(10, 20)]
    using graph = gradientCheckpoints(true)
    const y = checkpointed((x) => x.square().mul(w), x)
    assertClose(y.toArray(), [90, 320])
    graph.backward(y.sum())
    assertClose(gradOf(x)!, [60, 160])
    assertClose(gradOf(w)!, [9, 16])
  })

  it('an input that several blocks and the loss itself read', () => {
    // L = a·s·x + s + x, with a block for a·s·x made of two: h = s·x, y = a·h·s; so y = a·s²·x.
    using _scope = tensorScope()
    const [x, a, time] = [leaf(2), leaf(3), leaf(5)]
    using graph = gradientCheckpoints(true)
    const s = time.mul(2) // 10; its own part of the graph
    const h = checkpointed((x, s) => x.mul(s), x, s)
    const y = checkpointed((h, s) => h.mul(s).mul(a), h, s)
    graph.backward(y.add(s).add(x).add(h).sum())
    assertClose(gradOf(x)!, [3 * 100 + 1 + 10])
    assertClose(gradOf(a)!, [100 * 2])
    assertClose(gradOf(time)!, [2 * (2 * 3 * 10 * 2 + 1 + 2)])
  })

  it('operators between blocks', () => {
    // y = (2 x²)² · 3, dy/dx = 48 x³
    using _scope = tensorScope()
    const x = leaf(0.5)
    using graph = gradientCheckpoints(true)
    const h = checkpointed((x) => x.square(), x).mul(2)
    graph.backward(
      checkpointed((h) => h.square(), h)
        .mul(3)
        .sum(),
    )
    assertClose(gradOf(x)!, [48 * 0.5 ** 3])
  })

  it('an input that is given twice, one that is not read, and one that wants no gradient', () => {
    using _scope = tensorScope()
    const [x, unread, plain] = [leaf(3), leaf(7), tensor([5])]
    using graph = gradientCheckpoints(true)
    graph.backward(
      checkpointed((first, _unread, again, plain) => first.mul(again).mul(plain), x, unread, x, plain).sum(),
    )
    assertClose(gradOf(x)!, [2 * 3 * 5])
    assert.equal(gradOf(unread), undefined)
    assert.equal(gradOf(plain), undefined)
  })

  it('a block that the loss does not depend on', () => {
    using _scope = tensorScope()
    const [x, w] = [leaf(3), leaf(4)]
    using graph = gradientCheckpoints(true)
    const used = checkpointed((x) => x.mul(2), x)
    checkpointed((h) => h.mul(w), used)
    graph.backward(used.sum())
    assertClose(gradOf(x)!, [2])
    assert.equal(gradOf(w), undefined)
  })

  it('blocks without anything to train are computed once, and record nothing', () => {
    using _scope = tensorScope()
    const [x, w] = [tensor([3]), leaf(4)]
    let calls = 0
    using graph = gradientCheckpoints(true)
    const frozen = checkpointed((x) => (calls++, x.square()), x)
    assert.equal(frozen.requiresGrad, false)
    const same = checkpointed((x) => x, frozen)
    assert.equal(same, frozen)
    const y = checkpointed((h) => h.mul(w), same)
    graph.backward(y.sum())
    assertClose(gradOf(w)!, [9])
    assert.equal(calls, 1)
  })

  it('adds to gradients that are there', () => {
    using _scope = tensorScope()
    const x = leaf(1, 2)
    for (let i = 1; i <= 2; i++) {
      using graph = gradientCheckpoints(true)
      graph.backward(checkpointed((x) => x.square(), x).sum())
      assertClose(gradOf(x)!, [2 * i, 4 * i])
    }
  })
})

describe('gradient checkpoints and plain backward', () => {
  const perceptrons = (generator: Generator) => Array.from({ length: 4 }, () => randn([6, 6], generator).requireGrad())
  const inputs = (generator: Generator) => [randn([3, 6], generator), randn([3, 6], generator).requireGrad()]

  it('agree on a network with a shared time embedding, skips and nested blocks', () => {
    const leaves = () => {
      const generator = new Generator(1)
      return [...perceptrons(generator), ...inputs(generator)]
    }
    const [plain, checkpoints] = bothWays(leaves, (a, b, c, d, x, time) => {
      const embedded = linear(time, a).silu()
      const block = (weight: Tensor) => (h: Tensor, embedded: Tensor) => linear(h, weight).add(embedded).silu()
      const first = checkpointed(block(b), x, embedded)
      const second = checkpointed(block(c), first, embedded)
      const nested = (h: Tensor, skip: Tensor, embedded: Tensor) =>
        checkpointed(block(d), h, embedded).mul(checkpointed(block(b), skip, embedded))
      const third = checkpointed(nested, second, first, embedded)
      return third.add(second).square().mean()
    })
    assert.equal(plain.filter((gradient) => gradient !== undefined).length, 5)
    plain.forEach((gradient, i) => {
      if (gradient === undefined) assert.equal(checkpoints[i], undefined)
      else assertClose(checkpoints[i]!, gradient, 1e-6)
    })
  })

  it('give the same value, and keep nothing of the inside', () => {
    using _scope = tensorScope()
    const [weight] = perceptrons(new Generator(2))
    const [x] = inputs(new Generator(3))
    const block = (x: Tensor) => linear(linear(x, weight).silu(), weight).silu()
    const expected = block(x).toArray()
    using _graph = gradientCheckpoints(true)
    const before = livingTensors()
    assert.deepEqual(checkpointed(block, x).toArray(), expected)
    assert.equal(livingTensors() - before, 3, 'input, output and what the caller sees of it')
  })

  it('are the same call where none are asked for, or nothing is recorded', () => {
    using _scope = tensorScope()
    const x = leaf(3)
    let seen: Tensor | undefined
    const block = (x: Tensor) => (seen = x).square()
    const plain = checkpointed(block, x)
    assert.equal(seen, x)
    plain.sum().backward()
    assertClose(gradOf(x)!, [6])
    using graph = gradientCheckpoints(true)
    assert.equal(withoutGrad(() => checkpointed(block, x)).requiresGrad, false)
    graph.backward(x.mul(2).sum())
    assertClose(gradOf(x)!, [6 + 2])
  })
})

describe('the lifetime of gradient checkpoints', () => {
  const lossOf = (x: Tensor, w: Tensor) => {
    let h = x
    for (let i = 0; i < 5; i++) h = checkpointed((h) => h.mul(w).silu(), h)
    return h.sum()
  }

  it('nothing outlives the block, whether the way back was taken or not', () => {
    for (const goesBack of [true, false]) {
      using _scope = tensorScope()
      const [x, w] = [leaf(1, 2), leaf(3, 4)]
      const before = livingTensors()
      {
        using _inner = tensorScope()
        using graph = gradientCheckpoints(true)
        const loss = lossOf(x, w)
        if (goesBack) graph.backward(loss)
      }
      assert.ok(livingTensors() <= before)
    }
  })

  it('the way back frees what it has passed', () => {
    using _scope = tensorScope()
    const [x, w] = [leaf(1, 2), leaf(3, 4)]
    const before = livingTensors()
    using graph = gradientCheckpoints(true)
    const loss = lossOf(x, w)
    const kept = livingTensors()
    graph.backward(loss)
    assert.ok(livingTensors() <= kept - 5 * 3, 'five inputs, ends and outputs')
    assert.ok(livingTensors() > before)
  })

  it('there is one way back', () => {
    using _scope = tensorScope()
    const [x, w] = [leaf(1, 2), leaf(3, 4)]
    using graph = gradientCheckpoints(true)
    const loss = lossOf(x, w)
    graph.backward(loss)
    assert.throws(() => graph.backward(loss), { name: TensorError.name, received: 'a second one' })
  })

  it('checkpoints nest: the inner ones end first', () => {
    using _scope = tensorScope()
    const [x, y] = [leaf(3), leaf(4)]
    using outer = gradientCheckpoints(true)
    const fromOuter = checkpointed((x) => x.square(), x)
    {
      using inner = gradientCheckpoints(true)
      inner.backward(checkpointed((y) => y.square(), y).sum())
    }
    outer.backward(checkpointed((h) => h.mul(2), fromOuter).sum())
    assertClose(gradOf(x)!, [12])
    assertClose(gradOf(y)!, [8])
  })

  it('an error in a block, on the way there or back, leaves everything usable', () => {
    using _scope = tensorScope()
    const [x, w] = [leaf(1, 2), leaf(3, 4)]
    const before = livingTensors()
    let calls = 0
    const failing = (h: Tensor) => (++calls > 1 ? h.matmul(tensor([1, 2, 3])) : h.mul(w))
    const attempt = (goesBack: boolean) => {
      using _inner = tensorScope()
      using graph = gradientCheckpoints(true)
      const h = checkpointed((h) => h.mul(w), x)
      const loss = checkpointed(failing, h).sum()
      if (goesBack) graph.backward(loss)
    }
    assert.throws(() => attempt(true), TensorError)
    assert.equal(calls, 2)
    assert.throws(() => attempt(false), TensorError)
    assert.ok(livingTensors() <= before)
    x.grad = undefined
    w.grad = undefined
    assert.equal(x.mul(2).requiresGrad, true)
    let seen: Tensor | undefined
    checkpointed((h) => (seen = h).mul(2), x)
    assert.equal(seen, x, 'no checkpoints are in force any more')
    using graph = gradientCheckpoints(true)
    graph.backward(checkpointed((h) => h.mul(w), x).sum())
    assertClose(gradOf(x)!, [3, 4])
    assertClose(gradOf(w)!, [1, 2])
  })
})
