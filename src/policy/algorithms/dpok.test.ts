import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { standardDeviation } from 'simple-statistics'
import { objective, optimum, shifted, shiftGradient, totalKl } from '../../diffusion/gaussian-chain.test-helper.ts'
import type { Sampler } from '../../diffusion/process.ts'
import { assertClose } from '../../diffusion/tensor-checks.test-helper.ts'
import { ConfigError, FormatError, RewardError, ScheduleError } from '../../errors.ts'
import { samplerOf } from '../../images/draw.ts'
import { policyOf, type GenerativeModel } from '../../networks/generative-model.ts'
import { Weights } from '../../networks/weights.ts'
import type { Reward } from '../../reward/reward.ts'
import { shapesModel } from '../../shapes/model.ts'
import { noGrad } from '../../tensor/autograd.ts'
import { full } from '../../tensor/create.ts'
import { useThreads } from '../../tensor/library.ts'
import { livingTensors, tensorScope } from '../../tensor/scope.ts'
import { readTrainingState, writeTrainingState } from '../../tensor/training-state.ts'
import { Dpok, DpokSettings } from './dpok.ts'
import {
  chainFor,
  elements,
  gaussianModel,
  linearReward,
  meanShifts,
  fullSampler,
  shiftsFrom,
} from '../gaussian-model.test-helper.ts'
import { rollOut } from '../rollout.ts'
import { trainableChange, type TrainableChange } from '../trainable.ts'
import { trajectoryKl } from '../trajectory-kl.ts'
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
import { predictedFeatures, ValueFunction } from '../policy-gradient/value.ts'

useThreads(1)

function dpok(
  trainable: TrainableChange,
  settings: Partial<DpokSettings>,
  {
    seed = 5,
    guidance = 1,
    reward = linearReward(1),
    prompts = ['low'],
    model = gaussianModel(),
    sampler = fullSampler,
  }: {
    seed?: number
    guidance?: number
    reward?: Reward
    prompts?: readonly string[]
    model?: GenerativeModel
    sampler?: Sampler
  } = {},
): Dpok {
  return new Dpok({
    model,
    trainable,
    reward,
    texts: prompts,
    sampler,
    guidance,
    seed,
    settings: DpokSettings.parse(settings),
  })
}

