/** DiffusionNFT against the same worked out by hand on the closed Gaussian chain. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { meanReward, shifted } from '../../diffusion/gaussian-chain.test-helper.ts'
import { ConfigError, RewardError } from '../../errors.ts'
import { random, seedOf } from '../../random.ts'
import { policyStreams } from '../../streams.ts'
import { randn } from '../../tensor/create.ts'
import { Generator } from '../../tensor/generator.ts'
import { useThreads } from '../../tensor/library.ts'
import { tensorScope } from '../../tensor/scope.ts'
import { drawFreshImages } from '../fresh-images.ts'
import {
  chainFor,
  elements,
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
import { groupAdvantages } from '../group-advantages.ts'
import { drawMinibatches } from '../policy-gradient/transitions.ts'
import { drawPrompts } from '../prompt-groups.ts'
import { decayAt, Nft, NftSettings } from './nft.ts'

useThreads(1)

const seed = 5
const texts = ['low', 'high']
const start = [0, 1, 2].map((text) => [0, 1, 2, 3].map((time) => (text * (time - 1.5)) / 10))

function training(settings: Partial<NftSettings>, { eta = 0, shifts = start } = {}) {
  const trainable = shiftsFrom(shifts)
  const trainer = new Nft({
    ...{ model: gaussianModel(), trainable, seed, texts, reward: linearReward(0.5) },
    ...{ sampler: process.sampler({ steps: 4, eta }), guidance: 1 },
    settings: NftSettings.parse({
      ...{ learningRate: 1e-3, maxGradNorm: 1e9, groupSize: 4, gradientSteps: 1, timesPerImage: 4, beta: 1 },
      ...settings,
    }),
  })
  return { trainer, trainable }
}

/** Loss and gradient of the first update, where the policy is the old one, by hand. */
function byHand(perRollout: number, referenceWeight: number) {
  using _scope = tensorScope()
  const stream = random(...policyStreams.choices(seed, 0))
  const drawn = drawPrompts(texts, 8, stream, 4)
  const sampler = process.sampler({ steps: 4, eta: 0 })
  const policy = gaussianModel().with(shiftsFrom(start).change)
  const noiseOf = (i: number) => policyStreams.rollout(seed, 0, i)
  const how = { sampler, guidance: 1, batchSize: 8 }
  const { states, rewards } = drawFreshImages(policy, linearReward(0.5), drawn, noiseOf, how)
  const x0 = states.x0.toArray()
  const shares = groupAdvantages(rewards, drawn, 'batch').map((one) => one / 10 + 0.5)
  const [minibatch] = drawMinibatches({ texts: drawn }, [0, 1, 2, 3], { perRollout, updates: 1, stream })
  const gradient = start.map((row) => row.map(() => 0))
  let [loss, reference] = [0, 0]
  minibatch.forEach(({ rollout, step }, place) => {
    const { t } = sampler.steps[step]
    const noise = randn([1, 2, 2], new Generator(seedOf(...policyStreams.forwardNoise(seed, 0, place)))).toArray()
    const [signal, sigma] = [Math.sqrt(schedule.alphaBar[t]), Math.sqrt(1 - schedule.alphaBar[t])]
    const text = drawn[rollout] === 'low' ? 1 : 2
    const errors = noise.map((epsilon, k) => {
      const clean = x0[rollout * elements + k]
      return slope * (signal * clean + sigma * epsilon) + offset + start[text][t] - clean
    })
    const meanOf = (of: (error: number) => number) => errors.reduce((sum, one) => sum + of(one), 0) / elements
    const size = meanOf(Math.abs)
    const share = 1 / minibatch.length
    loss += (share * meanOf((error) => error ** 2)) / size
    reference += share * start[text][t] ** 2
    gradient[text][t] += (share * 5 * 2 * (2 * shares[rollout] - 1) * meanOf((error) => error)) / size
    gradient[text][t] += share * referenceWeight * 2 * start[text][t]
  })
  return { loss, reference, gradNorm: Math.hypot(...gradient.flat()), count: minibatch.length }
}

const near = (value: number, wanted: number, bound = 1e-5) =>
  assert.ok(Math.abs(value - wanted) <= bound * Math.max(1, Math.abs(wanted)), `${value}, by hand ${wanted}`)

