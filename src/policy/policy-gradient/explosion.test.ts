import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { DivergenceError } from '../../errors.ts'
import { expectNear, isNear } from './explosion.ts'

/** Of a trajectory of the embedded model, and of Stable Diffusion's in 50 steps. */
const [shapes, stableDiffusion] = [10 * 3 * 24 * 24, 50 * 4 * 64 * 64]

describe('an explosion of a policy gradient', () => {
  it('is a ratio that float32 does not hold', () => {
    expectNear({ approxKl: 87 ** 2 / 2, kl: 1 }, shapes)
    for (const logRatio of [89, 1e6, Infinity, NaN]) {
      assert.throws(() => expectNear({ approxKl: logRatio ** 2 / 2, kl: 1 }, shapes), {
        name: DivergenceError.name,
        message: /^log-ratio .*: expected at most 88 nats, received (89\.0|1\.00e\+6|Infinity|NaN) nats/,
      })
    }
  })

  it('is a KL by which means have moved by a third of the noise, or of 1,000 nats where there are few numbers', () => {
    for (const [numbers, most] of [
      [12, 1000],
      [shapes, 1000],
      [stableDiffusion, 40_960],
    ] as const) {
      expectNear({ approxKl: 1, kl: 0.99 * most }, numbers)
      for (const kl of [1.01 * most, Infinity, NaN]) {
        assert.throws(() => expectNear({ approxKl: 1, kl }, numbers), /^DivergenceError: KL to the pre-trained model/)
      }
    }
  })

  it('is far from what runs reach that learn, and begins where a checkpoint is not gone on from', () => {
    // Without a KL weight the embedded model's policy drifts to 15 nats (docs/log.md); with ten times the usual learning
    // rate it comes back from 224, with a hundred times from 3,765 it does not.
    assert.ok(isNear({ approxKl: 1.2 ** 2 / 2, kl: 15 }, shapes) && isNear({ approxKl: 1, kl: 224 }, shapes))
    assert.ok(!isNear({ approxKl: 1, kl: 300 }, shapes) && !isNear({ approxKl: 30 ** 2 / 2, kl: 1 }, shapes))
  })
})
