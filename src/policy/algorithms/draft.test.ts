/** Gradients of a reward on the Gaussian chain, where all of them are known. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { RewardError } from '../../errors.ts'
import type { Conditioning, GenerativeModel } from '../../networks/generative-model.ts'
import { noiseFor } from '../../diffusion/sample.ts'
import type { Change } from '../../networks/weights.ts'
import { random, seedOf } from '../../random.ts'
import type { Reward } from '../../reward/reward.ts'
import { policyStreams } from '../../streams.ts'
import { randn, tensor } from '../../tensor/create.ts'
import { Generator } from '../../tensor/generator.ts'
import { useThreads } from '../../tensor/library.ts'
import { tensorScope } from '../../tensor/scope.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import {
  chainFor,
  elements,
  fullSampler,
  gaussianModel,
  linearReward,
  meanShifts,
  offset,
  schedule,
  shiftsFrom,
  slope,
} from '../gaussian-model.test-helper.ts'
import { twoStageModel } from '../two-stage-model.test-helper.ts'
import { Draft, draft, DraftSettings, drawFirstStep, gradientSteps } from './draft.ts'

useThreads(1)

const seed = 5
const steps = fullSampler.steps.length
const start = [
  [0, 0, 0, 0],
  [0.3, -0.2, 0.4, 0.1],
  [0.1, 0.5, -0.3, 0.2],
]

interface Trained {
  readonly model?: GenerativeModel
  readonly reward?: Reward
  readonly guidance?: number
  readonly shifts?: number[][]
  readonly texts?: readonly string[]
}

/** −(x₀ − 0.4)² of each element: its gradient depends on the whole way to x₀. */
const parabola: Reward = {
  ...linearReward(1),
  scoreWithGradient: (pixels) => pixels.slice(1, 0, 1).flatten(1).sub(0.4).square().sum(1).neg(),
}

function training(settings: Partial<DraftSettings>, { shifts = start, ...given }: Trained = {}) {
  const trainable = shiftsFrom(shifts)
  const trainer = new Draft({
    ...{ model: gaussianModel(), reward: parabola, texts: ['low', 'high'], sampler: fullSampler, guidance: 1, seed },
    ...{ trainable, ...given },
    pretraining: (from, count) => ({
      x0: tensor(
        Array.from({ length: elements * count }, (_, i) => ((i + from) % 5) / 5),
        [count, 1, 2, 2],
      ),
      earlier: [],
      captions: new Array<string>(count).fill('low'),
    }),
    settings: DraftSettings.parse({
      imagesDrawn: 600,
      imagesPerUpdate: 6,
      pretrainingWeight: 0,
      maxGradNorm: 1e9,
      ...settings,
    }),
  })
  return { trainer, shift: trainable.parameters.get('shift')! }
}

/** What is scored by hand: x₀ after all steps, or the image that is predicted where the first step with gradients begins. */
interface ByHand {
  readonly first: number
  readonly guidance: number
  readonly isPredicted?: boolean
  /** Of draft-lv: noises that are put anew into an image. */
  readonly renoisings?: number
}

/** The mean score of the first update's images. Steps through which no gradients pass are taken with the shifts of the start. */
function meanScore(
  shifts: readonly (readonly number[])[],
  { first, guidance, isPredicted = false, renoisings }: ByHand,
) {
  const chain = chainFor(fullSampler, { rewardSlope: 1, klWeight: 1 })
  const stream = random(...policyStreams.choices(seed, 0))
  const texts = Array.from({ length: 3 }, () => stream.shuffle(['low', 'high'])).flat()
  const guided = (all: readonly (readonly number[])[], text: string) =>
    all[0].map((none, t) => none + guidance * (all[text === 'low' ? 1 : 2][t] - none))
  const score = (x: number) => -((x - 0.4) ** 2) / texts.length
  return texts
    .flatMap((text, image) => {
      const noise = noiseFor(policyStreams.rollout(seed, 0, image), [1, 2, 2], steps).toArray()
      const [own, before] = [shifts, start].map((all) => guided(all, text))
      const way = (from: number, to: number, means: readonly number[], x: number, k: number) =>
        chain.steps.slice(from, to).reduce((xt, { a, b, sigma }, i) => {
          return a * xt + b + means[from + i] + sigma * noise[(from + i + 1) * elements + k]
        }, x)
      const { t } = fullSampler.steps[first]
      const predicted = (x: number) => slope * x + offset + own[t]
      return Array.from({ length: elements }, (_, k) => {
        const frozen = meanShifts(fullSampler, before)
        const xt = way(0, first, frozen, noise[k], k)
        if (renoisings !== undefined) {
          const [x0, alphaBar] = [way(0, steps, frozen, noise[k], k), schedule.alphaBar[t]]
          const again = Array.from({ length: renoisings }, (_, time) => {
            const path = policyStreams.renoising(seed, 0, image, time)
            return randn([1, 2, 2], new Generator(seedOf(...path))).toArray()[k]
          })
          const scores = again.map((one) => score(predicted(Math.sqrt(alphaBar) * x0 + Math.sqrt(1 - alphaBar) * one)))
          return scores.reduce((sum, one) => sum + one, 0) / renoisings
        }
        return score(isPredicted ? predicted(xt) : way(first, steps, meanShifts(fullSampler, own), xt, k))
      })
    })
    .reduce((sum, one) => sum + one, 0)
}