describe('DiffusionNFT', () => {
  for (const timesPerImage of [3, 4, 1000]) {
    it(`has in the first update the loss and gradient of the formula, at ${timesPerImage} times an image`, () => {
      using _scope = tensorScope()
      const settings = { imagesDrawn: 8, rolloutsPerIteration: 8, timesPerImage, referenceWeight: 0.3, beta: 0.4 }
      const row = training(settings).trainer.step()
      const wanted = byHand(timesPerImage, 0.3)
      assert.equal(wanted.count, 8 * Math.min(4, timesPerImage))
      // At θ = θ_old both sides are the same: r/β + (1 − r)/β.
      near(row.nft_loss, wanted.loss / 0.4)
      near(row.reference_distance!, wanted.reference)
      near(row.grad_norm, wanted.gradNorm, 1e-4)
      assert.equal(row.old_distance, 0)
      assert.deepEqual([row.images_drawn, row.updates, row.old_decay], [8, 1, 0])
    })
  }

  it('is the same in parts, and draws the same in parts', () => {
    using _scope = tensorScope()
    const rows = [
      [7, 5],
      [96, 96],
    ].map(([batchSize, noisyAtOnce]) => {
      const { trainer } = training({ imagesDrawn: 48, rolloutsPerIteration: 24, gradientSteps: 2, batchSize, noisyAtOnce }) // prettier-ignore
      return [trainer.step(), trainer.step()]
    })
    rows[0].forEach((row, i) => {
      for (const [name, value] of Object.entries(rows[1][i])) near(row[name as 'nft_loss'], value!, 1e-5)
    })
  })

  for (const eta of [0, 1]) {
    it(`earns more, by a sampler of η = ${eta}, and stays near where γ holds it`, () => {
      using _scope = tensorScope()
      const rewardOf = (referenceWeight: number) => {
        const none = [0, 1, 2].map(() => [0, 0, 0, 0])
        const settings = { imagesDrawn: 480, rolloutsPerIteration: 48, learningRate: 0.06, referenceWeight }
        const { trainer, trainable } = training(settings, { eta, shifts: none })
        for (let i = 0; i < 10; i++) trainer.step()
        const all = trainable.parameters.get('shift')!.toArray()
        const chain = chainFor(fullSampler, { rewardSlope: 0.5, klWeight: 1 })
        const meanAt = (shift: readonly number[]) => meanReward(chain, shifted(chain, meanShifts(fullSampler, shift)))
        return { gain: meanAt(all.slice(4, 8)) - meanAt([0, 0, 0, 0]), empty: all.slice(0, 4) }
      }
      const free = rewardOf(0)
      assert.ok(free.gain > 0.2, `${free.gain}`)
      assert.deepEqual(free.empty, [0, 0, 0, 0])
      const held = rewardOf(100).gain
      assert.ok(held < 0.3 * free.gain, `${held} of ${free.gain}`)
    })
  }

  it('draws with the old policy, which follows by its schedule', () => {
    using _scope = tensorScope()
    const settings = { imagesDrawn: 48, rolloutsPerIteration: 8, learningRate: 0.1, oldDecay: 0.9 }
    const moved = (of: Partial<NftSettings>) => {
      const { trainer } = training({ ...settings, ...of })
      return Array.from({ length: 6 }, () => trainer.step())
    }
    const [follows, lags] = [moved({ oldDecay: 0 }), moved({ oldDecaySlope: 0.9 })]
    // What is measured before an iteration's only update is how far θ has left the old policy behind.
    assert.ok(follows.every((row) => row.old_distance === 0))
    assert.ok(lags.slice(2).every((row) => row.old_distance > 0))
    assert.deepEqual(lags.map((row) => row.old_decay), [0, 0.9, 0.9, 0.9, 0.9, 0.9]) // prettier-ignore
    assert.deepEqual(lags.slice(0, 2).map((row) => row.reward_mean), follows.slice(0, 2).map((row) => row.reward_mean)) // prettier-ignore
    assert.notEqual(lags[2].reward_mean, follows[2].reward_mean)
  })

  it('has the schedules of the paper', () => {
    const slow = { oldDecay: 0.5, oldDecaySlope: 0.001, oldDecayDelay: 0 }
    assert.deepEqual([0, 100, 499, 501, 9000].map((i) => decayAt(i, slow)), [0, 0.1, 0.499, 0.5, 0.5]) // prettier-ignore
    const late = { oldDecay: 0.999, oldDecaySlope: 0.0075, oldDecayDelay: 75 }
    assert.deepEqual([0, 75, 77, 1000].map((i) => decayAt(i, late)), [0, 0, 0.015, 0.999]) // prettier-ignore
  })

  it('counts its updates, of which an iteration has no more than noisy images', () => {
    using _scope = tensorScope()
    const { trainer } = training({ imagesDrawn: 8, rolloutsPerIteration: 4, gradientSteps: 30 })
    assert.deepEqual([trainer.step().updates, trainer.step().updates], [16, 32])
  })

  it('refuses images that are no whole groups, and a reward that tells none apart', () => {
    using _scope = tensorScope()
    assert.throws(() => training({ imagesDrawn: 10, rolloutsPerIteration: 8 }), ConfigError)
    const { trainer } = training({ imagesDrawn: 8, rolloutsPerIteration: 8 })
    assert.ok(trainer.step().reward_std > 0)
    const constant = new Nft({
      ...{ model: gaussianModel(), trainable: shiftsFrom(), seed, texts, reward: linearReward(0) },
      ...{ sampler: fullSampler, guidance: 1, settings: NftSettings.parse({}) },
    })
    assert.throws(() => constant.step(), RewardError)
  })
})
