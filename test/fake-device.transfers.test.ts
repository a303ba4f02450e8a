/**
 * What a GPU would copy and wait for, counted on a device that is none (native/fake/device.cc). A copy makes the host wait as
 * reading does, and then the device for the host. These numbers must not grow.
 */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import { drawStages, samplerOf } from '../src/images/draw.ts'
import { openClip } from '../src/networks/clip/clip-encoder.ts'
import type { GenerativeModel } from '../src/networks/generative-model.ts'
import { openStableDiffusion } from '../src/networks/stable-diffusion/open.ts'
import { Dpok, DpokSettings } from '../src/policy/algorithms/dpok.ts'
import { trainableChange, trainableFields } from '../src/policy/trainable.ts'
import { rememberTexts } from '../src/reward/encoding/text-cache.ts'
import { clipReward } from '../src/reward/kinds/clip-model.ts'
import { constants, full, indexOf, ones, zeros } from '../src/tensor/create.ts'
import { useThreads } from '../src/tensor/library.ts'
import { tensorScope } from '../src/tensor/scope.ts'

process.env.ATTUNE_ADDON = fileURLToPath(new URL('fake-device/addon.ts', import.meta.url))
const { transfers } = await import('./fake-device/addon.ts')
useThreads(1)

interface Counts {
  /** Copies from the host to the device. */
  readonly up: number
  /** Times that the host reads, and waits for all that the device was asked for. */
  readonly read: number
}

function counted(work: () => void): Counts {
  const before = transfers()
  work()
  const after = transfers()
  return {
    up: after.copiesUp - before.copiesUp,
    read: after.copiesDown + after.items - before.copiesDown - before.items,
  }
}

function assertAtMost(found: Counts, most: Counts): void {
  assert.ok(
    found.up <= most.up && found.read <= most.read,
    `${JSON.stringify(found)}, more than ${JSON.stringify(most)}`,
  )
}

const less = (one: Counts, other: Counts): Counts => ({ up: one.up - other.up, read: one.read - other.read })
const nothing: Counts = { up: 0, read: 0 }

const fixture = (name: string) => fileURLToPath(new URL(`fixtures/stable-diffusion/${name}`, import.meta.url))
const device = 'cuda:0'
const open = (name: string): GenerativeModel =>
  openStableDiffusion(fixture(name), { device, dtype: 'bfloat16', imageSize: null, tiling: false }).model
const reward = clipReward('clip', rememberTexts(openClip(fixture('clip'), { device, dtype: 'float32' })))
const texts = ['a red apple on a table', 'four wolves in the park']
const lora = z.object(trainableFields).parse({ parameters: 'lora', rank: 2 })

interface Iteration {
  readonly steps?: number
  readonly texts?: readonly string[]
  readonly rolloutsPerIteration?: number
  readonly transitionsPerRollout?: number
  readonly gradientSteps?: number
}

/** Of an iteration of DPOK whose texts have been encoded, in batches of two roll-outs and of one transition. */
function iteration(
  model: GenerativeModel,
  { steps = 3, texts: own = texts.slice(0, 1), ...given }: Iteration = {},
): Counts {
  using _scope = tensorScope()
  const { rolloutsPerIteration = 2 } = given
  const settings = DpokSettings.parse({
    ...{ batchSize: 2, transitionsPerRollout: 2, gradientSteps: 1, valueUpdates: 1, ignoreRounding: true, ...given },
    ...{ rolloutsPerIteration, imagesDrawn: 2 * rolloutsPerIteration },
  })
  const trainer = new Dpok({
    ...{ model, reward, texts: own, settings, seed: 3, guidance: 5 },
    trainable: trainableChange(model, lora, 1),
    sampler: samplerOf(model, { steps, eta: 1, guidance: 5 }),
  })
  trainer.step()
  return counted(() => trainer.step())
}

function drawn(model: GenerativeModel, steps: number): Counts {
  using _scope = tensorScope()
  const requests = texts.map((text, index) => ({ text, seed: 1, index }))
  return counted(() => drawStages(model, requests, { steps, eta: 1, guidance: 5 }))
}

it('the device is as strict as CUDA, and counts what CUDA would copy and wait for', () => {
  using _scope = tensorScope()
  const there = zeros([2, 3], 'float32', device)
  assert.equal(there.device, device)
  assert.throws(() => there.add(ones([2, 3])), /same device/)
  assert.throws(() => there.matmul(ones([3, 1])), /same device/)
  assert.deepEqual(
    counted(() => there.add(2).mul(full([], 3))),
    nothing,
  )
  assert.deepEqual(
    counted(() => indexOf([1, 1], device)),
    nothing,
  )
  assert.deepEqual(
    counted(() => indexOf([4, 5, 6], device)),
    nothing,
  )
  assert.deepEqual(
    counted(() => constants([1, 5, 2], [3], device)),
    nothing,
  )
  assert.deepEqual(
    counted(() => indexOf([1, 0], device)),
    { up: 1, read: 0 },
  )
  assert.deepEqual(
    counted(() => there.toArray()),
    { up: 0, read: 1 },
  )
  assert.deepEqual(
    counted(() => there.sum().item()),
    { up: 0, read: 1 },
  )
  assert.deepEqual(indexOf([4, 5, 6], device).toArray(), [4, 5, 6])
  assert.deepEqual(constants([1, 5, 2], [3, 1], device).toArray(), [1, 5, 2])
})

for (const name of ['sd1', 'sdxl']) {
  describe(`what a GPU waits for, ${name}`, () => {
    const model = open(name)

    it('nothing in a step of sampling; noise goes up before, whether states are finite is read behind', () => {
      drawn(model, 2)
      const few = drawn(model, 3)
      assertAtMost(few, { up: 1, read: 1 })
      assert.deepEqual(less(drawn(model, 6), few), nothing)
    })

    it('nothing in a step of a roll-out, a transition, a batch of transitions or an update', () => {
      const few = iteration(model)
      for (const more of [{ steps: 6 }, { steps: 6, transitionsPerRollout: 4 }, { gradientSteps: 2 }])
        assertAtMost(less(iteration(model, more), few), nothing)
      // Noise; whether states are finite, what V sees, and images and texts for the reward.
      assertAtMost(less(iteration(model, { rolloutsPerIteration: 4 }), few), { up: 1, read: 4 })
    })

    it('one reading in the training part of an iteration, and what the host knows goes up before it', () => {
      const whole = iteration(model, { texts, gradientSteps: 2 })
      using _scope = tensorScope()
      // The autoencoder makes room for training, and comes back.
      const { up: codec } = counted(() => model.decode([zeros([1, 4, 8, 8], 'float32', device)]))
      // A text whose rounding is measured for the first time goes up to each text encoder once more.
      assertAtMost(whole, { up: codec + 8 + 2, read: 4 + 1 })
    })
  })
}

describe('what a GPU is asked to compute', () => {
  it('two products an adapter more in a step of sampling; conversions and sums are not among them', () => {
    using _scope = tensorScope()
    const model = open('sd1')
    const { change } = trainableChange(model, lora, 1)
    const operators = (policy: GenerativeModel, steps: number) => {
      const before = transfers().kernels
      drawn(policy, steps)
      return transfers().kernels - before
    }
    const ofStep = (policy: GenerativeModel) => operators(policy, 3) - operators(policy, 2)
    ofStep(model)
    // Views are counted as well: of what goes in, of `up`, and of what comes out.
    const most = 2 + 3
    const each = (ofStep(model.with(change)) - ofStep(model)) / change.adapters!.size
    assert.ok(each <= most, `${each} operators an adapter, more than ${most}`)
  })
})
