import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ShapeError } from '../errors.ts'
import { cappedInverseNoise, denoisingLoss } from './denoising-loss.ts'
import { predictionTarget } from './prediction.ts'
import { assertClose, assertGradient, float64, withoutLeak } from './tensor-checks.test-helper.ts'

const images = () => ({
  x0: float64([1, -2, 0.5, 3], 2, 2),
  epsilon: float64([0.3, 0.7, -1.1, 0], 2, 2),
  alphaBar: float64([0.36, 0.96]),
})

describe('denoisingLoss', () => {
  it('by hand: the mean over the elements of each sample', () => {
    withoutLeak(() => {
      const prediction = float64([0, 0, 0, 0], 2, 2)
      assertClose(denoisingLoss({ ...images(), prediction, type: 'x0' }).toArray(), [2.5, 4.625])
      assertClose(denoisingLoss({ ...images(), prediction, type: 'epsilon' }).toArray(), [0.29, 0.605])
    })
  })

  it('is 0 at the target of every prediction type', () => {
    withoutLeak(() => {
      for (const type of ['epsilon', 'v', 'x0'] as const) {
        const { x0, epsilon, alphaBar } = images()
        const prediction = predictionTarget(x0, epsilon, alphaBar, type)
        assert.deepEqual(denoisingLoss({ prediction, x0, epsilon, alphaBar, type }).toArray(), [0, 0])
      }
    })
  })

  it('weighs by 1/(1 − ᾱ) up to the cap', () => {
    withoutLeak(() => {
      assertClose(cappedInverseNoise(10)(images().alphaBar).toArray(), [1 / 0.64, 10])
      const prediction = float64([0, 0, 0, 0], 2, 2)
      const loss = denoisingLoss({ ...images(), prediction, type: 'x0', weighting: cappedInverseNoise(10) })
      assertClose(loss.toArray(), [2.5 / 0.64, 46.25])
    })
  })

  it('has the gradient of finite differences', () => {
    for (const type of ['epsilon', 'v', 'x0'] as const) {
      assertGradient(
        (prediction) => denoisingLoss({ ...images(), prediction, type, weighting: cappedInverseNoise(10) }),
        [0.1, 0.2, 0.3, -0.4],
        [2, 2],
      )
    }
  })

  it('refuses shapes that do not fit', () => {
    withoutLeak(() => {
      const prediction = float64([0, 0, 0, 0], 2, 2)
      const row = float64([1, 2])
      assert.throws(() => denoisingLoss({ ...images(), prediction: row, type: 'x0' }), ShapeError)
      assert.throws(() => denoisingLoss({ ...images(), prediction, epsilon: row, type: 'x0' }), ShapeError)
      assert.throws(() => denoisingLoss({ ...images(), prediction, alphaBar: prediction, type: 'x0' }), ShapeError)
    })
  })
})
