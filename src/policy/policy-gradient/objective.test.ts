/** Losses and their gradients, against PyTorch's Normal and the papers' formulas: test/fixtures/policy-gradient.py. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import type { Sampler } from '../../diffusion/process.ts'
import { logDensityDifference } from '../../diffusion/gaussian.ts'
import { assertClose, assertGradient } from '../../diffusion/tensor-checks.test-helper.ts'
import { gradients } from '../../tensor/autograd.ts'
import { tensor } from '../../tensor/create.ts'
import { useThreads } from '../../tensor/library.ts'
import { tensorScope } from '../../tensor/scope.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { fullSampler } from '../gaussian-model.test-helper.ts'
import { boundedObjective, guardedObjective, maskedObjective, summedObjective, type Objective } from './objective.ts'
import type { Transitions } from './transitions.ts'
import { divergenceMask, normalisedLogRatio } from './trust-region.ts'

useThreads(1)

interface Answer {
  readonly loss: number[]
  readonly gradient: number[]
  readonly bounded: boolean[]
}
const fixture = JSON.parse(
  readFileSync(new URL('../../../test/fixtures/policy-gradient.json', import.meta.url), 'utf8'),
) as Readonly<Record<'sigma' | 'x' | 'old' | 'mean' | 'advantage' | 'shape', number[]>> & {
  readonly clip: number
  readonly average: number
  readonly clipped: Answer
  readonly guarded: Answer & { readonly logRatio: number[] }
  readonly masked: Answer
}
const states = (name: 'x' | 'old' | 'mean') => tensor(fixture[name], fixture.shape, 'float64')
const rows = (name: 'sigma' | 'advantage') => tensor(fixture[name], undefined, 'float64')
const count = fixture.shape[0]

/** Of the fixture's transitions, with this mean in the place of the policy's. */
function seenAt(mean: Tensor) {
  const [x, old, sigma] = [states('x'), states('old'), rows('sigma')]
  const transitions = { xPrev: x, xt: x, oldMean: old, advantage: rows('advantage') } as unknown as Transitions
  const policy = { prediction: mean, action: { mean, sigma } }
  return {
    transitions,
    policy,
    sampler: undefined as unknown as Sampler,
    delta: logDensityDifference(x, mean, old, sigma),
  }
}

const objectives = {
  clipped: summedObjective(fixture.clip),
  guarded: guardedObjective(fixture.clip, fixture.average),
  masked: maskedObjective(fixture.clip),
}

for (const [name, objective] of Object.entries(objectives) as [keyof typeof objectives, Objective][]) {
  describe(`the ${name} objective`, () => {
    it('has the loss, the gradient and the bounded terms of the formula by PyTorch', () => {
      using _scope = tensorScope()
      const mean = states('mean').requireGrad()
      const seen = seenAt(mean)
      const loss = objective.surrogate(seen)
      const { loss: wanted, gradient, bounded } = fixture[name]
      assertClose(loss.toArray(), wanted, 1e-9)
      assertClose(gradients([loss.sum()], [mean])[0]!.toArray(), gradient, 1e-9)
      assert.deepEqual(objective.bounded(seen).to('float32').toArray().map(Boolean), bounded)
      assert.ok(bounded.includes(true) && bounded.includes(false))
    })

    it('has the gradient of −A log p where nothing has changed, by the noise of the step where it is normalised', () => {
      using _scope = tensorScope()
      const mean = states('old').requireGrad()
      const found = gradients([objective.surrogate(seenAt(mean)).sum()], [mean])[0]!.toArray()
      const size = found.length / count
      const wanted = fixture.x.map((x, i) => {
        const row = Math.floor(i / size)
        const sigma = fixture.sigma[row]
        const weight = name === 'guarded' ? sigma / fixture.average : 1
        return (-fixture.advantage[row] * weight * (x - fixture.old[i])) / sigma ** 2
      })
      assertClose(found, wanted, 1e-9)
    })
  })
}

describe('the normalised log-ratio', () => {
  it('is the published one, a mean of ε · Δμ, times the number of elements', () => {
    using _scope = tensorScope()
    const found = normalisedLogRatio(states('x'), states('mean'), states('old'), rows('sigma')).toArray()
    const size = fixture.x.length / count
    assertClose(found.map((sum) => sum / size), fixture.guarded.logRatio, 1e-9) // prettier-ignore
    const wanted = Array.from({ length: count }, (_, row) => {
      let sum = 0
      for (let i = row * size; i < (row + 1) * size; i++) {
        sum += ((fixture.x[i] - fixture.old[i]) / fixture.sigma[row]) * (fixture.mean[i] - fixture.old[i])
      }
      return sum
    })
    assertClose(found, wanted, 1e-9)
  })

  it('takes a deviation for every element, and is differentiable', () => {
    using _scope = tensorScope()
    const sigma = rows('sigma')
      .reshape(count, 1, 1, 1)
      .expand(...fixture.shape)
    assertClose(
      normalisedLogRatio(states('x'), states('mean'), states('old'), sigma).toArray(),
      normalisedLogRatio(states('x'), states('mean'), states('old'), rows('sigma')).toArray(),
    )
    const at = (given: number[]) => tensor(given, [2, 1], 'float64')
    assertGradient(
      (mean) => normalisedLogRatio(at([1, 2]), mean, at([0.5, 0.4]), tensor([0.2, 0.7], undefined, 'float64')),
      [0.3, 0.9],
      [2, 1],
    )
  })
})

describe('the divergence mask', () => {
  it('has terms that are far, and would go further', () => {
    using _scope = tensorScope()
    const masked = (delta: number, advantage: number, kl: number) =>
      divergenceMask(tensor([delta]), tensor([advantage]), tensor([kl]), 0.1)
        .to('float32')
        .item() === 1
    assert.deepEqual(
      [masked(0.5, 1, 0.2), masked(-0.5, -1, 0.2), masked(-0.5, 1, 0.2), masked(0.5, -1, 0.2), masked(0.5, 1, 0.05)],
      [true, true, false, false, false],
    )
    assert.equal(masked(0.5, 0, 0.2), false)
  })
})

describe('the objective of a trust region', () => {
  it('is normalised by the average deviation of the stochastic steps', () => {
    using _scope = tensorScope()
    const stochastic = fullSampler.steps.filter((step) => step.stochastic)
    const average = stochastic.reduce((sum, { sigma }) => sum + sigma, 0) / stochastic.length
    const settings = { trustRegion: 'guard', clipRange: 0.3, ignoreRounding: false } as const
    const [found, wanted] = [boundedObjective(settings, fullSampler), guardedObjective(0.3, average)].map((one) =>
      one.surrogate(seenAt(states('mean'))).toArray(),
    )
    assertClose(found, wanted, 1e-6)
  })
})
