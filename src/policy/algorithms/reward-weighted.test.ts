import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { meanReward, shifted } from '../../diffusion/gaussian-chain.test-helper.ts'
import { ConfigError, RewardError } from '../../errors.ts'
import type { PretrainingSource } from '../../images/open-model.ts'
import { random, seedOf } from '../../random.ts'
import type { Reward } from '../../reward/reward.ts'
import { policyStreams } from '../../streams.ts'
import { randn, tensor } from '../../tensor/create.ts'
import { Generator } from '../../tensor/generator.ts'
import { useThreads } from '../../tensor/library.ts'
import { tensorScope } from '../../tensor/scope.ts'
import {
  chainFor,
  fullSampler,
  gaussianModel,
  linearReward,
  meanShifts,
  offset,
  process,
  schedule,
  shiftsFrom,
  slope,
} from '../gaussian-model.test-helper.ts'
import type { ScoredImage } from '../algorithm.ts'
import { drawFreshImages } from '../fresh-images.ts'
import { drawPrompts } from '../prompt-groups.ts'
import { RewardWeighted, RewardWeightedSettings } from './reward-weighted.ts'

useThreads(1)

const x0Of = (level: number) => level / 127.5 - 1
/** Grey pictures of 2 × 2 as x_0, [N, 1, 2, 2]. */
const statesOf = (levels: readonly number[]) => ({
  x0: tensor(
    levels.flatMap((level) => new Array<number>(4).fill(x0Of(level))),
    [levels.length, 1, 2, 2],
  ),
  earlier: [],
})

/** Grey pictures around the middle, the lighter the better. */
const levels = Array.from({ length: 40 }, (_, i) => 60 + 3 * i)
const rewardOf = (level: number) => ((level - 60) / 120) ** 2
const images: ScoredImage[] = levels.map((level) => ({ text: 'low', score: rewardOf(level) }))
/** Of which the scores are weights as they are. */
const reward: Reward = { ...linearReward(1), range: [0, 1] }
const pretrainingLevel = 40
const pretraining: PretrainingSource = (_from, count) => ({
  ...statesOf(new Array<number>(count).fill(pretrainingLevel)),
  captions: new Array<string>(count).fill('low'),
})

function train(settings: Partial<RewardWeightedSettings>, scored = images, given = reward) {
  using _scope = tensorScope()
  const trainable = shiftsFrom()
  const algorithm = new RewardWeighted({
    model: gaussianModel(),
    trainable,
    images: scored,
    reward: given,
    states: statesOf(levels),
    pretraining,
    ...{ seed: 3, sampler: fullSampler, guidance: 1 },
    settings: RewardWeightedSettings.parse({
      updates: 250,
      learningRate: 0.03,
      promptDropout: 0,
      maxGradNorm: 1e9,
      pretrainingWeight: 0,
      ...settings,
    }),
  })
  const updates = settings.updates ?? 250
  for (let i = 0; i < updates; i++) algorithm.step()
  const shift = trainable.parameters.get('shift')!.toArray()
  return { empty: shift.slice(0, 4), low: shift.slice(4, 8), high: shift.slice(8) }
}

/**
 * The minimum of Σ_i w_i E‖slope · xₜ + offset + shift − x₀‖² / N + β E_pre[…] + γ shift², with E[xₜ] = √ᾱ x₀:
 * shift = (mean(w r(x₀)) + β mean_pre(r(x₀))) / (mean(w) + β + γ), r(x₀) = (1 − slope √ᾱ) x₀ − offset.
 */
function optimalShifts(weight: (level: number) => number, beta = 0, gamma = 0, among = levels): number[] {
  return [...schedule.alphaBar].map((alphaBar) => {
    const residual = (level: number) => (1 - slope * Math.sqrt(alphaBar)) * x0Of(level) - offset
    const mean = (of: (level: number) => number) => among.reduce((sum, level) => sum + of(level), 0) / among.length
    const weighted = mean((level) => weight(level) * residual(level))
    return (weighted + beta * residual(pretrainingLevel)) / (mean(weight) + beta + gamma)
  })
}

function assertNear(found: readonly number[], expected: readonly number[], within = 0.03): void {
  found.forEach((shift, t) => {
    assert.ok(Math.abs(shift - expected[t]) < within, `time ${t}: ${shift}, best ${expected[t]} ± ${within}`)
  })
}

