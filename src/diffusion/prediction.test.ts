import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ShapeError } from '../errors.ts'
import { addNoise, imagePerPrediction, predictionTarget, toX0AndEpsilon, velocityTarget } from './prediction.ts'
import { assertClose, assertGradient, float64, withoutLeak } from './tensor-checks.test-helper.ts'

const x0Values = [1, -2, 0.5, 3]
const epsilonValues = [0.3, 0.7, -1.1, 0]

describe('addNoise and velocityTarget', () => {
  it('by hand, with a noise level per row', () => {
    withoutLeak(() => {
      const [x0, epsilon] = [float64(x0Values, 2, 2), float64(epsilonValues, 2, 2)]
      const alphaBar = float64([0.64, 0.36])
      assertClose(addNoise(x0, epsilon, alphaBar).toArray(), [0.98, -1.18, -0.58, 1.8])
      assertClose(velocityTarget(x0, epsilon, alphaBar).toArray(), [-0.36, 1.76, -1.06, -2.4])
    })
  })

  it('refuse shapes that do not fit', () => {
    withoutLeak(() => {
      const x0 = float64(x0Values, 2, 2)
      assert.throws(() => addNoise(x0, float64([1, 2]), float64([0.5, 0.5])), ShapeError)
      assert.throws(() => addNoise(x0, x0, float64([0.5])), ShapeError)
      assert.throws(() => velocityTarget(x0, x0, float64([0.5, 0.5], 2, 1)), ShapeError)
      assert.throws(() => toX0AndEpsilon(float64([1]), x0, float64([0.5, 0.5]), 'v'), ShapeError)
    })
  })
})

describe('toX0AndEpsilon', () => {
  for (const type of ['epsilon', 'v', 'x0'] as const) {
    it(`gives image and noise back from a true ${type}`, () => {
      withoutLeak(() => {
        const [x0, epsilon] = [float64(x0Values, 2, 2), float64(epsilonValues, 2, 2)]
        const alphaBar = float64([0.9, 0.01])
        const xt = addNoise(x0, epsilon, alphaBar)
        const found = toX0AndEpsilon(predictionTarget(x0, epsilon, alphaBar, type), xt, alphaBar, type)
        assertClose(found.x0.toArray(), x0Values)
        assertClose(found.epsilon.toArray(), epsilonValues)
      })
    })

    it(`gives two that make xₜ, whatever ${type} is said, and has the right gradient`, () => {
      withoutLeak(() => {
        const [xt, alphaBar] = [float64(epsilonValues, 2, 2), float64([0.9, 0.2])]
        const found = toX0AndEpsilon(float64(x0Values, 2, 2), xt, alphaBar, type)
        assertClose(addNoise(found.x0, found.epsilon, alphaBar).toArray(), epsilonValues)
      })
      assertGradient(
        (prediction) => {
          const { x0, epsilon } = toX0AndEpsilon(prediction, float64(epsilonValues, 2, 2), float64([0.9, 0.2]), type)
          return x0.square().add(epsilon.mul(x0))
        },
        x0Values,
        [2, 2],
      )
    })
  }

  it('at ᾱ = 0: all is noise, and v and x₀ still say what the image is', () => {
    withoutLeak(() => {
      const [x0, epsilon, nothing] = [float64(x0Values, 2, 2), float64(epsilonValues, 2, 2), float64([0, 0])]
      const xt = addNoise(x0, epsilon, nothing)
      assert.deepEqual(xt.toArray(), epsilonValues)
      for (const type of ['v', 'x0'] as const) {
        const found = toX0AndEpsilon(predictionTarget(x0, epsilon, nothing, type), xt, nothing, type)
        assert.deepEqual([found.x0.toArray(), found.epsilon.toArray()], [x0Values, epsilonValues])
      }
    })
  })

  it('keeps the element type of the images', () => {
    withoutLeak(() => {
      const xt = float64(x0Values, 2, 2).to('float32')
      assert.equal(toX0AndEpsilon(xt, xt, float64([0.5, 0.5]), 'v').x0.dtype, 'float32')
    })
  })
})

describe('imagePerPrediction', () => {
  for (const type of ['epsilon', 'v', 'x0'] as const) {
    it(`is the slope of x̂₀ in a prediction of ${type}`, () => {
      withoutLeak(() => {
        const alphaBar = float64([0.9, 0.01])
        const xt = float64(x0Values, 2, 2)
        const x0Of = (said: number) => toX0AndEpsilon(xt.mul(0).add(said), xt, alphaBar, type).x0.select(1, 0)
        assertClose(imagePerPrediction(alphaBar, type).toArray(), x0Of(1).sub(x0Of(0)).abs().toArray())
      })
    })
  }
})