/** d(value)/d(shifts) by finite differences. */
function slopesOf(value: (shifts: number[][]) => number, by: number): number[] {
  return start.flatMap((row, i) =>
    row.map((_, k) => {
      const moved = (step: number) =>
        start.map((each, j) => each.map((one, l) => (i === j && k === l ? one + step : one)))
      return (value(moved(by)) - value(moved(-by))) / (2 * by)
    }),
  )
}

/** The row of the first update, and the gradient of its loss: the first moment of AdamW is a tenth of it. */
function firstUpdate(settings: Partial<DraftSettings>, given: Trained = {}) {
  const { trainer } = training({ learningRate: 1e-30, ...settings }, given)
  const row = trainer.step()
  const gradient = trainer.state().tensors.get('optimiser.exp_avg.shift')!
  return { row, gradient: gradient.toArray().map((one) => 10 * one) }
}

function near(actual: readonly number[], wanted: readonly number[], within: number): void {
  const size = Math.hypot(...wanted)
  assert.ok(size > 0)
  actual.forEach((one, i) => assert.ok(Math.abs(one - wanted[i]) <= within * size, `${i}: ${one}, not ${wanted[i]}`))
}

describe('the gradient of a reward', () => {
  for (const lastSteps of [1, 2, 4]) {
    for (const guidance of [1, 2.5]) {
      it(`through the last ${lastSteps} steps is that of finite differences, guidance ${guidance}`, () => {
        using _scope = tensorScope()
        const byHand = { first: steps - lastSteps, guidance }
        const { row, gradient } = firstUpdate({ lastSteps }, { guidance })
        near(
          gradient,
          slopesOf((shifts) => -meanScore(shifts, byHand), 1e-4),
          1e-3,
        )
        near([row.reward_mean], [meanScore(start, byHand)], 1e-5)
        near([row.train_loss], [-row.reward_mean], 1e-6)
        assert.equal(row.first_step, steps - lastSteps + 1)
      })
    }
  }

  it('through the image that is predicted at a random stop is that of finite differences', () => {
    using _scope = tensorScope()
    const { row, gradient } = firstUpdate({ variant: 'refl', lastSteps: 3 }, { guidance: 2.5 })
    const byHand = { first: row.first_step - 1, guidance: 2.5, isPredicted: true }
    near(
      gradient,
      slopesOf((shifts) => -meanScore(shifts, byHand), 1e-4),
      1e-3,
    )
    near([row.reward_mean], [meanScore(start, byHand)], 1e-5)
  })

  it('as a mean over new noises is that of finite differences', () => {
    using _scope = tensorScope()
    const { row, gradient } = firstUpdate({ variant: 'draft-lv', renoisings: 3 }, { guidance: 2.5 })
    const byHand = { first: steps - 1, guidance: 2.5, renoisings: 3 }
    near(
      gradient,
      slopesOf((shifts) => -meanScore(shifts, byHand), 1e-4),
      1e-3,
    )
    near([row.reward_mean], [meanScore(start, byHand)], 1e-5)
  })

  for (const policyStage of [0, 1] as const) {
    it(`reaches the policy where it is stage ${policyStage + 1} of two`, () => {
      using _scope = tensorScope()
      const given = { model: twoStageModel(policyStage) }
      const { gradient } = firstUpdate({ lastSteps: 4 }, given)
      const loss = (shifts: number[][]) => firstUpdate({ lastSteps: 4 }, { ...given, shifts }).row.train_loss
      near(gradient, slopesOf(loss, 1e-2), 3e-3)
      assert.deepEqual(firstUpdate({ lastSteps: 4, gradientCheckpointing: true }, given).gradient, gradient)
    })
  }

  it('has that of the pre-training loss beside it, by its weight', () => {
    using _scope = tensorScope()
    const [none, with2] = [0, 2].map((pretrainingWeight) => firstUpdate({ pretrainingWeight }))
    const own = with2.gradient.map((one, i) => (one - none.gradient[i]) / 2)
    const loss = (shifts: number[][]) => firstUpdate({ pretrainingWeight: 1 }, { shifts }).row.pretraining_loss
    near(own, slopesOf(loss, 1e-2), 3e-3)
    assert.equal(none.row.pretraining_loss, 0)
    near([with2.row.train_loss], [2 * with2.row.pretraining_loss - with2.row.reward_mean], 1e-6)
  })

  it('is the same to the bit with checkpoints, and up to rounding in parts', () => {
    using _scope = tensorScope()
    for (const variant of ['draft', 'draft-lv', 'refl', 'alignprop'] as const) {
      const settings = { variant, lastSteps: 4, renoisings: 1 }
      const whole = firstUpdate(settings, { guidance: 2.5 })
      assert.deepEqual(firstUpdate({ ...settings, gradientCheckpointing: true }, { guidance: 2.5 }), whole)
      near(firstUpdate({ ...settings, batchSize: 4 }, { guidance: 2.5 }).gradient, whole.gradient, 1e-6)
    }
  })

  it('is none from a target on, which is said where it is so from the start', () => {
    using _scope = tensorScope()
    const all = firstUpdate({ rewardTarget: 1 })
    near(all.gradient, firstUpdate({}).gradient, 1e-6)
    near([all.row.train_loss], [1 - all.row.reward_mean], 1e-6)
    assert.throws(() => firstUpdate({ rewardTarget: -1000 }), { name: RewardError.name, where: 'linear, gradient' })
  })

  it('names the stages through which it does not pass', () => {
    using _scope = tensorScope()
    const model = twoStageModel(0)
    const cut = ({ stages }: GenerativeModel) =>
      stages.map((stage, i) =>
        i === 0
          ? stage
          : {
              ...stage,
              condition: (text: Conditioning, [y]: readonly Tensor[]) => stage.condition(text, [y.detach()]),
            },
      )
    const broken = (of: GenerativeModel): GenerativeModel =>
      Object.create(of, {
        stages: { value: cut(of) },
        with: { value: (change: Change) => broken(of.with(change)) },
      }) as GenerativeModel
    assert.throws(() => firstUpdate({}, { model: broken(model) }), /two-stage, from prior to pixels: .*prior, decoder/)
  })
})