describe('reward-weighted training where the optimum is known', () => {
  it('reaches the mean of the images tilted by the reward', () => {
    const { empty, low, high } = train({})
    const tilted = optimalShifts(rewardOf)
    assertNear(low, tilted)
    assert.ok(tilted[0] - optimalShifts(() => 1)[0] > 0.1)
    assert.deepEqual([...empty, ...high], new Array(8).fill(0))
  })

  it('is pulled back to pre-training by β', () => {
    assertNear(train({ pretrainingWeight: 0.5 }).low, optimalShifts(rewardOf, 0.5))
    const far = train({ pretrainingWeight: 50 }).low
    assertNear(far, optimalShifts(rewardOf, 50))
    assertNear(
      far,
      optimalShifts(() => 1, 0, 0, [pretrainingLevel]),
    )
  })

  it('KL-D adds γ to every weight', () => {
    assertNear(
      train({ klD: 0.7 }).low,
      optimalShifts((level) => rewardOf(level) + 0.7),
    )
  })

  it('KL-D lets no weight fall below zero', () => {
    const negative = images.map((image) => ({ ...image, score: image.score - 1 }))
    const weight = (level: number) => Math.max(0, rewardOf(level) - 1 + 0.5)
    assertNear(train({ klD: 0.5, threshold: -10, updates: 800 }, negative).low, optimalShifts(weight))
  })

  it('KL-O pulls towards the pre-trained prediction', () => {
    assertNear(train({ klO: 0.6 }).low, optimalShifts(rewardOf, 0, 0.6))
  })

  it('leaves out what is below the threshold', () => {
    const kept = levels.filter((level) => rewardOf(level) >= 0.3)
    assert.ok(kept.length > 3 && kept.length < 30)
    assertNear(train({ threshold: 0.3 }).low, optimalShifts(rewardOf, 0, 0, kept))
  })

  it('trains the empty prompt in the place of dropped ones', () => {
    const { empty, low } = train({ promptDropout: 1 })
    assertNear(empty, optimalShifts(rewardOf))
    assert.deepEqual(low, [0, 0, 0, 0])
  })
})

describe('a reward that compares images of one prompt only', () => {
  const pairwise: Reward = { ...reward, isWithinPrompt: true }
  const settings = { updates: 20 }
  const turned = (worth: number) =>
    images.map(({ score }, i) => ({ text: i % 2 === 0 ? 'low' : 'high', score: score + (i % 2) * worth }))

  it('weighs an image beside those of its prompt, whatever the prompt is worth to it', () => {
    const [own, dear] = [turned(0), turned(64)].map((scored) => train(settings, scored, pairwise))
    assertNear([...dear.low, ...dear.high], [...own.low, ...own.high], 1e-6)
    const [plain, dearer] = [turned(0), turned(64)].map((scored) => train(settings, scored))
    assert.notDeepEqual(plain, dearer)
  })

  it('is told in the results, with the prompts that have nothing to compare', () => {
    using _scope = tensorScope()
    const begin = (texts: readonly string[]) =>
      new RewardWeighted({
        model: gaussianModel(),
        trainable: shiftsFrom(),
        images: texts.map((text, i) => ({ text, score: i })),
        reward: pairwise,
        states: statesOf(levels.slice(0, texts.length)),
        pretraining,
        ...{ seed: 3, sampler: fullSampler, guidance: 1 },
        settings: RewardWeightedSettings.parse({ updates: 1 }),
      })
    const { rewardCentred, promptsOfOneImage, rewardMappedFrom } = begin(['low', 'high', 'low', 'a']).results!
    assert.deepEqual([rewardCentred, promptsOfOneImage], ['by prompt', 2])
    assertNear(rewardMappedFrom as number[], [-0.85, 0.85], 1e-9)
    assert.throws(() => begin(['low', 'high']), { name: RewardError.name, received: /one image of each of 2 prompts/ })
  })
})

