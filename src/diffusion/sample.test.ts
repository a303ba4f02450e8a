import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ShapeError } from '../errors.ts'
import { gradients } from '../tensor/autograd.ts'
import { cat, stack, tensor } from '../tensor/create.ts'
import { livingTensors, tensorScope } from '../tensor/scope.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { ddimSampler } from './ddim.ts'
import { fixture } from './fixture.test-helper.ts'
import { chainOfSampler, stateMoments } from './gaussian-chain.test-helper.ts'
import type { Sampler } from './process.ts'
import { noiseFor, sampleImages, sampleTrajectories, sampleWithGradient, type Predictor } from './sample.ts'
import { leadingTimesteps, linearSchedule, linspaceTimesteps, scaledLinearSchedule, type Schedule } from './schedule.ts'
import { assertClose, assertGradient, float64, withoutLeak } from './tensor-checks.test-helper.ts'

const shape = [3, 4, 4]
const sampler = ddimSampler(linearSchedule(), leadingTimesteps(1000, 6))
const predict: Predictor = (xt, t) => xt.tanh().mul(t.to('float32').div(1000).reshape(-1, 1, 1, 1))
const noise = (...images: number[]): Tensor => stack(images.map((image) => noiseFor([7, 0, image], shape, 6)))

describe('sampleImages', () => {
  for (const chain of fixture.chains) {
    it(`${chain.predictionType}, η = ${chain.eta}, ${chain.spacing}: the chain of diffusers`, () => {
      withoutLeak(() => {
        const schedule = scaledLinearSchedule({ predictionType: chain.predictionType })
        const finalAlphaBar = chain.finalAlphaBarIsOne ? 1 : schedule.alphaBar[0]
        const predictions = new Map(chain.timesteps.map((t, i) => [t, float64(chain.predictions[i], 1, 3)]))
        const { states } = sampleTrajectories({
          predict: (_xt, t) => predictions.get(t.item())!,
          sampler: ddimSampler(schedule, chain.timesteps, { eta: chain.eta, finalAlphaBar }),
          noise: float64(chain.noise.flat(), 1, 11, 3),
        })
        states.forEach((state, i) => assertClose(state.toArray(), chain.states[i], 1e-11))
      })
    })
  }

  it('draws an image that does not depend on its batch', () => {
    withoutLeak(() => {
      const together = sampleImages({ predict, sampler, noise: noise(0, 1, 2, 3) })
      const alone = sampleImages({ predict, sampler, noise: noise(2) })
      assert.deepEqual(together.slice(0, 2, 3).toArray(), alone.toArray())
      const again = sampleImages({ predict, sampler, noise: noise(3, 2) })
      assert.deepEqual(again.slice(0, 1, 2).toArray(), alone.toArray())
      assert.notDeepEqual(again.slice(0, 0, 1).toArray(), alone.toArray())
    })
  })

  it('ends where the trajectory ends', () => {
    withoutLeak(() => {
      const { states, predictions } = sampleTrajectories({ predict, sampler, noise: noise(0, 1) })
      assert.deepEqual([states.length, predictions.length], [7, 6])
      predictions.forEach((prediction, i) => {
        const said = predict(states[i], tensor([sampler.steps[i].t, sampler.steps[i].t], [2], 'int64'))
        assert.deepEqual(prediction.toArray(), said.toArray())
      })
      assert.deepEqual(states[0].toArray(), noise(0, 1).select(1, 0).toArray())
      assert.deepEqual(states[6].toArray(), sampleImages({ predict, sampler, noise: noise(0, 1) }).toArray())
    })
  })

  it('does not use the noise of a step with σ = 0', () => {
    withoutLeak(() => {
      const given = noise(0)
      const broken = cat([given.slice(1, 0, 6), given.slice(1, 6, 7).mul(NaN)], 1)
      const [image, same] = [given, broken].map((noise) => sampleImages({ predict, sampler, noise }))
      assert.deepEqual(same.toArray(), image.toArray())
    })
  })

  it('asks the network at training times, as int64 per row', () => {
    withoutLeak(() => {
      const times: number[][] = []
      const watching: Predictor = (xt, t) => {
        assert.equal(t.dtype, 'int64')
        times.push(t.toArray())
        return predict(xt, t)
      }
      sampleImages({ predict: watching, sampler, noise: noise(0, 1) })
      assert.deepEqual(
        times,
        sampler.steps.map((step) => [step.t, step.t]),
      )
    })
  })

  it('leaves one tensor, or states, predictions and deviations, and records no gradients', () => {
    withoutLeak(() => {
      const given = noise(0, 1)
      const weight = float64([0.9], 1).to('float32').requireGrad()
      const learning: Predictor = (xt, t) => predict(xt, t).mul(weight)
      const before = livingTensors()
      const image = sampleImages({ predict: learning, sampler, noise: given })
      assert.ok(livingTensors() <= before + 1)
      assert.equal(image.requiresGrad, false)
      sampleTrajectories({ predict: learning, sampler, noise: given })
      assert.ok(livingTensors() <= before + 1 + 7 + 6 + 6)
    })
  })

  it('leaves nothing when the network throws, and gradients are recorded again', () => {
    withoutLeak(() => {
      const failing: Predictor = (xt, t) => (t.select(0, 0).item() < 300 ? xt.reshape(1, 1) : predict(xt, t))
      const given = noise(0, 1)
      const before = livingTensors()
      assert.throws(() => sampleImages({ predict: failing, sampler, noise: given }))
      assert.throws(() => sampleTrajectories({ predict: failing, sampler, noise: given }))
      assert.ok(livingTensors() <= before)
      assert.equal(float64([1]).requireGrad().mul(2).requiresGrad, true)
    })
  })

  it('does not dispose what belongs to the predictor', () => {
    withoutLeak(() => {
      const same = noise(0).select(1, 0).mul(0.1)
      sampleImages({ predict: () => same, sampler, noise: noise(0) })
      assert.equal(same.toArray().length, 48)
    })
  })

  it('refuses noise for another number of steps', () => {
    withoutLeak(() => {
      assert.throws(
        () => sampleImages({ predict, sampler, noise: noise(0).slice(1, 0, 6) }),
        /noise: expected shape \[B, 7, …\]/,
      )
      assert.throws(() => sampleImages({ predict, sampler, noise: float64([1]) }), ShapeError)
    })
  })
})

