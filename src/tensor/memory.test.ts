import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { OutOfMemoryError } from '../errors.ts'
import { withoutGrad } from './autograd.ts'
import { ones, tensor, zeros } from './create.ts'
import { attention, conv2d, groupNorm, layerNorm, linear } from './functional.ts'
import { memoryOf, mostHeld } from './memory.ts'
import { livingTensors, tensorScope } from './scope.ts'
import { operator, type Tensor } from './tensor.ts'

const empty = operator<[shape: readonly number[], dtype: number, layout: undefined, device: string], Tensor>(
  'empty',
  'memory_format',
)
const hollow = (...shape: number[]) => zeros(shape, 'float32', 'meta')
const mega = 2 ** 20

describe('what a computation would hold', () => {
  test('is counted of tensors without elements: as many as live at once', () => {
    const before = livingTensors()
    const bytes = mostHeld(() => {
      const x = hollow(mega)
      const y = x.add(1)
      y.dispose()
      x.mul(2)
    })
    assert.equal(bytes, 2 * 4 * mega)
    assert.equal(livingTensors(), before)
  })

  test('counts what the way back keeps, once for views', () => {
    const x = hollow(mega)
    const held = (work: () => Tensor) => Math.round(mostHeld(work) / 4 / mega)
    assert.equal(
      held(() => x.reshape(1024, 1024).transpose(0, 1)),
      0,
    )
    const weight = hollow(1024, 1024).requireGrad()
    const twice = () => x.reshape(1024, 1024).matmul(weight).exp().sin()
    assert.equal(
      held(() => withoutGrad(twice)),
      3,
    )
    // Two gradients on their way, beside the three values.
    assert.equal(
      held(() => (twice().sum().backward(), x)),
      5,
    )
    for (const one of [x, weight]) one.dispose()
  })

  test('needs no memory for what is far too large', () => {
    const bytes = mostHeld(() => hollow(2 ** 20, 2 ** 20).add(1))
    assert.equal(bytes, 2 * 4 * 2 ** 40)
  })

  test('knows networks’ operators with their way back', () => {
    using _scope = tensorScope()
    const gradientOf = (x: Tensor, of: (x: Tensor) => Tensor) => {
      const leaf = x.requireGrad()
      of(leaf).sum().backward()
      return leaf.grad!.shape
    }
    const image = () => hollow(2, 4, 8, 6)
    assert.deepEqual(conv2d(image(), hollow(5, 4, 3, 3), hollow(5), 2, 1).shape, [2, 5, 4, 3])
    assert.deepEqual(
      gradientOf(image(), (x) => conv2d(x, hollow(5, 4, 3, 3), hollow(5), 2, 1)),
      [2, 4, 8, 6],
    )
    assert.deepEqual(
      gradientOf(image(), (x) => groupNorm(x, 2, hollow(4), hollow(4))),
      [2, 4, 8, 6],
    )
    assert.deepEqual(
      gradientOf(image(), (x) => layerNorm(x, hollow(6), hollow(6))),
      [2, 4, 8, 6],
    )
    assert.deepEqual(
      gradientOf(image(), (x) => linear(x, hollow(3, 6), hollow(3))),
      [2, 4, 8, 6],
    )
    const mask = hollow(2, 1, 1, 8)
    assert.deepEqual(
      gradientOf(image(), (x) => attention(x, x, x, mask)),
      [2, 4, 8, 6],
    )
  })

  test('of attention grows with places, not with their pairs', () => {
    const bytes = (places: number) => mostHeld(() => attention(...ofThree(() => hollow(1, 1, places, 64))))
    assert.ok(bytes(8192) < 2.1 * bytes(4096))
  })

  test('reads as zeros', () => {
    using x = hollow(2, 3)
    assert.deepEqual(x.toArray(), [0, 0, 0, 0, 0, 0])
    assert.equal(x.sum().item(), 0)
    assert.deepEqual(x.to('cpu').toArray(), [0, 0, 0, 0, 0, 0])
  })
})

const ofThree = (make: () => Tensor): [Tensor, Tensor, Tensor] => [make(), make(), make()]

describe('a lack of memory', () => {
  test('is an error of its own, and what lives goes on', () => {
    using x = ones([3])
    assert.throws(
      () => empty([2 ** 30, 2 ** 30], 6, undefined, 'cpu'),
      (error: OutOfMemoryError) => error instanceof OutOfMemoryError && error.code === 'memory' && error.exitCode === 2,
    )
    assert.deepEqual(x.add(tensor([1, 2, 3])).toArray(), [2, 3, 4])
  })

  test('can be seen before: of the CPU', () => {
    const { free, total } = memoryOf('cpu')!
    assert.ok(free > 0 && total >= free / 2)
  })
})
