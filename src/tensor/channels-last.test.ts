import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { gradients, withoutGrad } from './autograd.ts'
import { channelsLast, composedGroupNorm, convertImage, groupNormOfPlaces } from './channels-last.ts'
import { full, randn } from './create.ts'
import { conv2d, groupNorm } from './functional.ts'
import { Generator } from './generator.ts'
import { useThreads } from './library.ts'
import { tensorScope } from './scope.ts'
import { operator, type Tensor } from './tensor.ts'

const strideOf = operator<[Tensor, dim: number], number>('stride', 'int')
const isByPlaces = (x: Tensor) => strideOf(x, 1) === 1

function assertNear(actual: Tensor, expected: Tensor, tolerance = 1e-6): void {
  assert.deepEqual(actual.shape, expected.shape)
  const apart = actual.to('float32').sub(expected.to('float32')).abs().flatten().amax(0).item()
  assert.ok(apart < tolerance, `${apart} apart`)
}

useThreads(1)

describe('channels last', () => {
  it('gives the same numbers, for convolutions, norms and what they are flattened to', () => {
    using _scope = tensorScope()
    const source = new Generator(1)
    const [x, weight] = [randn([2, 16, 6, 5], source), randn([8, 16, 3, 3], source)]
    const [scale, offset] = [randn([8], source), randn([8], source)]
    const through = (input: Tensor) => groupNorm(conv2d(input, weight, offset, 1, 1), 2, scale, offset).flatten(2)
    assertNear(through(channelsLast(x)), through(x), 1e-5)
    assertNear(channelsLast(x), x)
  })

  it('is an order of the numbers that a conversion keeps or leaves', () => {
    using _scope = tensorScope()
    const x = channelsLast(randn([2, 3, 4, 5], new Generator(1)))
    assert.ok(isByPlaces(x))
    for (const order of ['places', 'rows'] as const) {
      const converted = convertImage(x, 'float64', order)
      assert.equal(isByPlaces(converted), order === 'places')
      assertNear(converted, x)
    }
  })
})

describe('group normalisation channels last', () => {
  const source = new Generator(2)
  const scaleAndOffset = (channels: number) => [randn([channels], source), randn([channels], source)] as const

  for (const [batch, channels, groups, height, width] of [
    [2, 12, 4, 6, 5],
    [1, 8, 8, 3, 3],
    [3, 6, 1, 1, 7],
    [4, 320, 32, 16, 16],
  ]) {
    it(`composed of sums is libtorch’s: ${batch} × ${channels} in ${groups} groups of ${height} × ${width}`, () => {
      using _scope = tensorScope()
      const x = channelsLast(randn([batch, channels, height, width], source).mul(3).add(2))
      const [weight, bias] = scaleAndOffset(channels)
      const composed = composedGroupNorm(x, groups, weight, bias, 1e-5)
      assertNear(composed, groupNorm(x, groups, weight, bias, 1e-5), 3e-6)
      if (height > 1) assert.ok(isByPlaces(composed))
    })
  }

  it('composed of sums stays finite where a group is constant', () => {
    using _scope = tensorScope()
    const x = channelsLast(full([2, 4, 8, 8], 10))
    const [weight, bias] = scaleAndOffset(4)
    const expected = bias.reshape(4, 1, 1).expand(2, 4, 8, 8)
    assertNear(composedGroupNorm(x, 2, weight, bias, 1e-6), expected, 0.01)
  })

  it('composed of sums is as near to exact numbers as libtorch’s in narrow types', () => {
    using _scope = tensorScope()
    for (const dtype of ['bfloat16', 'float16'] as const) {
      const x = channelsLast(randn([2, 64, 16, 16], source).mul(2).add(3)).to(dtype)
      const [weight, bias] = scaleAndOffset(64).map((each) => each.to(dtype))
      const wide = (each: Tensor) => each.to('float32')
      const exact = groupNorm(wide(x), 32, wide(weight), wide(bias))
      const away = (y: Tensor) => wide(y).sub(exact).square().mean().sqrt().item()
      const composed = composedGroupNorm(x, 32, weight, bias, 1e-5)
      assert.equal(composed.dtype, dtype)
      assert.ok(away(composed) <= 1.01 * away(groupNorm(x, 32, weight, bias)))
    }
  })

  it('has libtorch’s value and gradients, and keeps the order, whatever computes it', () => {
    using _scope = tensorScope()
    for (const side of [6, 184]) {
      // The larger one is composed where no gradient is wanted.
      const x = channelsLast(randn([2, 64, side, side], source)).requireGrad()
      const [weight, bias] = scaleAndOffset(64).map((each) => each.requireGrad())
      const direction = randn(x.shape, source)
      const own = groupNormOfPlaces(x, 8, weight, bias, 1e-5)
      const theirs = groupNorm(x, 8, weight, bias, 1e-5)
      assertNear(own, theirs)
      const drawn = withoutGrad(() => groupNormOfPlaces(x, 8, weight, bias, 1e-5))
      assertNear(drawn, theirs, 3e-6)
      assert.ok(isByPlaces(own) && isByPlaces(drawn))
      const slopes = (y: Tensor) => gradients([y.mul(direction).mean()], [x, weight, bias])
      const expected = slopes(theirs)
      slopes(own).forEach((each, i) => assertNear(each!, expected[i]!))
    }
  })
})