describe('DPOK at θ = θ_old', () => {
  it('has the gradient of Eq. 9 with summed log-density and summed KL', () => {
    using _scope = tensorScope()
    const [count, rewardSlope, alpha, beta] = [40, 0.7, 2, 0.3]
    const algorithm = dpok(
      shiftsFrom(startShifts),
      {
        ...oneFullUpdate,
        imagesDrawn: count,
        rolloutsPerIteration: count,
        value: false,
        rewardWeight: alpha,
        klWeight: beta,
      },
      { reward: linearReward(rewardSlope) },
    )
    const metrics = algorithm.step()
    const { steps } = fullSampler
    const rollouts = Array.from({ length: count }, (_, i) => handRollout(5, i, start, rewardSlope))
    const expected = [0, 0, 0, 0]
    for (const { index, t, sigma, meanPerPrediction } of steps.slice(0, 3)) {
      // ∂ log p/∂shift = Σ noise · (∂μ/∂shift)/σ;  ∂ KL/∂shift = D · shift · (∂μ/∂shift)²/σ²
      const score = rollouts.reduce((sum, { noise, reward }) => sum + reward * noise[index], 0) / count
      expected[t] =
        (-alpha * score * meanPerPrediction) / sigma +
        (beta * elements * start[t] * meanPerPrediction ** 2) / sigma ** 2
    }
    assertClose(gradientOf(algorithm)[1], expected, 1e-4)
    assertClose([metrics.reward_mean], [rollouts.reduce((sum, { reward }) => sum + reward, 0) / count], 1e-5)
    const chain = chainFor(fullSampler, { rewardSlope, klWeight: beta })
    // The last step is deterministic: it is no action, whatever its shift.
    const means = meanShifts(fullSampler, start).map((mean, i) => (i === 3 ? 0 : mean))
    assertClose([metrics.kl], [elements * totalKl(chain, shifted(chain, means))], 1e-4)
  })

  it('has the gradient of the closed objective in expectation (4 standard errors)', () => {
    using _scope = tensorScope()
    const count = 3000
    const [rewardSlope, beta] = [1, 0.5]
    // Away from the optimum, so that no gradient is near zero: reward and KL pull the same way.
    const start = [0, -0.2, -0.3, -0.1]
    const algorithm = dpok(
      shiftsFrom([[0, 0, 0, 0], start, [0, 0, 0, 0]]),
      { ...oneFullUpdate, imagesDrawn: count, rolloutsPerIteration: count, value: false, klWeight: beta },
      { reward: linearReward(rewardSlope) },
    )
    algorithm.step()
    const sampler = fullSampler
    const chain = chainFor(sampler, { rewardSlope, klWeight: beta })
    const exact = shiftGradient(chain, meanShifts(sampler, start))
    const found = gradientOf(algorithm)[1]
    const rollouts = Array.from({ length: count }, (_, i) => handRollout(5, i, start, rewardSlope))
    for (const { index, t, sigma, meanPerPrediction } of sampler.steps.slice(0, 3)) {
      const expected = -elements * exact[index] * meanPerPrediction
      const scores = rollouts.map(({ noise, reward }) => (reward * noise[index] * meanPerPrediction) / sigma)
      const error = (4 * standardDeviation(scores)) / Math.sqrt(count)
      assert.ok(Math.abs(expected) > 2 * error, `step ${index}: no gradient would pass, ${expected} ± ${error}`)
      assert.ok(Math.abs(found[t] - expected) < error, `step ${index}: ${found[t]}, exactly ${expected} ± ${error}`)
    }
  })

  it('uses V as fitted before the roll-outs were seen', () => {
    using _scope = tensorScope()
    const count = 12
    const seed = 5
    const settings = {
      ...oneFullUpdate,
      imagesDrawn: count,
      rolloutsPerIteration: count,
      klWeight: 0,
      advantageDecay: 1,
    }
    const algorithm = dpok(shiftsFrom(startShifts), settings, { seed })
    algorithm.step()

    const model = gaussianModel()
    const sampler = fullSampler
    const policy = model.with(shiftsFrom(startShifts).change)
    const reward = linearReward(1)
    const rollouts = rollOut(policy, reward, new Array<string>(count).fill('low'), (i) => [seed, 2, 0, i], {
      sampler,
      guidance: 1,
      batchSize: 1024,
      observer: predictedFeatures(policy, reward, sampler),
    })
    const unfitted = new ValueFunction(2, 4, seed, { learningRate: 1, updates: 1, batchSize: 1, memory: 1 })
    const values = unfitted.predict(rollouts).map((each) => each.toArray())
    assert.ok(values.flat().some((v) => Math.abs(v) > 1e-2))
    const expected = [0, 0, 0, 0]
    for (const { index, t, sigma, meanPerPrediction } of sampler.steps.slice(0, 3)) {
      const score = rollouts.rewards.reduce((sum, reward, i) => {
        const noise = handRollout(seed, i, start, 1).noise[index]
        return sum + ((reward - values[index][i]) * noise * meanPerPrediction) / sigma
      }, 0)
      expected[t] = -score / count
    }
    assertClose(gradientOf(algorithm)[1], expected, 1e-4)
  })

  it('sees no state through the reward where no value is learned', () => {
    using _scope = tensorScope()
    let seen = 0
    const counting = (): Reward => {
      const reward = linearReward(1)
      return { ...reward, features: (...given) => (seen++, reward.features(...given)) }
    }
    const settings = { ...oneFullUpdate, imagesDrawn: 8, rolloutsPerIteration: 8 }
    dpok(shiftsFrom(), { ...settings, value: false }, { reward: counting() }).step()
    assert.equal(seen, 0)
    dpok(shiftsFrom(), { ...settings, value: true }, { reward: counting() }).step()
    assert.equal(seen, fullSampler.steps.length)
  })

  it('sends the gradient through both branches of guidance', () => {
    using _scope = tensorScope()
    const guidance = 3
    const algorithm = dpok(
      shiftsFrom(),
      { ...oneFullUpdate, imagesDrawn: 8, rolloutsPerIteration: 8, value: false },
      { guidance },
    )
    algorithm.step()
    const [unconditional, conditional, other] = gradientOf(algorithm)
    // guided = (1 − w) · unconditional + w · conditional
    for (const t of [1, 2, 3]) {
      assert.ok(Math.abs(unconditional[t]) > 1e-3)
      assertClose([unconditional[t] / (1 - guidance)], [conditional[t] / guidance], 1e-4)
    }
    assert.deepEqual(other, [0, 0, 0, 0])
  })

  it('never trains on the step with σ = 0, value learning or not', () => {
    for (const value of [false, true]) {
      using _scope = tensorScope()
      const trainable = shiftsFrom(startShifts)
      const settings = { imagesDrawn: 60, rolloutsPerIteration: 10, transitionsPerRollout: 4, value, learningRate: 0.1 }
      const algorithm = dpok(trainable, settings)
      while (algorithm.done < algorithm.total) algorithm.step()
      const shift = trainable.parameters.get('shift')!.toArray()
      assertClose([shift[4]], [start[0]], 1e-7)
      for (const t of [1, 2, 3]) assert.notEqual(shift[4 + t], start[t])
    }
  })

  it('with the published choices has the gradient of the public code', () => {
    using _scope = tensorScope()
    const [count, alpha, beta] = [24, 3, 0.7]
    const algorithm = dpok(shiftsFrom(startShifts), {
      ...oneFullUpdate,
      imagesDrawn: count,
      rolloutsPerIteration: count,
      value: false,
      rewardWeight: alpha,
      klWeight: beta,
      published: true,
    })
    const metrics = algorithm.step()
    const { steps } = fullSampler
    const rollouts = Array.from({ length: count }, (_, i) => handRollout(5, i, start, 1))
    // loss = −mean(r · clamp(exp(Δ/D), …)) · α + mean((ε_θ − ε_pre)²) · β over transitions and elements
    const expected = [0, 0, 0, 0]
    for (const { index, t, sigma, alphaBar, meanPerPrediction } of steps.slice(0, 3)) {
      const score = rollouts.reduce((sum, { noise, reward }) => sum + reward * noise[index], 0) / count / elements
      const epsilonPerShift = Math.sqrt(alphaBar / (1 - alphaBar))
      expected[t] =
        ((-alpha * score * meanPerPrediction) / sigma + 2 * beta * epsilonPerShift ** 2 * start[t]) / stochasticSteps
    }
    assertClose(gradientOf(algorithm)[1], expected, 1e-4)
    assertClose([metrics.policy_loss], [-metrics.reward_mean], 1e-4)
    assert.ok(metrics.first_delta < 1e-3)
  })
})

