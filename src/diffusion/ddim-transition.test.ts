import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ScheduleError, ShapeError } from '../errors.ts'
import { randn } from '../tensor/create.ts'
import { Generator } from '../tensor/generator.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { ddimSampler, ddimTransition } from './ddim.ts'
import { fixture } from './fixture.test-helper.ts'
import { toX0AndEpsilon } from './prediction.ts'
import {
  leadingTimesteps,
  linearSchedule,
  scaledLinearSchedule,
  trailingTimesteps,
  zeroTerminalSnr,
} from './schedule.ts'
import { assertClose, assertGradient, float64, withoutLeak } from './tensor-checks.test-helper.ts'
import { expectStochastic } from './process.ts'

const types = ['epsilon', 'v', 'x0'] as const

describe('ddimTransition', () => {
  for (const chain of fixture.chains) {
    it(`${chain.predictionType}, η = ${chain.eta}, ${chain.spacing}: every step of diffusers`, () => {
      withoutLeak(() => {
        const schedule = scaledLinearSchedule({ predictionType: chain.predictionType })
        const finalAlphaBar = chain.finalAlphaBarIsOne ? 1 : schedule.alphaBar[0]
        const sampler = ddimSampler(schedule, chain.timesteps, { eta: chain.eta, finalAlphaBar })
        const { mean, sigma } = ddimTransition(
          float64(chain.predictions.flat(), 10, 3),
          float64(chain.states.slice(0, 10).flat(), 10, 3),
          sampler.steps.map((step) => step.index),
          sampler,
        )
        const noise = float64(chain.noise.slice(1).flat(), 10, 3)
        const next = mean.add(noise.mul(sigma.unsqueeze(1)))
        assertClose(next.toArray(), chain.states.slice(1).flat(), 1e-11)
      })
    })
  }

  for (const predictionType of types) {
    it(`${predictionType}: is √ᾱ₋ x̂₀ + √(1 − ᾱ₋ − σ²) ε̂, for rows at different steps`, () => {
      withoutLeak(() => {
        const sampler = ddimSampler(linearSchedule({ predictionType }), leadingTimesteps(1000, 10), { eta: 0.7 })
        const indices = [7, 0, 9]
        const [prediction, xt] = [float64([1, 2, 3, 4, 5, 6], 3, 2), float64([0.1, -1, 2, 0.4, -0.3, 1], 3, 2)]
        const steps = indices.map((index) => sampler.steps[index])
        const { x0, epsilon } = toX0AndEpsilon(
          prediction,
          xt,
          float64(steps.map((step) => step.alphaBar)),
          predictionType,
        )
        const column = (values: number[]): Tensor => float64(values, 3, 1)
        const expected = column(steps.map((step) => Math.sqrt(step.alphaBarPrev)))
          .mul(x0)
          .add(column(steps.map((step) => Math.sqrt(1 - step.alphaBarPrev - step.sigma ** 2))).mul(epsilon))
        const { mean, sigma } = ddimTransition(prediction, xt, indices, sampler)
        assertClose(mean.toArray(), expected.toArray(), 1e-11)
        assert.deepEqual(
          sigma.toArray(),
          steps.map((step) => step.sigma),
        )
      })
    })
  }

  for (const predictionType of types) {
    it(`${predictionType}: clamps x̂₀ to the range, keeps ε̂ and σ, and is linear where nothing is clamped`, () => {
      withoutLeak(() => {
        const [schedule, timesteps] = [linearSchedule({ predictionType }), leadingTimesteps(1000, 10)]
        const [free, clipping] = [undefined, 0.6].map((clipSample) =>
          ddimSampler(schedule, timesteps, { eta: 0.7, clipSample }),
        )
        const indices = [7, 4, 9]
        const [prediction, xt] = [
          float64([1, 0.1, 0.3, 0.4, -5, 0.5], 3, 2),
          float64([0.1, -1, 2, 0.2, -0.3, 0.7], 3, 2),
        ]
        const steps = indices.map((index) => clipping.steps[index])
        const alphaBar = float64(steps.map((step) => step.alphaBar))
        const { x0, epsilon } = toX0AndEpsilon(prediction, xt, alphaBar, predictionType)
        const [images, noises, linear] = [x0, epsilon, ddimTransition(prediction, xt, indices, free).mean].map((all) =>
          all.toArray(),
        )
        const inside = images.map((image) => Math.abs(image) <= 0.6)
        assert.deepEqual(new Set(inside), new Set([true, false]))
        const { mean, sigma } = ddimTransition(prediction, xt, indices, clipping)
        const expected = images.map((image, i) => {
          const { alphaBarPrev, direction } = steps[Math.floor(i / 2)]
          return inside[i] ? linear[i] : Math.sqrt(alphaBarPrev) * Math.sign(image) * 0.6 + direction * noises[i]
        })
        assertClose(mean.toArray(), expected, 1e-11)
        assert.deepEqual(sigma.toArray(), ddimTransition(prediction, xt, indices, free).sigma.toArray())
      })
    })
  }

  it('with clipSample has the gradient of finite differences', () => {
    for (const predictionType of types) {
      const schedule = linearSchedule({ predictionType })
      const sampler = ddimSampler(schedule, leadingTimesteps(1000, 10), { clipSample: 0.6 })
      const square = (prediction: Tensor): Tensor =>
        ddimTransition(prediction, float64([0.2, -0.4, 1.5, 0.1], 2, 2), [1, 8], sampler).mean.square()
      assertGradient(square, [1, -1, 0.5, 0.1], [2, 2])
    }
  })

  it('leaves from ᾱ = 0 to where x̂₀ says, with v- and x₀-prediction', () => {
    withoutLeak(() => {
      for (const predictionType of ['v', 'x0'] as const) {
        for (const clipSample of [undefined, 10]) {
          const schedule = zeroTerminalSnr(scaledLinearSchedule({ predictionType }))
          const sampler = ddimSampler(schedule, trailingTimesteps(1000, 10), { clipSample })
          assert.equal(sampler.steps[0].alphaBar, 0)
          const [prediction, xt] = [float64([1, 2], 1, 2), float64([3, -4], 1, 2)]
          const { mean, sigma } = ddimTransition(prediction, xt, [0], sampler)
          // At η = 1 nothing of ε̂ stays; x̂₀ is −v or the prediction itself.
          const { alphaBarPrev } = sampler.steps[0]
          const sign = predictionType === 'v' ? -1 : 1
          assertClose(mean.toArray(), [sign * Math.sqrt(alphaBarPrev), 2 * sign * Math.sqrt(alphaBarPrev)], 1e-7)
          assertClose(sigma.toArray(), [Math.sqrt(1 - alphaBarPrev)])
        }
      }
    })
  })

  it('stays float32 where the network says bfloat16', () => {
    withoutLeak(() => {
      for (const clipSample of [undefined, 0.6]) {
        const sampler = ddimSampler(linearSchedule(), leadingTimesteps(1000, 10), { clipSample })
        const [xt, said] = [randn([2, 3], new Generator(1)), randn([2, 3], new Generator(2)).to('bfloat16')]
        const { mean, sigma } = ddimTransition(said, xt, [3, 8], sampler)
        assert.deepEqual([mean.dtype, sigma.dtype], ['float32', 'float32'])
        const converted = ddimTransition(said.to('float32'), xt, [3, 8], sampler)
        assert.deepEqual(mean.toArray(), converted.mean.toArray())
      }
    })
  })

  it('has the gradient of finite differences, in the prediction and in xₜ', () => {
    const sampler = ddimSampler(linearSchedule(), leadingTimesteps(1000, 10))
    const other = [0.2, -0.4, 1.5, 0.1]
    const at = [1, -1, 0.5, 2]
    const square = (prediction: Tensor, xt: Tensor): Tensor =>
      ddimTransition(prediction, xt, [1, 8], sampler).mean.square()
    assertGradient((prediction) => square(prediction, float64(other, 2, 2)), at, [2, 2])
    assertGradient((xt) => square(float64(other, 2, 2), xt), at, [2, 2])
  })

  it('gives a row the same numbers in any batch, in float32', () => {
    withoutLeak(() => {
      const sampler = ddimSampler(linearSchedule(), leadingTimesteps(1000, 10))
      const prediction = randn([4, 3, 5, 5], new Generator(1))
      const xt = randn([4, 3, 5, 5], new Generator(2))
      const together = ddimTransition(prediction, xt, [3, 0, 9, 5], sampler)
      const alone = ddimTransition(prediction.slice(0, 2, 3), xt.slice(0, 2, 3), [9], sampler)
      assert.equal(together.mean.dtype, 'float32')
      assert.deepEqual(together.mean.slice(0, 2, 3).toArray(), alone.mean.toArray())
      assert.deepEqual(together.sigma.slice(0, 2, 3).toArray(), alone.sigma.toArray())
    })
  })

  it('refuses shapes that do not fit and steps that are not there', () => {
    withoutLeak(() => {
      const sampler = ddimSampler(linearSchedule(), [900, 100])
      const x = float64([1, 2], 2, 1)
      assert.throws(() => ddimTransition(x, float64([1, 2], 1, 2), [0, 1], sampler), ShapeError)
      assert.throws(() => ddimTransition(x, x, [0], sampler), ShapeError)
      assert.throws(() => ddimTransition(x, x, [0, 900], sampler), ScheduleError)
    })
  })
})

describe('expectStochastic', () => {
  it('lets stochastic steps pass and names the first that is none', () => {
    const sampler = ddimSampler(linearSchedule(), [900, 500, 100])
    expectStochastic(sampler, [0, 1, 1, 0])
    assert.throws(() => expectStochastic(sampler, [0, 2]), /step 2 of the sampler, time 100: expected σ > 0/)
    assert.throws(() => expectStochastic(sampler, [3]), ScheduleError)
  })
})
