import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { ddimSampler, ddimTransition } from './ddim.ts'
import {
  chainOfSampler,
  meanReward,
  objective,
  optimum,
  shiftGradient,
  shifted,
  stateMoments,
  stepKls,
  totalKl,
  type GaussianChain,
} from './gaussian-chain.test-helper.ts'
import { gaussianKl } from './gaussian.ts'
import { noiseFor, sampleTrajectories } from './sample.ts'
import { leadingTimesteps, linearSchedule } from './schedule.ts'
import { assertClose, withoutLeak } from './tensor-checks.test-helper.ts'

const chain: GaussianChain = {
  steps: [
    { a: 0.9, b: 0.1, sigma: 0.5 },
    { a: 1.2, b: -0.3, sigma: 0.8 },
    { a: 0.7, b: 0.2, sigma: 0.3 },
  ],
  start: { mean: 0.4, variance: 1 },
  rewardSlope: 2,
  klWeight: 0.5,
}

describe('the closed Gaussian chain', () => {
  it('by hand: one step, shift cσ²/β, KL (cσ/β)²/2', () => {
    const one: GaussianChain = { ...chain, steps: [{ a: 1, b: 0, sigma: 0.5 }] }
    const best = optimum(one)
    assertClose([best.shifts[0], best.kl, best.value], [1, 2, 2 * (0.4 + 1) - 0.5 * 2])
  })

  it('reaches the stated value and KL at the optimum, where the gradient vanishes', () => {
    const { shifts, policy, value, kl } = optimum(chain)
    assertClose([objective(chain, policy), totalKl(chain, policy)], [value, kl])
    assertClose(shiftGradient(chain, shifts), [0, 0, 0])
  })

  it('has no better policy with other affine means', () => {
    const { policy, value } = optimum(chain)
    const change = fc.double({ min: -1, max: 1, noNaN: true })
    fc.assert(
      fc.property(fc.array(fc.tuple(change, change), { minLength: 3, maxLength: 3 }), (changes) => {
        const other = policy.map((step, i) => ({ ...step, a: step.a + changes[i][0], b: step.b + changes[i][1] }))
        assert.ok(objective(chain, other) <= value + 1e-12)
      }),
    )
  })

  it('has the gradient of finite differences', () => {
    const shifts = [0.3, -0.1, 0.2]
    const h = 1e-6
    const differences = shifts.map((_shift, i) => {
      const at = (by: number): number =>
        objective(
          chain,
          shifted(
            chain,
            shifts.map((shift, j) => (j === i ? shift + by : shift)),
          ),
        )
      return (at(h) - at(-h)) / (2 * h)
    })
    assertClose(shiftGradient(chain, shifts), differences, 1e-7)
  })

  it('is what a sampler with an affine network does: moments and KL of drawn images (5 standard errors)', () => {
    withoutLeak(() => {
      const sampler = ddimSampler(linearSchedule(), leadingTimesteps(1000, 4))
      const weights = { rewardSlope: 1, klWeight: 0.1 }
      const reference = chainOfSampler(sampler, () => ({ slope: 0.8, offset: 0.1 }), weights)
      const policy = chainOfSampler(sampler, (index) => ({ slope: 0.7, offset: 0.1 * index }), weights).steps.map(
        (step, i) => (step.sigma > 0 ? step : reference.steps[i]),
      )
      const n = 4000
      const index = new Map(sampler.steps.map((step) => [step.t, step.index]))
      const noise = noiseFor([3], [n, 1], 4).to('float64').transpose(0, 1)
      const { states } = sampleTrajectories({
        predict: (xt, t) => {
          const i = index.get(t.select(0, 0).item())!
          return i === 3 ? xt.mul(0.8).add(0.1) : xt.mul(0.7).add(0.1 * i)
        },
        sampler,
        noise,
      })
      const moments = stateMoments(reference, policy)
      states.forEach((state, i) => {
        const { mean, variance } = moments[i]
        const [found, spread] = [state.mean().item(), state.variance([0, 1]).item()]
        assert.ok(Math.abs(found - mean) < 5 * Math.sqrt(variance / n), `mean of state ${i}: ${found}, exactly ${mean}`)
        assert.ok(Math.abs(spread / variance - 1) < 5 * Math.sqrt(2 / n), `variance: ${spread}, exactly ${variance}`)
      })
      assertClose([meanReward(reference, policy)], [moments[4].mean])

      const kls = stepKls(reference, policy)
      for (const i of [0, 1, 2]) {
        const rows = new Array<number>(n).fill(i)
        const xt = states[i]
        const policyStep = ddimTransition(xt.mul(0.7).add(0.1 * i), xt, rows, sampler)
        const referenceStep = ddimTransition(xt.mul(0.8).add(0.1), xt, rows, sampler)
        const kl = gaussianKl(policyStep.mean, referenceStep.mean, policyStep.sigma)
        const error = Math.sqrt(kl.variance(0).item() / n)
        assert.ok(
          Math.abs(kl.mean().item() - kls[i]) < 5 * error + 1e-12,
          `KL of step ${i}: ${kl.mean().item()}, exactly ${kls[i]}`,
        )
      }
      assert.equal(kls[3], 0)
    })
  })

  it('needs no scale: doubling reward and β doubles the value and keeps the policy', () => {
    const double = { ...chain, rewardSlope: 4, klWeight: 1 }
    assertClose(optimum(double).shifts, optimum(chain).shifts)
    assertClose([optimum(double).value], [2 * optimum(chain).value])
  })
})
