import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ScheduleError } from '../errors.ts'
import { ddimSampler } from './ddim.ts'
import { expectPolicy } from './process.ts'
import {
  leadingTimesteps,
  linearSchedule,
  scaledLinearSchedule,
  scheduleFromAlphaBar,
  scheduleFromBetas,
} from './schedule.ts'
import { assertClose } from './tensor-checks.test-helper.ts'

describe('ddimSampler', () => {
  it('has the numbers of Stable Diffusion with 50 leading steps and η = 1', () => {
    const schedule = scaledLinearSchedule()
    const { steps } = ddimSampler(schedule, leadingTimesteps(1000, 50, 1), {
      eta: 1,
      finalAlphaBar: schedule.alphaBar[0],
    })
    // t, ᾱ, ᾱ₋, σ, dμ/dε, KL per unit of squared ε error
    const table = [
      [981, 0.0057755, 0.00728173, 0.454463, -0.232936, 0.131354],
      [961, 0.00728173, 0.00911731, 0.448282, -0.226105, 0.1272],
      [501, 0.27499907, 0.30229566, 0.294785, -0.111188, 0.071134],
      [101, 0.89298054, 0.91713793, 0.142809, -0.081598, 0.163238],
      [41, 0.96087279, 0.98038075, 0.099887, -0.101611, 0.517408],
      [21, 0.98038075, 0.99829603, 0.03948, -0.129287, 5.362118],
      [1, 0.99829603, 0.99915, 0.020648, -0.020714, 0.503194],
    ]
    const klPerEpsilon = steps.map((step) => step.meanPerPrediction ** 2 / (2 * step.sigma ** 2))
    for (const [t, ...expected] of table) {
      const step = steps.find((step) => step.t === t)!
      const { alphaBar, alphaBarPrev, sigma, meanPerPrediction, index } = step
      assertClose([alphaBar, alphaBarPrev, sigma, meanPerPrediction, klPerEpsilon[index]], expected, 1e-6)
    }
    const sum = klPerEpsilon.reduce((total, c) => total + c, 0)
    assert.ok(Math.abs(sum - 11.004) < 5e-5, `Σ c = ${sum}`)
  })

  it('at η = 1 over all times is the posterior of DDPM (Ho et al. 2020, Eqs. 6 and 7)', () => {
    const betas = [0.1, 0.2, 0.3, 0.25]
    const schedule = scheduleFromBetas({ betas, predictionType: 'x0' })
    const { steps } = ddimSampler(schedule, [3, 2, 1, 0])
    for (const { t, alphaBar, alphaBarPrev, sigma, meanPerState, meanPerPrediction } of steps) {
      const beta = betas[t]
      const variance = ((1 - alphaBarPrev) / (1 - alphaBar)) * beta
      assertClose(
        [sigma ** 2, meanPerPrediction, meanPerState],
        [
          variance,
          (Math.sqrt(alphaBarPrev) * beta) / (1 - alphaBar),
          (Math.sqrt(1 - beta) * (1 - alphaBarPrev)) / (1 - alphaBar),
        ],
      )
    }
  })

  it('gives one mean for the three prediction types', () => {
    const timesteps = leadingTimesteps(1000, 7)
    const [epsilon, v, x0] = (['epsilon', 'v', 'x0'] as const).map((predictionType) =>
      ddimSampler(linearSchedule({ predictionType }), timesteps, { eta: 0.6 }),
    )
    epsilon.steps.forEach(({ alphaBar, meanPerState, meanPerPrediction, sigma }, i) => {
      const [signal, noise] = [Math.sqrt(alphaBar), Math.sqrt(1 - alphaBar)]
      // With xₜ = signal·X + noise·E, v = signal·E − noise·X: compare the coefficients of X and E.
      const expected = [meanPerState * signal, meanPerState * noise + meanPerPrediction]
      const ofV = v.steps[i]
      assertClose(
        [
          ofV.meanPerState * signal - ofV.meanPerPrediction * noise,
          ofV.meanPerState * noise + ofV.meanPerPrediction * signal,
        ],
        expected,
      )
      const ofX0 = x0.steps[i]
      assertClose([ofX0.meanPerState * signal + ofX0.meanPerPrediction, ofX0.meanPerState * noise], expected)
      assert.equal(ofV.sigma, sigma)
      assert.equal(ofX0.sigma, sigma)
    })
  })

  it('marks the step to ᾱ = 1 and all steps at η = 0 as deterministic', () => {
    const flags = (eta: number): boolean[] =>
      ddimSampler(linearSchedule(), [900, 500, 100], { eta }).steps.map((step) => step.stochastic)
    assert.deepEqual(flags(1), [true, true, false])
    assert.deepEqual(flags(0), [false, false, false])
  })

  it('takes ᾱ = 0 with v- and x0-prediction, not with ε-prediction', () => {
    const sampler = (predictionType: 'epsilon' | 'v' | 'x0') =>
      ddimSampler(scheduleFromAlphaBar({ alphaBar: [0.9, 0.5, 0], predictionType }), [2, 1, 0])
    assert.throws(() => sampler('epsilon'), /ᾱ at time 2: expected ᾱ > 0 with ε-prediction/)
    for (const type of ['v', 'x0'] as const) {
      const { sigma, meanPerState, meanPerPrediction } = sampler(type).steps[0]
      assert.ok([sigma, meanPerState, meanPerPrediction].every(Number.isFinite))
    }
  })

  it('refuses bad times, η and final ᾱ', () => {
    const schedule = linearSchedule()
    assert.throws(() => ddimSampler(schedule, []), ScheduleError)
    assert.throws(() => ddimSampler(schedule, [1, 2]), ScheduleError)
    assert.throws(() => ddimSampler(schedule, [1000]), ScheduleError)
    assert.throws(() => ddimSampler(schedule, [2.5]), ScheduleError)
    assert.throws(() => ddimSampler(schedule, [10], { eta: 1.1 }), ScheduleError)
    assert.throws(() => ddimSampler(schedule, [10], { finalAlphaBar: 0.5 }), ScheduleError)
    assert.throws(() => ddimSampler(schedule, [10], { clipSample: 0 }), /clipSample: expected a number > 0, received 0/)
  })
})

describe('expectPolicy', () => {
  it('wants one stochastic step', () => {
    expectPolicy(ddimSampler(linearSchedule(), [900, 100]))
    assert.throws(() => expectPolicy(ddimSampler(linearSchedule(), [900, 100], { eta: 0 })), ScheduleError)
    assert.throws(() => expectPolicy(ddimSampler(linearSchedule(), [900])), /received η = 1 and 1 deterministic step —/)
  })
})
