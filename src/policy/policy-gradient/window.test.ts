import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { FlowMatching, shiftedSigmas } from '../../diffusion/flow-matching.ts'
import type { Sampler } from '../../diffusion/process.ts'
import { ConfigError } from '../../errors.ts'
import { random } from '../../random.ts'
import { process } from '../gaussian-model.test-helper.ts'
import { expectWindow, windowed } from './window.ts'

const flow = new FlowMatching({ sigmas: shiftedSigmas(1) })
const stochastic = ({ steps }: Sampler) => steps.filter((step) => step.stochastic).map(({ index }) => index)

describe('a window of stochastic steps', () => {
  it('has the steps of the sampler inside, and those of η = 0 outside: diffusion and flow', () => {
    for (const [whole, still] of [
      [process.sampler({ steps: 4, eta: 1 }), process.sampler({ steps: 4, eta: 0 })],
      [flow.sampler({ steps: 4, eta: 0.7 }), flow.sampler({ steps: 4, eta: 0 })],
    ] as [Sampler, Sampler][]) {
      const { steps, eta, name } = whole.stochasticWithin(1, 3)
      assert.deepEqual(steps, [still.steps[0], whole.steps[1], whole.steps[2], still.steps[3]])
      assert.deepEqual([eta, name], [whole.eta, whole.name])
    }
  })

  it('is drawn among the first half of the steps, everywhere in it', () => {
    const settings = { window: 2, windowOrder: 'drawn', windowIterations: 1 } as const
    const sampler = flow.sampler({ steps: 10, eta: 0.7 })
    const drawn = Array.from({ length: 60 }, (_, i) => stochastic(windowed(sampler, settings, i, random(i))).join())
    assert.deepEqual([...new Set(drawn)].sort(), ['0,1', '1,2', '2,3', '3,4'])
  })

  it('moves from the noisy end on, and begins again', () => {
    const settings = { window: 2, windowOrder: 'moving', windowIterations: 3 } as const
    // The last of the four is deterministic by itself.
    const sampler = process.sampler({ steps: 4, eta: 1 })
    const places = Array.from({ length: 8 }, (_, i) => stochastic(windowed(sampler, settings, i, random(i)))[0])
    assert.deepEqual(places, [0, 0, 0, 1, 1, 1, 0, 0])
  })

  it('leaves the sampler as it is where there is none, and is refused where it has more steps than that', () => {
    const sampler = process.sampler({ steps: 4, eta: 1 })
    const settings = { window: null, windowOrder: 'drawn', windowIterations: 1 } as const
    assert.equal(windowed(sampler, settings, 0, random(0)), sampler)
    expectWindow({ ...settings, window: 3 }, sampler)
    assert.deepEqual(stochastic(windowed(sampler, { ...settings, window: 3 }, 5, random(0))), [0, 1, 2])
    assert.throws(() => expectWindow({ ...settings, window: 4 }, sampler), ConfigError)
  })
})
