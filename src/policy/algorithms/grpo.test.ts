import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Sampler } from '../../diffusion/process.ts'
import { optimum, stateMoments } from '../../diffusion/gaussian-chain.test-helper.ts'
import { assertClose } from '../../diffusion/tensor-checks.test-helper.ts'
import { ConfigError } from '../../errors.ts'
import { samplerOf } from '../../images/draw.ts'
import type { GenerativeModel } from '../../networks/generative-model.ts'
import type { Reward } from '../../reward/reward.ts'
import { openShapes } from '../../shapes/open.ts'
import { full } from '../../tensor/create.ts'
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
import { groupAdvantages } from '../group-advantages.ts'
import {
  assertGained,
  flowChain,
  flowChainModel,
  flowMeanShifts,
  flowSampler,
  gradientOf,
  handRollout,
  oneFullUpdate,
  start,
  startShifts,
  stochasticSteps,
  trained,
} from '../policy-gradient/chain-training.test-helper.ts'
import { trainableChange, type TrainableChange } from '../trainable.ts'
import { Grpo, GrpoSettings } from './grpo.ts'

useThreads(1)

interface Setting {
  readonly model?: GenerativeModel
  readonly sampler?: Sampler
  readonly reward?: Reward
  readonly prompts?: readonly string[]
}

function grpo(
  trainable: TrainableChange,
  settings: Partial<GrpoSettings>,
  { model = gaussianModel(), sampler = fullSampler, reward = linearReward(1), prompts = ['low'] }: Setting = {},
): Grpo {
  const own = GrpoSettings.parse(settings)
  return new Grpo({ model, trainable, reward, texts: prompts, sampler, guidance: 1, seed: 5, settings: own })
}

describe('GRPO at θ = θ_old', () => {
  const [count, rewardSlope] = [24, 0.7]
  const settings = { ...oneFullUpdate, imagesDrawn: count, rolloutsPerIteration: count, groupSize: 8 }
  const rollouts = Array.from({ length: count }, (_, i) => handRollout(5, i, start, rewardSlope))
  const rewards = rollouts.map(({ reward }) => reward)

  for (const trustRegion of ['clip', 'guard', 'mask'] as const) {
    it(`has the gradient of −A Σ log p, by the noise of each step with guard: ${trustRegion}`, () => {
      using _scope = tensorScope()
      const options = { reward: linearReward(rewardSlope) }
      const algorithm = grpo(shiftsFrom(startShifts), { ...settings, trustRegion }, options)
      const { clipfrac, kl, kl_loss: klLoss, first_delta: delta } = algorithm.step()
      const advantages = groupAdvantages(rewards, rewards.map(() => 'low'), 'batch') // prettier-ignore
      const actions = fullSampler.steps.slice(0, stochasticSteps)
      const average = actions.reduce((sum, { sigma }) => sum + sigma, 0) / stochasticSteps
      const expected = [0, 0, 0, 0]
      for (const { index, t, sigma, meanPerPrediction } of actions) {
        const score = rollouts.reduce((sum, { noise }, i) => sum + advantages[i] * noise[index], 0) / count
        expected[t] = ((-score * meanPerPrediction) / sigma) * (trustRegion === 'guard' ? sigma / average : 1)
      }
      assertClose(gradientOf(algorithm)[1], expected, 1e-4)
      assert.deepEqual([clipfrac, kl, klLoss], [0, undefined, undefined])
      assert.ok(delta < 1e-3)
    })
  }

  it('adds the exact KL to the pre-trained model where it is weighed', () => {
    using _scope = tensorScope()
    const given = [0, 0.5].map((klWeight) => {
      const algorithm = grpo(shiftsFrom(startShifts), { ...settings, klWeight })
      return { metrics: algorithm.step(), gradient: gradientOf(algorithm)[1] }
    })
    const expected = [0, 0, 0, 0]
    let kl = 0
    for (const { t, sigma, meanPerPrediction } of fullSampler.steps.slice(0, stochasticSteps)) {
      const perShift = (elements * meanPerPrediction ** 2) / sigma ** 2
      kl += (perShift * start[t] ** 2) / 2
      expected[t] = 0.5 * perShift * start[t]
    }
    assertClose(given[1].gradient.map((own, t) => own - given[0].gradient[t]), expected, 1e-4) // prettier-ignore
    assertClose([given[1].metrics.kl!, given[1].metrics.kl_loss!], [kl, kl / 2], 1e-4)
  })

  it('trains on the steps of its window alone', () => {
    using _scope = tensorScope()
    const algorithm = grpo(shiftsFrom(startShifts), { ...settings, window: 1, windowOrder: 'moving' })
    algorithm.step()
    const [, low] = gradientOf(algorithm)
    // Times in the order of sampling: 3, 2, 1, and 0, the step that has no noise.
    assert.deepEqual(low.slice(0, 3), [0, 0, 0])
    assert.ok(Math.abs(low[3]) > 1e-3)
  })
})