describe('the first update of DPOK', () => {
  const brightness: Reward = {
    name: 'brightness',
    sha256: '',
    range: [-1, 1],
    score: (pixels) => pixels.flatten(1).mean(1),
    embedImages: (pixels) => pixels.flatten(1),
    features: (pixels) => pixels.flatten(2).mean(2),
  }

  for (const [minibatch, rollouts, transitionsPerRollout] of [
    [1, 1, 1],
    [7, 7, 1],
    [64, 32, 2],
  ]) {
    const settings = { gradientSteps: 1, transitionsPerRollout, imagesDrawn: rollouts, rolloutsPerIteration: rollouts }

    it(`moves from Δ = 0 within 1e-3 nats on the chain, minibatch ${minibatch}`, () => {
      using _scope = tensorScope()
      const { first_delta, clipfrac } = dpok(shiftsFrom(startShifts), settings, { guidance: 2 }).step()
      assert.ok(first_delta <= 1e-3, `${first_delta}`)
      assert.equal(clipfrac, 0)
    })

    it(`moves from Δ = 0 within 1e-3 nats on the embedded network, minibatch ${minibatch}`, () => {
      using _scope = tensorScope()
      const model = shapesModel(Weights.fresh(3), '')
      using _noGrad = noGrad()
      policyOf(model).predict(full([1, 3, 24, 24], 0), full([1], 5, 'int64'), model.encodeText(['']))
      _noGrad[Symbol.dispose]()
      const trainable = trainableChange(
        model,
        { parameters: 'text', rank: 2, loraAlpha: 2, loraLayers: ['attention'] },
        1,
      )
      const sampler = samplerOf(model, { steps: 4, eta: 1, guidance: 1 })
      const { first_delta } = new Dpok({
        model,
        trainable,
        reward: brightness,
        texts: ['red circles', 'two rings', 'a blue background with one cross'],
        sampler,
        guidance: 2,
        seed: 2,
        settings: DpokSettings.parse(settings),
      }).step()
      assert.ok(first_delta <= 1e-3, `${first_delta}`)
    })
  }
})

