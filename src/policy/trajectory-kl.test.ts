import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { shifted, totalKl } from '../diffusion/gaussian-chain.test-helper.ts'
import { assertClose, withoutLeak } from '../diffusion/tensor-checks.test-helper.ts'
import type { StreamPath } from '../streams.ts'
import { tensorScope } from '../tensor/scope.ts'
import { chainFor, elements, gaussianModel, meanShifts, fullSampler, shiftsFrom } from './gaussian-model.test-helper.ts'
import { bestOfNKl, trajectoryKl } from './trajectory-kl.ts'

/** Without a shift in the deterministic step, which has no KL. */
const rows = [
  [0, 0.2, 0.1, -0.1],
  [0, -0.2, 0.4, 0.1],
  [0, 0.5, 0, 0.3],
]

function exact(shift: readonly number[]): number {
  const sampler = fullSampler
  const chain = chainFor(sampler, { rewardSlope: 1, klWeight: 1 })
  return elements * totalKl(chain, shifted(chain, meanShifts(sampler, shift)))
}

describe('the trajectory KL', () => {
  it('is that of the closed chain, summed over steps and elements, one number a text', () => {
    withoutLeak(() => {
      const model = gaussianModel()
      const policy = model.with(shiftsFrom(rows).change)
      const texts = ['low', 'high', 'low', '', 'high']
      const sampler = fullSampler
      const asked: number[] = []
      const noisePath = (i: number): StreamPath => [1, asked.push(i)]
      const found = trajectoryKl(policy, texts, noisePath, { sampler, guidance: 1, batchSize: 2 })
      assert.deepEqual(asked, [0, 1, 2, 3, 4])
      const [empty, low, high] = rows.map(exact)
      assertClose(found, [low, high, low, empty, high], 1e-4)
    })
  })

  it('is that of the guided policy', () => {
    using _scope = tensorScope()
    const model = gaussianModel()
    const policy = model.with(shiftsFrom(rows).change)
    const found = trajectoryKl(policy, ['low'], () => [1], { sampler: fullSampler, guidance: 2.5 })
    const guided = rows[1].map((shift, t) => rows[0][t] + 2.5 * (shift - rows[0][t]))
    assertClose(found, [exact(guided)], 1e-4)
  })

  it('is exactly 0 for the pre-trained model', () => {
    using _scope = tensorScope()
    const model = gaussianModel()
    assert.deepEqual(
      trajectoryKl(model, ['low', ''], (i) => [i], { sampler: fullSampler, guidance: 2 }),
      [0, 0],
    )
  })

  it('does not count the deterministic step', () => {
    using _scope = tensorScope()
    const model = gaussianModel()
    const policy = model.with(shiftsFrom(rows.map(() => [9, 0, 0, 0])).change)
    assert.deepEqual(
      trajectoryKl(policy, ['low'], () => [1], { sampler: fullSampler, guidance: 1 }),
      [0],
    )
  })
})

describe('the KL of best-of-n', () => {
  it('by hand', () => {
    assertClose([1, 2, 4].map(bestOfNKl), [0, Math.log(2) - 0.5, Math.log(4) - 0.75])
  })

  it('is the integral over ranks: the density of the best is n uⁿ⁻¹ against 1', () => {
    const n = 5
    const points = 20_000
    let sum = 0
    for (let i = 0; i < points; i++) {
      const density = n * ((i + 0.5) / points) ** (n - 1)
      sum += (density * Math.log(density)) / points
    }
    assertClose([bestOfNKl(n)], [sum], 1e-6)
  })
})