describe('GRPO where the optimum is known', () => {
  const [groupSize, updates] = [24, 90]
  const settings = {
    groupSize,
    ...{ rolloutsPerIteration: 48, imagesDrawn: 48 * updates, klWeight: 1, gradientSteps: 2 },
    ...{ transitionsPerRollout: 4, learningRate: 0.06, maxGradNorm: 1e9 },
  }
  /** What a unit of reward is worth: advantages are divided by its deviation, and an image is compared with itself too. */
  const worth = (variance: number) => (1 - 1 / groupSize) / Math.sqrt(elements * variance)
  const { variance } = stateMoments(
    chainFor(fullSampler, { rewardSlope: 1, klWeight: 1 }),
    chainFor(fullSampler, { rewardSlope: 1, klWeight: 1 }).steps,
  )[4]

  for (const trustRegion of ['clip', 'guard', 'mask'] as const) {
    it(`reaches it on a chain of diffusion: ${trustRegion}`, () => {
      using _scope = tensorScope()
      const shift = trained(grpo(shiftsFrom(), { ...settings, trustRegion }))
      const means = meanShifts(fullSampler, shift)
      const chain = chainFor(fullSampler, { rewardSlope: worth(variance), klWeight: 1 })
      if (trustRegion !== 'guard') return assertGained(chain, means, 0.95)
      // Its surrogate weighs each step by its noise, and the KL does not.
      const actions = chain.steps.slice(0, stochasticSteps)
      const average = actions.reduce((sum, { sigma }) => sum + sigma, 0) / stochasticSteps
      optimum(chain)
        .shifts.slice(0, stochasticSteps)
        .forEach((best, i) => {
          const { sigma } = actions[i]
          const expected = (best * sigma) / average
          assert.ok(Math.abs(means[i] - expected) < 0.1 * sigma, `step ${i}: ${means[i]}, best ${expected}`)
        })
    })
  }

  it('reaches it on a chain of flow matching', () => {
    using _scope = tensorScope()
    const shift = trained(grpo(shiftsFrom(), settings, { model: flowChainModel(), sampler: flowSampler }))
    const { variance } = stateMoments(
      flowChain({ rewardSlope: 1, klWeight: 1 }),
      flowChain({ rewardSlope: 1, klWeight: 1 }).steps,
    )[4]
    assertGained(flowChain({ rewardSlope: worth(variance), klWeight: 1 }), flowMeanShifts(shift), 0.95)
  })
})

describe('a GRPO run', () => {
  const settings = { imagesDrawn: 48, rolloutsPerIteration: 12, groupSize: 4, learningRate: 0.05 }
  const bonus = (text: string) => (text === 'high' ? 3 : 0)

  it('learns nothing of groups without spread, and counts them', () => {
    using _scope = tensorScope()
    const reward = linearReward(1, bonus)
    let isConstant = false
    const some: Reward = {
      ...reward,
      score: (pixels, texts) => (isConstant ? full([texts.length], 0.3) : reward.score(pixels, texts)),
    }
    const trainable = shiftsFrom()
    const algorithm = grpo(trainable, settings, { reward: some, prompts: ['low', 'high'] })
    assert.equal(algorithm.step().idle_share, 0)
    isConstant = true
    const { idle_share: idle, policy_loss: loss, grad_norm: norm } = algorithm.step()
    assert.deepEqual([idle, Math.abs(loss), norm], [1, 0, 0])
    assert.ok(trainable.parameters.get('shift')!.toArray().every(Number.isFinite))
  })

  it('ends where a reward sees the prompt alone: nothing differs within a group', () => {
    using _scope = tensorScope()
    const blind: Reward = { ...linearReward(0, bonus), name: 'blind' }
    const algorithm = grpo(shiftsFrom(), settings, { reward: blind, prompts: ['low', 'high'] })
    assert.throws(() => algorithm.step(), /differ between images, received the same for all 4 images of each prompt/)
  })

  it('refuses images that are no whole groups, and a window of more steps than have noise', () => {
    using _scope = tensorScope()
    for (const wrong of [{ groupSize: 5 }, { imagesDrawn: 50 }, { window: 4 }]) {
      assert.throws(() => grpo(shiftsFrom(), { ...settings, ...wrong }), ConfigError)
    }
  })

  for (const name of ['shapes', 'shapes-flow'] as const) {
    it(`makes the images of the embedded world redder within some iterations: ${name}`, () => {
      using _scope = tensorScope()
      const { model } = openShapes(name)
      const red: Reward = { ...linearReward(1), score: (pixels) => pixels.slice(1, 0, 1).flatten(1).mean(1) }
      const algorithm = grpo(
        trainableChange(model, { parameters: 'text', rank: 2, loraAlpha: 2, loraLayers: ['attention'] }, 1),
        {
          ...{ imagesDrawn: 160, rolloutsPerIteration: 32, groupSize: 8, window: 2, sharedNoise: true },
          ...{ transitionsPerRollout: 2, gradientSteps: 2, learningRate: 0.01 },
        },
        {
          ...{ model, reward: red, prompts: ['two circles', 'a cross'] },
          sampler: samplerOf(model, { steps: 4, eta: 0.7, guidance: 1 }),
        },
      )
      const rows = Array.from({ length: algorithm.total }, () => algorithm.step())
      const [before, after] = [rows[0], rows.at(-1)!].map((row) => row.reward_mean)
      assert.ok(after > before + 0.05, `${rows.map((row) => row.reward_mean).join()}`)
    })
  }
})
