import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ShapeError } from '../errors.ts'
import { gradients } from '../tensor/autograd.ts'
import { randn } from '../tensor/create.ts'
import { Generator } from '../tensor/generator.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { fixture } from './fixture.test-helper.ts'
import { gaussianKl, gaussianLogDensity, gaussianLogDensityPerElement, logDensityDifference } from './gaussian.ts'
import { assertClose, assertGradient, float64, withoutLeak } from './tensor-checks.test-helper.ts'

const sigmas = [0.5, 2]
const sigmaTensor = () => float64(sigmas)

describe('gaussianLogDensity', () => {
  it('by hand: a sum over elements, one σ per sample', () => {
    withoutLeak(() => {
      const logDensity = gaussianLogDensity(float64([1, 2, 0, 4], 2, 2), float64([1, 1, 0, 0], 2, 2), sigmaTensor())
      const log2pi = Math.log(2 * Math.PI)
      assertClose(logDensity.toArray(), [-2 - 2 * Math.log(0.5) - log2pi, -2 - 2 * Math.log(2) - log2pi])
    })
  })

  it('and its KL are those of PyTorch’s Normal', () => {
    withoutLeak(() => {
      const { x, mean, reference, sigma, logDensity, kl } = fixture.gaussian
      const [X, MEAN, REFERENCE] = [x, mean, reference].map((rows) => float64(rows.flat(), 2, 3))
      assertClose(gaussianLogDensity(X, MEAN, float64(sigma)).toArray(), logDensity)
      assertClose(
        gaussianLogDensityPerElement(X, MEAN, float64(sigma)).toArray(),
        logDensity.map((sum) => sum / 3),
      )
      assertClose(gaussianKl(MEAN, REFERENCE, float64(sigma)).toArray(), kl)
    })
  })

  it('has the gradient of finite differences in x, mean and σ', () => {
    const at = [0.3, -0.2, 1, 0.5]
    const other = [0.1, 0.4, -0.5, 2]
    assertGradient((x) => gaussianLogDensity(x, float64(other, 2, 2), sigmaTensor()), at, [2, 2])
    assertGradient((mean) => gaussianLogDensity(float64(other, 2, 2), mean, sigmaTensor()), at, [2, 2])
    assertGradient((s) => gaussianLogDensity(float64(other, 2, 2), float64(at, 2, 2), s), sigmas, [2])
  })
})

describe('gaussianKl', () => {
  it('by hand', () => {
    withoutLeak(() => {
      const kl = gaussianKl(float64([1, 2, 3, 4], 2, 1, 2), float64([0, 0, 3, 2], 2, 1, 2), sigmaTensor())
      assertClose(kl.toArray(), [5 / 0.5, 4 / 8])
    })
  })

  it('is the mean of log p − log q under p (Monte Carlo, 5 standard errors)', () => {
    withoutLeak(() => {
      const n = 20_000
      const mean = float64([0.3, -0.2], 1, 2).expand(n, 2)
      const reference = float64([-0.1, 0.5], 1, 2).expand(n, 2)
      const sigma = float64([0.8]).expand(n)
      const x = mean.add(randn([n, 2], new Generator(5), 'float64').mul(0.8))
      const difference = gaussianLogDensity(x, mean, sigma).sub(gaussianLogDensity(x, reference, sigma))
      const exact = gaussianKl(mean, reference, sigma).slice(0, 0, 1).item()
      const error = Math.sqrt(difference.variance(0).item() / n)
      const estimate = difference.mean().item()
      assert.ok(Math.abs(estimate - exact) < 5 * error, `${estimate} ± ${error}, exactly ${exact}`)
    })
  })

  it('has the gradient of finite differences', () => {
    const reference = () => float64([0.1, 0.4, -0.5, 2], 2, 2)
    assertGradient((mean) => gaussianKl(mean, reference(), sigmaTensor()), [0.3, -0.2, 1, 0.5], [2, 2])
  })
})

describe('logDensityDifference', () => {
  it('is the difference of two log-densities', () => {
    withoutLeak(() => {
      const [x, mean, old] = [1, 2, 3].map((seed) => randn([2, 3, 2], new Generator(seed), 'float64'))
      const expected = gaussianLogDensity(x, mean, sigmaTensor()).sub(gaussianLogDensity(x, old, sigmaTensor()))
      assertClose(logDensityDifference(x, mean, old, sigmaTensor()).toArray(), expected.toArray())
    })
  })

  it('is 0 where the means are equal and, in float32, exact where they nearly are', () => {
    withoutLeak(() => {
      const [noise, mean, way] = [1, 2, 3].map((seed) => randn([2, 3, 64, 64], new Generator(seed)))
      const x = mean.add(noise.mul(0.02))
      const sigma = float64([0.02, 0.02]).to('float32')
      assert.deepEqual(logDensityDifference(x, mean, mean, sigma).toArray(), [0, 0])
      const near = mean.add(way.mul(1e-5))
      const exact = logDensityDifference(
        x.to('float64'),
        near.to('float64'),
        mean.to('float64'),
        sigma.to('float64'),
      ).toArray()
      assertClose(logDensityDifference(x, near, mean, sigma).toArray(), exact, 1e-5)
    })
  })

  it('has the gradient of finite differences, also that of the log-density', () => {
    const [x, old] = [
      [0.3, -0.2, 1, 0.5],
      [0.1, 0.4, -0.5, 2],
    ]
    const difference = (mean: Tensor): Tensor =>
      logDensityDifference(float64(x, 2, 2), mean, float64(old, 2, 2), sigmaTensor())
    assertGradient(difference, [1, 2, -1, 0], [2, 2])
    withoutLeak(() => {
      const mean = float64([1, 2, -1, 0], 2, 2).requireGrad()
      const [ofDifference] = gradients([difference(mean).sum()], [mean])
      const [ofDensity] = gradients([gaussianLogDensity(float64(x, 2, 2), mean, sigmaTensor()).sum()], [mean])
      assertClose(ofDifference!.toArray(), ofDensity!.toArray())
    })
  })
})

it('log-density in float32 is within 1e-6 (relative) of float64 for an image of 24 x 24 pixels', () => {
  withoutLeak(() => {
    const [x, mean] = [randn([8, 3, 24, 24], new Generator(1)), randn([8, 3, 24, 24], new Generator(2)).mul(0.01)]
    const noisy = mean.add(x.mul(0.2))
    const sigma = float64(new Array<number>(8).fill(0.2))
    const exact = gaussianLogDensity(noisy.to('float64'), mean.to('float64'), sigma)
    assertClose(gaussianLogDensity(noisy, mean, sigma.to('float32')).toArray(), exact.toArray(), 1e-6)
  })
})

it('all refuse shapes that do not fit', () => {
  withoutLeak(() => {
    const x = float64([1, 2, 3, 4], 2, 2)
    for (const density of [gaussianLogDensity, gaussianLogDensityPerElement, gaussianKl]) {
      assert.throws(() => density(x, float64([1, 2]), sigmaTensor()), ShapeError)
      assert.throws(() => density(x, x, float64([1])), ShapeError)
      assert.throws(() => density(x, x, float64([1, 1], 2, 1)), ShapeError)
      assert.throws(() => density(float64([1, 2]), float64([1, 2]), sigmaTensor()), ShapeError)
    }
    assert.throws(() => logDensityDifference(x, x, float64([1, 2]), sigmaTensor()), ShapeError)
    assert.throws(() => logDensityDifference(x, float64([1, 2]), x, sigmaTensor()), ShapeError)
    assert.throws(() => logDensityDifference(x, x, x, float64([1])), ShapeError)
  })
})
