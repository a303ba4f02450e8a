import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ShapeError } from '../errors.ts'
import { tensor } from '../tensor/create.ts'
import { denoisingLoss } from './denoising-loss.ts'
import { scheduleFromAlphaBar, type PredictionType } from './schedule.ts'
import { assertClose, assertGradient, float64, withoutLeak } from './tensor-checks.test-helper.ts'
import { cappedInverseNoise, VariancePreserving, type NoiseWeighting } from './variance-preserving.ts'

const images = () => ({
  x0: float64([1, -2, 0.5, 3], 2, 2),
  epsilon: float64([0.3, 0.7, -1.1, 0], 2, 2),
  t: tensor([1, 0], [2], 'int64'),
})

/** ᾱ of the two images is .36 and .96. */
const processOf = (predictionType: PredictionType, weighting?: NoiseWeighting) =>
  new VariancePreserving({
    schedule: scheduleFromAlphaBar({ alphaBar: [0.96, 0.36], predictionType }),
    timesteps: () => [1, 0],
    ...(weighting && { weighting }),
  })

describe('denoisingLoss', () => {
  it('by hand: the mean over the elements of each sample', () => {
    withoutLeak(() => {
      const prediction = float64([0, 0, 0, 0], 2, 2)
      assertClose(denoisingLoss(processOf('x0'), { ...images(), prediction }).toArray(), [2.5, 4.625])
      assertClose(denoisingLoss(processOf('epsilon'), { ...images(), prediction }).toArray(), [0.29, 0.605])
    })
  })

  it('is 0 at the target of every prediction type', () => {
    withoutLeak(() => {
      for (const type of ['epsilon', 'v', 'x0'] as const) {
        const { x0, epsilon, t } = images()
        const process = processOf(type)
        const prediction = process.target(x0, epsilon, t)
        assert.deepEqual(denoisingLoss(process, { prediction, x0, epsilon, t }).toArray(), [0, 0])
      }
    })
  })

  it('weighs by 1/(1 − ᾱ) up to the cap', () => {
    withoutLeak(() => {
      assertClose(cappedInverseNoise(10)(float64([0.36, 0.96])).toArray(), [1 / 0.64, 10])
      const prediction = float64([0, 0, 0, 0], 2, 2)
      const loss = denoisingLoss(processOf('x0', cappedInverseNoise(10)), { ...images(), prediction })
      assertClose(loss.toArray(), [2.5 / 0.64, 46.25])
    })
  })

  it('has the gradient of finite differences', () => {
    for (const type of ['epsilon', 'v', 'x0'] as const) {
      assertGradient(
        (prediction) => denoisingLoss(processOf(type, cappedInverseNoise(10)), { ...images(), prediction }),
        [0.1, 0.2, 0.3, -0.4],
        [2, 2],
      )
    }
  })

  it('refuses shapes that do not fit', () => {
    withoutLeak(() => {
      const prediction = float64([0, 0, 0, 0], 2, 2)
      const row = float64([1, 2])
      assert.throws(() => denoisingLoss(processOf('x0'), { ...images(), prediction: row }), ShapeError)
      assert.throws(() => denoisingLoss(processOf('x0'), { ...images(), prediction, epsilon: row }), ShapeError)
      assert.throws(
        () => denoisingLoss(processOf('x0'), { ...images(), prediction, t: tensor([0, 0, 0], [3], 'int64') }),
        ShapeError,
      )
    })
  })
})
