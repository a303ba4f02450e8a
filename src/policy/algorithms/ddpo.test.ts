import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { stateMoments } from '../../diffusion/gaussian-chain.test-helper.ts'
import { assertClose } from '../../diffusion/tensor-checks.test-helper.ts'
import { ScheduleError } from '../../errors.ts'
import { policyOf } from '../../networks/generative-model.ts'
import type { Reward } from '../../reward/reward.ts'
import { useThreads } from '../../tensor/library.ts'
import { tensorScope } from '../../tensor/scope.ts'
import {
  chainFor,
  elements,
  fullSampler,
  gaussianModel,
  linearReward,
  meanShifts,
  shiftsFrom,
} from '../gaussian-model.test-helper.ts'
import {
  assertGained,
  gradientOf,
  handRollout,
  oneFullUpdate,
  start,
  startShifts,
  stochasticSteps,
  trained,
} from '../policy-gradient/chain-training.test-helper.ts'
import type { TrainableChange } from '../trainable.ts'
import { Ddpo, DdpoSettings } from './ddpo.ts'

useThreads(1)

const ddpo = (
  trainable: TrainableChange,
  settings: Partial<DdpoSettings>,
  reward: Reward = linearReward(1),
  texts: readonly string[] = ['low'],
) =>
  new Ddpo({
    ...{ model: gaussianModel(), trainable, reward, texts, sampler: fullSampler, guidance: 1, seed: 5 },
    settings: DdpoSettings.parse(settings),
  })

describe('DDPO', () => {
  it('has the gradient of −A Σ log p at θ = θ_old, with the latest rewards of the prompt in A', () => {
    using _scope = tensorScope()
    const [count, promptMemory] = [20, 8]
    const algorithm = ddpo(shiftsFrom(startShifts), {
      ...{ ...oneFullUpdate, imagesDrawn: count, rolloutsPerIteration: count, promptMemory },
    })
    const metrics = algorithm.step()
    const rollouts = Array.from({ length: count }, (_, i) => handRollout(5, i, start, 1))
    const latest = rollouts.slice(-promptMemory).map(({ reward }) => reward)
    const mean = latest.reduce((sum, reward) => sum + reward, 0) / promptMemory
    const deviation = Math.sqrt(latest.reduce((sum, reward) => sum + (reward - mean) ** 2, 0) / promptMemory)
    const expected = [0, 0, 0, 0]
    for (const { index, t, sigma, meanPerPrediction } of fullSampler.steps.slice(0, stochasticSteps)) {
      const score = rollouts.reduce((sum, { noise, reward }) => {
        const advantage = Math.min(5, Math.max(-5, (reward - mean) / (deviation + 1e-6)))
        return sum + advantage * noise[index]
      }, 0)
      expected[t] = (-score * meanPerPrediction) / sigma / count
    }
    assertClose(gradientOf(algorithm)[1], expected, 1e-4)
    assert.deepEqual([metrics.own_statistics, metrics.kl, metrics.clipfrac], [1, undefined, 0])
  })

  it('reaches the optimum of a chain, with a KL', () => {
    using _scope = tensorScope()
    const updates = 90
    const settings = {
      ...{ rolloutsPerIteration: 48, imagesDrawn: 48 * updates, klWeight: 1, gradientSteps: 2, promptMemory: 96 },
      ...{ transitionsPerRollout: stochasticSteps, learningRate: 0.06, maxGradNorm: 1e9 },
    }
    const means = meanShifts(fullSampler, trained(ddpo(shiftsFrom(), settings)))
    const plain = chainFor(fullSampler, { rewardSlope: 1, klWeight: 1 })
    const { variance } = stateMoments(plain, plain.steps)[4]
    assertGained({ ...plain, rewardSlope: 1 / Math.sqrt(elements * variance) }, means, 0.95)
  })

  it('does not take the worth of a prompt for that of its images', () => {
    using _scope = tensorScope()
    const bonus = (text: string) => (text === 'high' ? 100 : 0)
    const settings = { imagesDrawn: 96, rolloutsPerIteration: 32, promptMemory: 16, learningRate: 1e-4 }
    const algorithm = ddpo(shiftsFrom(), settings, linearReward(1, bonus), ['low', 'high'])
    const first = algorithm.step()
    assert.equal(first.own_statistics, 1)
    // With the batch's statistics every |A| would be 1 and the loss of a prompt far from 0.
    assert.ok(Math.abs(first.policy_loss) < 0.5, `${first.policy_loss}`)
  })

  it('refuses a sampler without noise', () => {
    using _scope = tensorScope()
    const model = gaussianModel()
    const sampler = policyOf(model).process.sampler({ steps: 4, eta: 0 })
    const given = { model, trainable: shiftsFrom(), reward: linearReward(1), texts: ['low'], sampler, guidance: 1 }
    assert.throws(() => new Ddpo({ ...given, seed: 1, settings: DdpoSettings.parse({}) }), ScheduleError)
  })
})