describe('DPOK where the optimum is known', () => {
  const chainOf = (klWeight: number) => chainFor(fullSampler, { rewardSlope: 0.5, klWeight })

  const rolloutsPerIteration = 48
  const settings = (updates: number) => ({
    rolloutsPerIteration,
    imagesDrawn: rolloutsPerIteration * updates,
    transitionsPerRollout: stochasticSteps,
    gradientSteps: 1,
    learningRate: 0.06,
    maxGradNorm: 1e9,
    valueLearningRate: 0.01,
    valueUpdates: 5,
  })

  function train(own: Partial<DpokSettings>, updates: number) {
    using _scope = tensorScope()
    const algorithm = dpok(shiftsFrom(), { ...settings(updates), ...own }, { reward: linearReward(0.5) })
    return meanShifts(fullSampler, trained(algorithm))
  }

  for (const value of [true, false]) {
    it(`reaches it ${value ? 'with' : 'without'} value learning`, () => {
      const chain = chainOf(0.5)
      const means = train({ value, klWeight: 0.5 }, value ? 80 : 120)
      assertGained(chain, means, 0.98)
      const { shifts } = optimum(chain)
      means.forEach((mean, i) => {
        const within = 0.25 * chain.steps[i].sigma
        assert.ok(Math.abs(mean - shifts[i]) <= within, `step ${i}: ${mean}, best ${shifts[i]} ± ${within}`)
      })
    })
  }

  it('reaches it on a model of flow matching, with value learning', () => {
    using _scope = tensorScope()
    const options = { reward: linearReward(0.5), model: flowChainModel(), sampler: flowSampler }
    const algorithm = dpok(shiftsFrom(), { ...settings(80), klWeight: 0.5, transitionsPerRollout: 4 }, options)
    const first = algorithm.step()
    const chain = flowChain({ rewardSlope: 0.5, klWeight: 0.5 })
    assertGained(chain, flowMeanShifts(trained(algorithm)), 0.95)
    assert.ok(first.first_delta < 1e-3 && first.value_loss !== undefined)
  })

  it('gives up reward for nearness as the KL weight grows', () => {
    const outcomes = [0.4, 0.8, 1.6].map((klWeight) => {
      const chain = chainOf(klWeight)
      const policy = shifted(chain, train({ klWeight }, 60))
      return {
        kl: totalKl(chain, policy),
        gain: objective({ ...chain, klWeight: 0 }, policy) - objective({ ...chain, klWeight: 0 }, chain.steps),
      }
    })
    assert.ok(outcomes[0].kl > outcomes[1].kl && outcomes[1].kl > outcomes[2].kl, JSON.stringify(outcomes))
    assert.ok(outcomes[0].gain > outcomes[1].gain && outcomes[1].gain > outcomes[2].gain, JSON.stringify(outcomes))
    assert.ok(outcomes[2].gain > 0)
  })
})

