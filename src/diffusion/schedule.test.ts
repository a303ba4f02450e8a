import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { ScheduleError } from '../errors.ts'
import { fixture } from './fixture.test-helper.ts'
import {
  cosineSchedule,
  leadingTimesteps,
  linearSchedule,
  linspaceTimesteps,
  powerTimesteps,
  scaledLinearSchedule,
  scheduleFromAlphaBar,
  scheduleFromBetas,
  trailingTimesteps,
  zeroTerminalSnr,
} from './schedule.ts'

describe('schedules', () => {
  for (const [name, schedule] of [
    ['linear', linearSchedule()],
    ['scaledLinear', scaledLinearSchedule()],
    ['cosine', cosineSchedule()],
  ] as const) {
    it(`${name}: ᾱ is that of diffusers, which keeps it in float32`, () => {
      for (const [t, expected] of Object.entries(fixture.alphaBar[name])) {
        const actual = schedule.alphaBar[Number(t)]
        assert.ok(Math.abs(actual / expected - 1) < 1e-4, `ᾱ at ${t}: ${actual}, diffusers ${expected}`)
      }
    })
  }

  it('multiplies betas up', () => {
    const { alphaBar, predictionType } = scheduleFromBetas({ betas: [0.5, 0.5, 1], predictionType: 'x0' })
    assert.deepEqual([...alphaBar], [0.5, 0.25, 0])
    assert.equal(predictionType, 'x0')
  })

  it('zero terminal SNR by hand: √ᾱ is shifted to 0 at the end and scaled back at the beginning', () => {
    const { alphaBar, predictionType } = zeroTerminalSnr(
      scheduleFromAlphaBar({ alphaBar: [0.81, 0.25, 0.01], predictionType: 'v' }),
    )
    const expected = [0.81, (0.4 * (0.9 / 0.8)) ** 2, 0]
    expected.forEach((value, t) => assert.ok(Math.abs(alphaBar[t] - value) < 1e-15, `ᾱ at ${t}: ${alphaBar[t]}`))
    assert.deepEqual([alphaBar[2], predictionType], [0, 'v'])
    assert.throws(() => zeroTerminalSnr(scheduleFromAlphaBar({ alphaBar: [0.5] })), ScheduleError)
  })

  it('keeps its own copy of ᾱ', () => {
    const given = [0.9, 0.5]
    const schedule = scheduleFromAlphaBar({ alphaBar: given })
    given[0] = 0
    assert.equal(schedule.alphaBar[0], 0.9)
  })

  it('refuses an ᾱ that does not fall, leaves [0, 1), or is not there', () => {
    for (const alphaBar of [[], [1, 0.5], [0.5, 0.5], [0.5, 0.6], [0.5, -0.1], [NaN]]) {
      assert.throws(() => scheduleFromAlphaBar({ alphaBar }), ScheduleError)
    }
    assert.throws(() => scheduleFromBetas({ betas: [0.1, 0] }), ScheduleError)
    assert.throws(() => scheduleFromBetas({ betas: [0.1, 1.1] }), ScheduleError)
  })
})

describe('sampling times', () => {
  it('are those of diffusers', () => {
    const spacings = { leading: leadingTimesteps, trailing: trailingTimesteps, linspace: linspaceTimesteps }
    for (const { spacing, steps, timesteps } of fixture.timesteps) {
      assert.deepEqual(spacings[spacing](1000, steps), timesteps, `${spacing}, ${steps} steps`)
    }
    assert.deepEqual(leadingTimesteps(1000, 50, 1).slice(0, 2), [981, 961])
  })

  it('power: denser at high noise, rounded', () => {
    assert.deepEqual(powerTimesteps(1000, 4, 1.5, 995), [995, 871, 643, 349])
  })

  it('power: distinct for any number of steps that fits', () => {
    const given = fc.record({
      steps: fc.integer({ min: 1, max: 300 }),
      power: fc.double({ min: 0.2, max: 5, noNaN: true }),
    })
    fc.assert(
      fc.property(given, ({ steps, power }) => {
        const timesteps = powerTimesteps(300, steps, power, 299)
        assert.equal(new Set(timesteps).size, steps)
        assert.ok(timesteps.every((t, i) => i === 0 || t < timesteps[i - 1]))
        assert.ok(timesteps[0] === 299 && timesteps[steps - 1] >= 0)
      }),
    )
  })

  it('refuse more steps than times, none, and times beyond the schedule', () => {
    assert.throws(() => powerTimesteps(300, 301, 1.5, 299), ScheduleError)
    assert.throws(() => trailingTimesteps(10, 11), ScheduleError)
    assert.throws(() => linspaceTimesteps(10, 0), ScheduleError)
    assert.throws(() => leadingTimesteps(10, 10, 1), ScheduleError)
  })
})