describe('a reward-weighted run', () => {
  const settings = RewardWeightedSettings.parse({ updates: 6, batchSize: 4, klO: 0.1, learningRate: 0.1 })

  it('asks for pre-training images by their place, each once', () => {
    using _scope = tensorScope()
    const asked: number[] = []
    const algorithm = new RewardWeighted({
      model: gaussianModel(),
      trainable: shiftsFrom(),
      images,
      reward,
      states: statesOf(levels),
      pretraining: (from, count) => {
        asked.push(from, count)
        return pretraining(from, count)
      },
      ...{ seed: 3, sampler: fullSampler, guidance: 1 },
      settings,
    })
    for (let i = 0; i < 3; i++) algorithm.step()
    assert.deepEqual(asked, [0, 4, 4, 4, 8, 4])
  })

  it('ends at rewards that teach nothing', () => {
    using _scope = tensorScope()
    const rewarded = (score: number, more: Partial<RewardWeightedSettings> = {}) => {
      const scored = images.map((image) => ({ ...image, score }))
      const states = statesOf(levels)
      const sampling = { sampler: fullSampler, guidance: 1 }
      const options = {
        model: gaussianModel(),
        trainable: shiftsFrom(),
        states,
        pretraining,
        reward,
        seed: 3,
        ...sampling,
      }
      return () => new RewardWeighted({ ...options, images: scored, settings: { ...settings, ...more } })
    }
    assert.throws(rewarded(0), RewardError)
    assert.throws(rewarded(-1, { threshold: -2 }), RewardError)
    assert.throws(rewarded(0.5, { threshold: 0.6 }), RewardError)
    assert.throws(rewarded(NaN), { name: RewardError.name, received: 'NaN' })
    assert.throws(rewarded(Infinity), RewardError)
    assert.doesNotThrow(rewarded(0, { klD: 0.1 }))
  })
})

