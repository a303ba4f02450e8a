/** Tensors of the device `meta` have shapes and no elements, and refuse to meet a tensor of another device. */
import assert from 'node:assert/strict'
import { it } from 'node:test'
import { tensor, zeros } from '../tensor/create.ts'
import { useThreads } from '../tensor/library.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { ddimSampler, ddimTransition } from './ddim.ts'
import { denoisingLoss } from './denoising-loss.ts'
import { gaussianKl, gaussianLogDensity, gaussianLogDensityPerElement, logDensityDifference } from './gaussian.ts'
import { guide } from './guidance.ts'
import { addNoise, predictionTarget, toX0AndEpsilon } from './prediction.ts'
import { sampleImages } from './sample.ts'
import { leadingTimesteps, linearSchedule } from './schedule.ts'
import { withoutLeak } from './tensor-checks.test-helper.ts'
import { cappedInverseNoise, VariancePreserving } from './variance-preserving.ts'

useThreads(1)

const shape = [2, 4, 3, 3]
const onMeta = (): Tensor => zeros(shape, 'float32', 'meta')
const timesteps = leadingTimesteps(1000, 5)

function expectOnMeta(found: Tensor, expected: readonly number[]): void {
  assert.deepEqual([found.device, found.dtype, found.shape], ['meta', 'float32', expected])
}

for (const type of ['epsilon', 'v', 'x0'] as const) {
  it(`${type}: everything is computed on the device of the states, wherever the noise levels are`, () => {
    withoutLeak(() => {
      const alphaBar = tensor([0.9, 0.2])
      const noisy = addNoise(onMeta(), onMeta(), alphaBar)
      expectOnMeta(noisy, shape)
      expectOnMeta(predictionTarget(onMeta(), onMeta(), alphaBar, type), shape)
      const said = toX0AndEpsilon(onMeta(), noisy, alphaBar, type)
      expectOnMeta(said.x0, shape)
      expectOnMeta(said.epsilon, shape)
      for (const weighting of [undefined, cappedInverseNoise(10)]) {
        const schedule = linearSchedule({ predictionType: type })
        const process = new VariancePreserving({
          schedule,
          timesteps: () => timesteps,
          ...(weighting && { weighting }),
        })
        const given = { prediction: onMeta(), x0: onMeta(), epsilon: onMeta(), t: tensor([700, 3], [2], 'int64') }
        expectOnMeta(denoisingLoss(process, given), [2])
      }
    })
  })

  it(`${type}: transitions, their densities and divergences, and drawing`, () => {
    withoutLeak(() => {
      for (const clipSample of [undefined, 1]) {
        const sampler = ddimSampler(linearSchedule({ predictionType: type }), timesteps, { clipSample })
        const { mean, sigma } = ddimTransition(guide(onMeta(), onMeta(), 7.5), onMeta(), [0, 3], sampler)
        expectOnMeta(mean, shape)
        expectOnMeta(sigma, [2])
        expectOnMeta(gaussianKl(mean, onMeta(), sigma), [2])
        expectOnMeta(gaussianLogDensity(onMeta(), mean, sigma), [2])
        expectOnMeta(gaussianLogDensityPerElement(onMeta(), mean, sigma), [2])
        expectOnMeta(logDensityDifference(onMeta(), mean, onMeta(), sigma), [2])
        const noise = zeros([2, 6, 4, 3, 3], 'float32', 'meta')
        const predict = (xt: Tensor, t: Tensor): Tensor => xt.mul(t.to('float32').reshape(2, 1, 1, 1))
        expectOnMeta(sampleImages({ predict, sampler, noise }), shape)
      }
    })
  })
}