describe('sampling with the exact score of Gaussian images N(m, s²)', () => {
  /** E[ε | xₜ] = √(1 − ᾱ) (xₜ − √ᾱ m) / (ᾱ s² + 1 − ᾱ) */
  const exact = (alphaBar: number, m: number, s: number): { slope: number; offset: number } => {
    const slope = Math.sqrt(1 - alphaBar) / (alphaBar * s * s + 1 - alphaBar)
    return { slope, offset: -slope * Math.sqrt(alphaBar) * m }
  }
  const predictor =
    (schedule: Schedule, m: number, s: number): Predictor =>
    (xt, t) => {
      const { slope, offset } = exact(schedule.alphaBar[t.select(0, 0).item()], m, s)
      return xt.mul(slope).add(offset)
    }
  const schedule = linearSchedule()
  const sampled = (sampler: Sampler, m: number, s: number, ...start: number[]): number[] => {
    using _ = tensorScope()
    const rest = new Array<number>(start.length * sampler.steps.length).fill(0)
    const noise = float64([...start, ...rest], sampler.steps.length + 1, start.length, 1).transpose(0, 1)
    return sampleImages({ predict: predictor(schedule, m, s), sampler, noise }).toArray()
  }

  it('η = 0 carries x_T to the image with the same quantile, the better the more steps', () => {
    const start = [-2, -0.5, 0, 1, 2]
    const errors = [10, 100, 1000].map((steps) => {
      const images = sampled(ddimSampler(schedule, linspaceTimesteps(1000, steps), { eta: 0 }), 0.7, 0.3, ...start)
      return Math.max(...images.map((image, i) => Math.abs(image - (0.7 + 0.3 * start[i]))))
    })
    assert.ok(errors[0] > errors[1] && errors[1] > errors[2] && errors[2] < 0.01, errors.join(', '))
  })

  it('lands exactly on the image when there is only one, in any number of steps', () => {
    for (const steps of [1, 3, 10]) {
      const sampler = ddimSampler(schedule, leadingTimesteps(1000, steps, 1), { eta: 1 })
      assertClose(sampled(sampler, 0.7, 0, -2, 3), [0.7, 0.7])
    }
  })

  it('η = 1 over all times draws images with the mean and variance of the images', () => {
    const sampler = ddimSampler(schedule, linspaceTimesteps(1000, 1000))
    const chain = chainOfSampler(sampler, (index) => exact(sampler.steps[index].alphaBar, 0.7, 0.3), {
      rewardSlope: 1,
      klWeight: 1,
    })
    const { mean, variance } = stateMoments(chain, chain.steps)[1000]
    assertClose([mean, Math.sqrt(variance)], [0.7, 0.3], 0.01)
  })
})

describe('sampleWithGradient', () => {
  const wide = noise(0, 1).to('float64')
  /** A network of one parameter, which the steps before the last few take for a number. */
  const withParameter =
    (parameter: Tensor, last: number): Predictor =>
    (xt, t) => {
      const isLast = sampler.steps.findIndex((step) => step.t === t.select(0, 0).item()) >= 6 - last
      return isLast ? xt.tanh().mul(parameter) : xt.tanh().mul(0.5)
    }

  for (const last of [1, 3, 6]) {
    it(`records the last ${last} of 6 steps: the gradient of finite differences`, () => {
      withoutLeak(() => {
        const draw = (parameter: Tensor) =>
          sampleWithGradient({ predict: withParameter(parameter, last), sampler, noise: wide }, last).square()
        assertGradient(draw, [0.5], [1], 1e-5)
      })
    })
  }

  it('draws the images of sampleImages, and leaves earlier steps out of the graph', () => {
    withoutLeak(() => {
      const parameter = float64([0.5]).requireGrad()
      const everywhere: Predictor = (xt) => xt.tanh().mul(parameter)
      const drawn = sampleWithGradient({ predict: everywhere, sampler, noise: wide }, 2)
      assert.deepEqual(drawn.toArray(), sampleImages({ predict: everywhere, sampler, noise: wide }).toArray())
      const lateAlone = sampleWithGradient({ predict: withParameter(parameter, 2), sampler, noise: wide }, 2)
      const [own, late] = [drawn, lateAlone].map((x0) => gradients([x0.sum()], [parameter])[0]!.item())
      assertClose([own], [late])
    })
  })

  it('refuses as many steps as there are not', () => {
    for (const last of [0, 7, 1.5]) {
      assert.throws(() => sampleWithGradient({ predict, sampler, noise: wide }, last), {
        name: ShapeError.name,
        where: 'last steps',
      })
    }
  })
})
