import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { random } from '../../random.ts'
import { fitChoices, standardError, type Choice } from './conditional-logit.ts'

const yes = (x: readonly number[], isChosen: boolean, weight = 1): Choice => ({
  alternatives: [x, x.map(() => 0)],
  chosen: isChosen ? 0 : 1,
  weight,
  group: 'one',
})
const close = (actual: number, expected: number, tolerance = 1e-6) =>
  assert.ok(Math.abs(actual - expected) < tolerance, `${actual} for ${expected}`)
const flat = { mean: 0, precision: 1e-9 }

describe('a conditional logit', () => {
  it('by hand: the log odds of the shares, where nothing is believed before', () => {
    const { theta, nats } = fitChoices([yes([1], true, 3), yes([1], false)], [flat])
    close(theta[0], Math.log(3))
    close(nats, -3 * Math.log(3 / 4) - Math.log(1 / 4))
  })

  it('by hand: what is believed before counts as its precision says, without choices alone', () => {
    assert.deepEqual(fitChoices([], [{ mean: 2, precision: 5 }]).theta, [2])
    const { theta } = fitChoices([yes([1], true)], [{ mean: 0, precision: 1 }])
    close(theta[0], 1 / (1 + Math.exp(theta[0])))
  })

  it('holds fixed values and finds the best others', () => {
    const choices = [yes([1, 1], true, 4), yes([1, 0], false, 2), yes([1, 0], true, 2)]
    const { theta } = fitChoices(choices, [
      { ...flat, fixedAt: 0.7 },
      { mean: 0, precision: 1 },
    ])
    assert.equal(theta[0], 0.7)
    close(theta[1], 4 / (1 + Math.exp(0.7 + theta[1])))
  })

  it('is at a minimum in every direction, with three alternatives and any weights', () => {
    const stream = random(5)
    const row = () => [stream.normal(), stream.normal(), 1]
    const choices = Array.from({ length: 60 }, (): Choice => ({
      alternatives: [row(), row(), [0, 0, 0]],
      chosen: stream.integer(0, 2),
      weight: 0.2 + stream.uniform(),
      group: 'one',
    }))
    const priors = [{ mean: 1, precision: 2 }, { mean: 0, precision: 10 }, { mean: 0, precision: 1 }] // prettier-ignore
    const { theta, nats } = fitChoices(choices, priors)
    for (const p of theta.keys()) {
      for (const step of [-1e-3, 1e-3]) {
        const at = theta.map((value, q) => value + (p === q ? step : 0))
        const there = fitChoices(choices, priors.map((prior, q) => ({ ...prior, fixedAt: at[q] }))) // prettier-ignore
        assert.ok(there.nats > nats, `${p} ${step}`)
      }
    }
  })

  it('has a standard error by hand: that of the log odds, and more where answers hang together', () => {
    const choices = Array.from({ length: 40 }, (_, i) => ({ ...yes([1], i % 4 > 0), group: `${i}` }))
    const { theta } = fitChoices(choices, [flat])
    close(standardError(choices, [flat], theta, 0), 1 / Math.sqrt(40 * (3 / 4) * (1 / 4)))
    const together = choices.map((choice, i) => ({ ...choice, group: i % 4 > 0 ? `${i % 2}` : 'none' }))
    assert.ok(standardError(together, [flat], theta, 0) > 2 * standardError(choices, [flat], theta, 0))
  })

  it('stays finite where the choices are told apart without an error', () => {
    const { theta } = fitChoices([yes([1e3], true), yes([-1e3], false)], [{ mean: 0, precision: 1 }])
    assert.ok(Number.isFinite(theta[0]) && theta[0] > 0)
  })
})