describe('a DPOK run', () => {
  const settings = { imagesDrawn: 50, rolloutsPerIteration: 9, learningRate: 0.05, klWeight: 0.1 }
  const prompts = ['low', 'high']
  const reward = linearReward(1, (text) => (text === 'high' ? 3 : 0))

  for (const value of [true, false]) {
    it(`continues from its saved state bit for bit, value learning ${value ? 'on' : 'off'}`, () => {
      const folder = mkdtempSync(join(tmpdir(), 'attune-'))
      try {
        using _scope = tensorScope()
        const whole = dpok(shiftsFrom(), { ...settings, value }, { reward, prompts })
        const uninterrupted = Array.from({ length: whole.total }, () => whole.step())
        assert.equal(uninterrupted.length, 6)
        assert.equal(uninterrupted[5].images_drawn, 50)

        const first = dpok(shiftsFrom(), { ...settings, value }, { reward, prompts })
        for (let i = 0; i < 3; i++) assert.deepEqual(first.step(), uninterrupted[i])
        const file = join(folder, 'state.safetensors')
        writeTrainingState(file, first.state())
        const second = dpok(shiftsFrom(), { ...settings, value }, { reward, prompts })
        {
          using _reading = tensorScope()
          second.load(readTrainingState(file))
        }
        assert.equal(second.done, 3)
        for (let i = 3; i < 6; i++) assert.deepEqual(second.step(), uninterrupted[i])
      } finally {
        rmSync(folder, { recursive: true })
      }
    })
  }

  it('leaves no tensor behind in an iteration, once V remembers as much as it will', () => {
    using _scope = tensorScope()
    const algorithm = dpok(shiftsFrom(), { ...settings, imagesDrawn: 90 }, { reward, prompts })
    for (let i = 0; i < 5; i++) algorithm.step()
    const before = livingTensors()
    for (let i = 0; i < 4; i++) algorithm.step()
    // Garbage collection may free abandoned ones of the beginning meanwhile.
    assert.ok(livingTensors() <= before)
  })

  it('logs how well V and the per-prompt mean foretell fresh roll-outs, from the second iteration on', () => {
    using _scope = tensorScope()
    const algorithm = dpok(
      shiftsFrom(),
      { ...settings, imagesDrawn: 40 * 64, rolloutsPerIteration: 64, valueLearningRate: 0.01, learningRate: 1e-3 },
      { reward, prompts },
    )
    assert.equal(algorithm.step().explained_variance, undefined)
    let last = algorithm.step()
    while (algorithm.done < algorithm.total) last = algorithm.step()
    assert.ok(last.explained_variance_prompt_mean! > 0.1, `${last.explained_variance_prompt_mean}`)
    assert.ok(last.explained_variance! > last.explained_variance_prompt_mean! + 0.05, JSON.stringify(last))
  })

  it('ends at a reward that teaches nothing', () => {
    using _scope = tensorScope()
    const constant: Reward = { ...reward, name: 'constant', score: (pixels) => full([pixels.shape[0]], 0.5) }
    const broken: Reward = { ...reward, name: 'broken', score: (pixels) => full([pixels.shape[0]], NaN) }
    for (const [taught, received] of [
      [constant, '0.5 for all 9 images'],
      [broken, 'NaN'],
    ] as const) {
      const algorithm = dpok(shiftsFrom(), settings, { reward: taught })
      const before = livingTensors()
      assert.throws(() => algorithm.step(), { name: RewardError.name, received })
      // Garbage collection may free abandoned ones meanwhile.
      assert.ok(livingTensors() <= before, `${livingTensors()} living tensors, ${before} before`)
    }
  })

  it('ends at a reward that has become constant: three iterations in a row, the count of which is part of its state', () => {
    using _scope = tensorScope()
    let isConstant = false
    const becoming: Reward = {
      ...reward,
      score: (pixels, texts) => (isConstant ? full([pixels.shape[0]], 0.5) : reward.score(pixels, texts)),
    }
    const begin = () => dpok(shiftsFrom(), { ...settings, imagesDrawn: 900 }, { reward: becoming })
    const algorithm = begin()
    const soundAfter = (constant: boolean) => {
      isConstant = constant
      algorithm.step()
      return algorithm.isSound
    }
    assert.deepEqual([false, true, true, false, true, true].map(soundAfter), [true, false, false, true, false, false])
    const resumed = begin()
    resumed.load(algorithm.state())
    for (const one of [algorithm, resumed]) {
      assert.throws(() => one.step(), { name: RewardError.name, received: '0.5 for all 9 images' })
    }
  })

  it('refuses a sampler without actions, and more updates than transitions', () => {
    using _scope = tensorScope()
    const model = gaussianModel()
    const options = { model, trainable: shiftsFrom(), reward, texts: prompts, guidance: 1, seed: 1 }
    const sampler = policyOf(model).process.sampler({ steps: 4, eta: 0 })
    assert.throws(() => new Dpok({ ...options, sampler, settings: DpokSettings.parse({}) }), ScheduleError)
    const tooMany = { rolloutsPerIteration: 1, transitionsPerRollout: 2, gradientSteps: 3 }
    assert.throws(() => dpok(shiftsFrom(), tooMany), ConfigError)
  })

  it('refuses the state of another run', () => {
    using _scope = tensorScope()
    const algorithm = dpok(shiftsFrom(), settings)
    assert.throws(() => algorithm.load({ tensors: new Map(), numbers: { iteration: 1 } }), FormatError)
  })

  it('has the trajectory KL that it reports', () => {
    using _scope = tensorScope()
    const model = gaussianModel()
    const trainable = shiftsFrom(startShifts)
    const sampler = fullSampler
    const { kl } = dpok(trainable, { ...oneFullUpdate, imagesDrawn: 4, rolloutsPerIteration: 4 }).step()
    const fresh = shiftsFrom(startShifts)
    const measured = trajectoryKl(model.with(fresh.change), ['low'], () => [1], { sampler, guidance: 1 })
    assertClose([kl], measured, 1e-4)
  })
})
