import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { sampleImages, type Predictor } from '../diffusion/sample.ts'
import { scheduleFromAlphaBar } from '../diffusion/schedule.ts'
import { VariancePreserving } from '../diffusion/variance-preserving.ts'
import { DivergenceError } from '../errors.ts'
import { cat, full, zeros } from '../tensor/create.ts'
import { describeLibrary } from '../tensor/library.ts'
import { livingTensors, tensorScope } from '../tensor/scope.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { watchingStates } from './finite.ts'

const schedule = scheduleFromAlphaBar({ alphaBar: [0.9, 0.6, 0.3, 0.05], predictionType: 'x0' })
const process = new VariancePreserving({ schedule, timesteps: () => [3, 2, 1, 0] })
const sampler = process.sampler({ steps: 4, eta: 1 })

/** Draws three images of 1 × 2 × 2, of whose prediction `broken` have `value` at a step. */
function drawn(device: string, step: number, broken: number, value: number): { calls: number; x0: Tensor } {
  let calls = 0
  const predict: Predictor = (xt) => {
    if (++calls !== step) return xt.mul(0.5)
    return cat([full([broken, 1, 2, 2], value), zeros([3 - broken, 1, 2, 2])]).to(device)
  }
  const noise = zeros([3, 5, 1, 2, 2]).to(device)
  const counted = () => watchingStates((watch) => sampleImages({ predict, sampler, noise, watch }))
  try {
    return { x0: counted(), calls }
  } catch (error) {
    assert.ok(error instanceof DivergenceError)
    throw Object.assign(error, { calls })
  }
}

const devices = describeLibrary().cudaDevices > 0 ? ['cpu', 'cuda:0'] : ['cpu']

for (const device of devices) {
  describe(`states on ${device}`, () => {
    it('that are finite are as if nobody watched, and leave nothing behind', () => {
      const before = livingTensors()
      {
        using _scope = tensorScope()
        const { x0, calls } = drawn(device, 0, 0, 0)
        assert.deepEqual([x0.shape, calls], [[3, 1, 2, 2], 4])
      }
      assert.equal(livingTensors(), before)
    })

    it('that are not end the drawing with the first such step, and how many images it is of', () => {
      for (const [step, broken, value] of [
        [1, 1, NaN],
        [2, 2, Infinity],
        [4, 3, -Infinity],
      ]) {
        const before = livingTensors()
        {
          using _scope = tensorScope()
          assert.throws(() => drawn(device, step, broken, value), {
            name: DivergenceError.name,
            where: `drawing, step ${step} of 4 (t = ${4 - step})`,
            received: `NaN or infinity in ${broken} of 3 images, as the denoiser predicted`,
            // A GPU is not asked in between.
            calls: device === 'cpu' ? step : 4,
          })
        }
        assert.equal(livingTensors(), before)
      }
    })
  })
}