describe('where gradients begin to pass', () => {
  const drawn = (settings: Pick<DraftSettings, 'variant' | 'lastSteps'>, of: number) => {
    const counts = new Map<number, number>()
    for (let update = 0; update < 3000; update++) {
      const first = drawFirstStep(settings, of, random(...policyStreams.choices(1, update)))
      counts.set(first, (counts.get(first) ?? 0) + 1)
    }
    return counts
  }

  it('is one of the last quarter of the steps with ReFL, and any with AlignProp, equally often', () => {
    const cases = [
      { variant: 'refl', lastSteps: null, from: 30 },
      { variant: 'refl', lastSteps: 4, from: 36 },
      { variant: 'alignprop', lastSteps: null, from: 0 },
      { variant: 'alignprop', lastSteps: 1000, from: 0 },
    ] as const
    for (const { from, ...settings } of cases) {
      const counts = drawn(settings, 40)
      const places = 40 - from
      assert.deepEqual([...counts.keys()].sort((a, b) => a - b), Array.from({ length: places }, (_, i) => from + i)) // prettier-ignore
      const expected = 3000 / places
      const chiSquare = [...counts.values()].reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0)
      assert.ok(chiSquare < places + 5 * Math.sqrt(2 * places), `${chiSquare}`)
    }
  })

  it('is always the same with DRaFT', () => {
    for (const [lastSteps, first] of [
      [null, 39],
      [3, 37],
      [1000, 0],
    ] as const)
      // prettier-ignore
      assert.deepEqual([...drawn({ variant: 'draft', lastSteps }, 40).keys()], [first])
    assert.equal(gradientSteps({ variant: 'draft-lv', lastSteps: 7 }, 40), 1)
  })
})

describe('training by gradients of a reward', () => {
  it('reaches the mean that is best, by the last step alone', () => {
    using _scope = tensorScope()
    const { trainer, shift } = training({ imagesDrawn: 1600, imagesPerUpdate: 16, learningRate: 0.05 })
    while (trainer.done < trainer.total) trainer.step()
    const found = shift.toArray()
    const chain = chainFor(fullSampler, { rewardSlope: 1, klWeight: 1 })
    for (const text of [1, 2]) {
      const own = found.slice(text * steps, (text + 1) * steps)
      assert.deepEqual(own.slice(1), start[text].slice(1).map(Math.fround))
      const means = meanShifts(fullSampler, own)
      const mean = chain.steps.reduce((x, { a, b }, i) => a * x + b + means[i], 0)
      assert.ok(Math.abs(mean - 0.4) < 0.05, `${mean}`)
    }
  })

  it('counts the images and the passes of its variants', () => {
    const work = (settings: Partial<DraftSettings>) => draft.work!(DraftSettings.parse({ imagesDrawn: 10, pretrainingWeight: 0, ...settings }), { steps: 8, passes: 2 }) // prettier-ignore
    assert.equal(work({}), 10 * 2 * (8 + 2))
    assert.equal(work({ lastSteps: 1000, pretrainingWeight: 1 }), 10 * (2 * (8 + 16) + 3))
    assert.equal(work({ variant: 'alignprop' }), 10 * 2 * (8 + 9))
    assert.equal(work({ variant: 'refl' }), 10 * 2 * (8 - 0.5 + 2))
    assert.equal(work({ variant: 'draft-lv', renoisings: 3 }), 10 * 2 * (8 + 3 + 6))
  })
})