describe('rounds of draw, weigh and fit', () => {
  const few = ['low', 'high', 'low', 'high'].map((text, i) => ({ text, score: i / 4 }))
  function begin(settings: Partial<RewardWeightedSettings>, trainable = shiftsFrom(), rewardSlope = 0.5) {
    return new RewardWeighted({
      ...{
        model: gaussianModel(),
        trainable,
        images: few,
        reward: linearReward(rewardSlope),
        states: statesOf([60, 90, 120, 150]),
      },
      ...{ pretraining, seed: 3, sampler: fullSampler, guidance: 1 },
      settings: RewardWeightedSettings.parse({
        ...{ updates: 12, batchSize: 8, pretrainingWeight: 0, imagesDrawn: 20, rolloutsPerIteration: 8, groupSize: 2 },
        ...settings,
      }),
    })
  }

  it('learn from the given images first, then from those of the policy at the beginning of each', () => {
    using _scope = tensorScope()
    const training = begin({ learningRate: 0.1 })
    const rows = Array.from({ length: 12 }, () => training.step())
    assert.deepEqual(rows.map((row) => row.images_drawn), [4, 4, 4, 12, 12, 12, 20, 20, 20, 24, 24, 24]) // prettier-ignore
    assert.equal(rows[0].reward_mean, 0.375)
    const means = rows.map((row) => row.reward_mean)
    assert.deepEqual(new Set(means).size, 4)
    assert.equal(training.results!.rounds, 4)
    const still = begin({ learningRate: 1e-30 })
    const texts = drawPrompts(['low', 'high'], 8, random(...policyStreams.roundPrompts(3, 1)), 2)
    const noise = (i: number) => policyStreams.rollout(3, 1, i)
    const { rewards } = drawFreshImages(still.policy, linearReward(0.5), texts, noise, {
      ...{ sampler: fullSampler, guidance: 1, batchSize: 3 },
    })
    assertNear([Array.from({ length: 4 }, () => still.step())[3].reward_mean!], [rewards.reduce((sum, one) => sum + one, 0) / 8], 1e-5) // prettier-ignore
  })

  for (const signed of [false, true]) {
    it(`follow the reward from round to round, ${signed ? 'by advantages' : 'by rewards'}`, () => {
      const settings = { updates: 60, imagesDrawn: 480, rolloutsPerIteration: 48, groupSize: 8, learningRate: 0.05 }
      const chain = chainFor(fullSampler, { rewardSlope: 1, klWeight: 1 })
      /** Mean x₀ of both prompts after a training on a reward of this slope. */
      const meansAfter = (rewardSlope: number) => {
        using _scope = tensorScope()
        const trainable = shiftsFrom()
        const training = begin({ ...settings, batchSize: 48, promptDropout: 0, signed }, trainable, rewardSlope)
        for (let i = 0; i < 60; i++) training.step()
        const shift = trainable.parameters.get('shift')!.toArray()
        return [4, 8].map((from) =>
          meanReward(chain, shifted(chain, meanShifts(fullSampler, shift.slice(from, from + 4)))),
        )
      }
      const [up, down] = [0.5, -0.5].map(meansAfter)
      assert.ok(up[0] - down[0] > 0.2 && up[1] - down[1] > 0.2, `${up} and ${down}`)
    })
  }

  it('by advantages have in the first update the loss and gradient of the formula, and KL-O as KL to the base', () => {
    using _scope = tensorScope()
    const start = [0, 1, 2].map((text) => [0, 1, 2, 3].map((time) => (text * (time - 1.5)) / 10))
    const settings = { signed: true, klO: 0.3, promptDropout: 0, maxGradNorm: 1e9, deviation: 'group' } as const
    const row = begin(settings, shiftsFrom(start)).step()
    const stream = random(...policyStreams.choices(3, 0))
    const batch = Array.from({ length: 8 }, () => stream.pick([0, 1, 2, 3]))
    const generator = new Generator(seedOf(...policyStreams.generatedNoise(3, 0)))
    const times = process.drawTimes(8, generator).toArray()
    const noise = randn([8, 1, 2, 2], generator).toArray()
    // Two images of each prompt, half a score apart.
    const advantages = [-1, -1, 1, 1].map((sign) => (sign * 0.25) / 0.2501 / 5)
    const gradient = start.map((of) => of.map(() => 0))
    const sums = { loss: 0, matching: 0 }
    batch.forEach((image, place) => {
      const [t, text] = [times[place], image % 2 === 0 ? 1 : 2]
      const [signal, sigma] = [Math.sqrt(schedule.alphaBar[t]), Math.sqrt(1 - schedule.alphaBar[t])]
      const clean = x0Of([60, 90, 120, 150][image])
      const errors = noise.slice(4 * place, 4 * place + 4).map((epsilon) => slope * (signal * clean + sigma * epsilon) + offset + start[text][t] - clean) // prettier-ignore
      const mean = (of: (error: number) => number) => errors.reduce((sum, error) => sum + of(error), 0) / 4
      sums.loss += (-advantages[image] + 0.3 * start[text][t] ** 2) / 8
      sums.matching += mean((error) => error ** 2) / 8
      gradient[text][t] += (advantages[image] * 2 * mean((error) => error) + 0.3 * 2 * start[text][t]) / 8
    })
    assertNear([row.reward_loss, row.matching_loss!], [sums.loss, sums.matching], 1e-5)
    assertNear([row.grad_norm], [Math.hypot(...gradient.flat())], 1e-5)
  })

  it('are refused where settings do not go together, or nothing tells images of a prompt apart', () => {
    using _scope = tensorScope()
    assert.throws(() => begin({ updates: 3 }), { name: ConfigError.name, message: /--updates: expected at least 4/ })
    assert.throws(() => begin({ rolloutsPerIteration: 7 }), ConfigError)
    assert.throws(() => begin({ signed: true, klD: 0.1 }), { name: ConfigError.name, message: /--kl-d: expected 0/ })
    assert.throws(() => begin({ signed: true, threshold: 0.1 }), { name: ConfigError.name, message: /--threshold: / })
    const alike = few.map(({ text }) => ({ text, score: text === 'low' ? 0 : 1 }))
    const options = { model: gaussianModel(), trainable: shiftsFrom(), pretraining, seed: 3, guidance: 1 }
    const signed = RewardWeightedSettings.parse({ signed: true, updates: 2 })
    const images = { images: alike, states: statesOf([1, 2, 3, 4]), reward, sampler: fullSampler, settings: signed }
    assert.throws(() => new RewardWeighted({ ...options, ...images }), {
      name: RewardError.name,
      received: /none better/,
    })
  })

  it('leave a state of before, and its rows, as they were where nothing is drawn', () => {
    using _scope = tensorScope()
    const training = begin({ imagesDrawn: 0 })
    const row = training.step()
    assert.deepEqual(Object.keys(row), ['updates', 'train_loss', 'reward_loss', 'pretraining_loss', 'grad_norm', 'lr'])
    const { tensors, numbers } = training.state()
    assert.deepEqual(numbers, { update: 1 })
    assert.ok([...tensors.keys()].every((name) => /^(parameters|optimiser)\./.test(name)))
  })
})
