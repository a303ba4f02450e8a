/** A model of two stages goes through drawing, roll-outs and training, whichever of them is the policy. */
import assert from 'node:assert/strict'
import { mkdtempDisposableSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { meanReward, objective, optimum, shifted, totalKl } from '../diffusion/gaussian-chain.test-helper.ts'
import { noiseFor } from '../diffusion/sample.ts'
import { assertClose } from '../diffusion/tensor-checks.test-helper.ts'
import { DivergenceError } from '../errors.ts'
import { drawStages } from '../images/draw.ts'
import type { PretrainingSource } from '../images/open-model.ts'
import type { CleanStates, GenerativeModel } from '../networks/generative-model.ts'
import { streamOf } from '../random.ts'
import { policyStreams } from '../streams.ts'
import { full, tensor } from '../tensor/create.ts'
import { useThreads } from '../tensor/library.ts'
import { tensorScope } from '../tensor/scope.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { readTrainingState, writeTrainingState } from '../tensor/training-state.ts'
import { expectPrediction } from './divergence.ts'
import { Dpok, DpokSettings } from './algorithms/dpok.ts'
import { chainFor, elements, fullSampler, linearReward, meanShifts, shiftsFrom } from './gaussian-model.test-helper.ts'
import { Nft, NftSettings } from './algorithms/nft.ts'
import { RewardWeighted, RewardWeightedSettings } from './algorithms/reward-weighted.ts'
import { drawFreshImages } from './fresh-images.ts'
import { rollOut } from './rollout.ts'
import type { TrainableChange } from './trainable.ts'
import type { Trainer } from './training-run.ts'
import { trajectoryKl } from './trajectory-kl.ts'
import { coupling, pixelPerNumber, pixelsPerNumber, stageNames, twoStageModel } from './two-stage-model.test-helper.ts'
import { predictedFeatures } from './policy-gradient/value.ts'

useThreads(1)

const both = [0, 1] as const
const sampling = { steps: 4, eta: 1, guidance: 1 }
const start = [0.3, -0.2, 0.4, 0]
const startShifts = [[0, 0, 0, 0], start, [0, 0.5, 0, 0]]

/** The way of one element through a stage, by hand. */
function byHand(noise: readonly number[], shift: readonly number[], moved: number): number {
  const { steps } = chainFor(fullSampler, { rewardSlope: 1, klWeight: 1 })
  const means = meanShifts(
    fullSampler,
    shift.map((one) => one + moved),
  )
  return steps.reduce((x, { a, b, sigma }, i) => a * x + b + means[i] + sigma * noise[i + 1], noise[0])
}

/** y and the pixels of an image, from the streams at its path. */
function imageByHand(path: readonly number[], policyStage: number, shift: readonly number[]) {
  const none = [0, 0, 0, 0]
  const noise = noiseFor(path, [2], 4).transpose(0, 1).toArray()
  const below = noiseFor([...path, streamOf('decoder')], [4], 4)
    .transpose(0, 1)
    .toArray()
  const rows = (all: readonly number[], row: number) => all.slice(5 * row, 5 * row + 5)
  const y = [0, 1].map((i) => byHand(rows(noise, i), policyStage === 0 ? shift : none, 0))
  const pixels = [0, 1, 2, 3].map((i) =>
    byHand(rows(below, i), policyStage === 1 ? shift : none, coupling * y[i % pixelsPerNumber]),
  )
  return { y, pixels }
}

for (const policyStage of both) {
  describe(`a model whose policy is its ${stageNames[policyStage]}`, () => {
    const policyOfStart = (): GenerativeModel => twoStageModel(policyStage).with(shiftsFrom(startShifts).change)

    it('draws all stages, each from its own noise and told what the one before has drawn', () => {
      using _scope = tensorScope()
      const model = policyOfStart()
      const requests = ['low', 'high', 'low'].map((text, index) => ({ text, seed: 7, index }))
      const [y, pixels] = drawStages(model, requests, sampling)
      assert.deepEqual([y.shape, pixels.shape], [[3, 2], [3, 1, 2, 2]]) // prettier-ignore
      requests.forEach(({ text, seed, index }, i) => {
        const expected = imageByHand([seed, index], policyStage, startShifts[text === 'low' ? 1 : 2])
        assertClose(y.select(0, i).toArray(), expected.y, 1e-4)
        assertClose(pixels.select(0, i).flatten().toArray(), expected.pixels, 1e-4)
      })
      const [again] = drawStages(model, requests.slice(1, 2), sampling)
      assertClose(again.toArray(), y.select(0, 1).toArray(), 1e-6)
    })

    it('begins a stage with what is given for it, and the others with their noise', () => {
      using _scope = tensorScope()
      const model = policyOfStart()
      const requests = [{ text: 'low', seed: 7, index: 0 }]
      const [y, pixels] = drawStages(model, requests, sampling, new Map([['decoder', full([1, 1, 2, 2], 3)]]))
      const expected = imageByHand([7, 0], policyStage, startShifts[1])
      assertClose(y.toArray(), expected.y, 1e-4)
      assert.ok(Math.abs(pixels.toArray()[0] - expected.pixels[0]) > 0.01)
    })

    it('names the stage that leaves the finite numbers, unless it is the policy’s', () => {
      using _scope = tensorScope()
      const broken = (place: number) => {
        const model = twoStageModel(policyStage)
        const predict = (xt: Tensor) => xt.mul(Number.NaN)
        const stages = model.stages.map((stage, i) => (i === place ? { ...stage, predict } : stage))
        return Object.create(model, { stages: { value: stages } }) as GenerativeModel
      }
      for (const place of both) {
        const where =
          place === policyStage ? /^drawing, step 1 of 4/ : new RegExp(`^drawing, ${stageNames[place]}, step 1`)
        assert.throws(() => drawStages(broken(place), [{ text: 'low', seed: 1, index: 0 }], sampling), {
          code: 'divergence',
          where,
        })
      }
      assert.throws(() => expectPrediction(broken(policyStage)), DivergenceError)
      expectPrediction(broken(1 - policyStage))
    })

    it('is rolled out by its policy alone, within what the other stages have drawn', () => {
      using _scope = tensorScope()
      const policy = policyOfStart()
      const texts = ['low', 'high', 'low', 'low', 'high']
      const reward = linearReward(0.5)
      const settings = { sampler: fullSampler, guidance: 1, observer: predictedFeatures(policy, reward, fullSampler) }
      const path = (i: number) => policyStreams.rollout(3, 0, i)
      const rollouts = rollOut(policy, reward, texts, path, { ...settings, batchSize: 5 })
      const inTwos = rollOut(policy, reward, texts, path, { ...settings, batchSize: 2 })
      assert.deepEqual(
        rollouts.earlier.map(({ shape }) => shape),
        policyStage === 0 ? [] : [[5, 2]],
      )
      texts.forEach((text, i) => {
        const expected = imageByHand(path(i), policyStage, startShifts[text === 'low' ? 1 : 2])
        const own = policyStage === 0 ? expected.y : expected.pixels
        assertClose(rollouts.states[4].select(0, i).flatten().toArray(), own, 1e-4)
        assertClose([rollouts.rewards[i]], [0.5 * expected.pixels.reduce((sum, one) => sum + one, 0)], 1e-4)
        if (policyStage === 1) assertClose(rollouts.earlier[0].select(0, i).toArray(), expected.y, 1e-4)
      })
      for (const pick of [({ earlier }: typeof rollouts) => earlier, ({ observed }: typeof rollouts) => observed]) {
        assert.deepEqual(pick(inTwos).map(({ shape }) => shape), pick(rollouts).map(({ shape }) => shape)) // prettier-ignore
        pick(inTwos).forEach((one, i) => assertClose(one.toArray(), pick(rollouts)[i].toArray(), 1e-5))
      }
    })

    it('has the trajectory KL of its policy’s chain', () => {
      using _scope = tensorScope()
      const found = trajectoryKl(policyOfStart(), ['low', 'low'], (i) => [i], { sampler: fullSampler, guidance: 1 })
      const chain = chainFor(fullSampler, { rewardSlope: 1, klWeight: 1 })
      const expected =
        (policyStage === 0 ? 2 : elements) * totalKl(chain, shifted(chain, meanShifts(fullSampler, start)))
      assertClose(found, [expected, expected], 1e-4)
    })

    const dpok = (trainable: TrainableChange, settings: Partial<DpokSettings>) =>
      new Dpok({
        model: twoStageModel(policyStage),
        trainable,
        reward: linearReward(0.5),
        texts: ['low', 'high'],
        sampler: fullSampler,
        guidance: 1,
        seed: 5,
        settings: DpokSettings.parse(settings),
      })

    it('is told what each of its own trajectories was, in shuffled minibatches too', () => {
      using _scope = tensorScope()
      const settings = { imagesDrawn: 40, rolloutsPerIteration: 40, gradientSteps: 5, batchSize: 7, value: false }
      const { first_delta, clipfrac } = dpok(shiftsFrom(startShifts), { ...settings, learningRate: 1e-9 }).step()
      assert.ok(first_delta < 1e-3, `${first_delta}`)
      assert.equal(clipfrac, 0)
    })

    it('reaches the best policy by DPOK', () => {
      using _scope = tensorScope()
      const rewardSlope = 0.5 * (policyStage === 0 ? pixelsPerNumber * pixelPerNumber : 1)
      const chain = chainFor(fullSampler, { rewardSlope, klWeight: 0.5 })
      const trainable = shiftsFrom()
      const algorithm = new Dpok({
        model: twoStageModel(policyStage),
        trainable,
        reward: linearReward(0.5),
        texts: ['low'],
        sampler: fullSampler,
        guidance: 1,
        seed: 5,
        settings: DpokSettings.parse({
          imagesDrawn: 96 * 80,
          rolloutsPerIteration: 96,
          transitionsPerRollout: 3,
          gradientSteps: 1,
          learningRate: 0.06,
          maxGradNorm: 1e9,
          klWeight: 0.5,
          // What is predicted of x₀ is not all that V would have to know here: the decoder is told y as well.
          advantageDecay: 1,
          valueLearningRate: 0.01,
          valueUpdates: 5,
        }),
      })
      while (algorithm.done < algorithm.total) algorithm.step()
      const means = meanShifts(fullSampler, trainable.parameters.get('shift')!.toArray().slice(4, 8))
      const best = optimum(chain)
      const untrained = objective(chain, chain.steps)
      const gained = (objective(chain, shifted(chain, means)) - untrained) / (best.value - untrained)
      assert.ok(gained > 0.95, `${gained} of the possible gain, shifts ${means}, best ${best.shifts}`)
    })

    it('draws fresh images of all its stages, and keeps the clean states up to its policy', () => {
      using _scope = tensorScope()
      const texts = ['low', 'high', 'low', 'low', 'high']
      const path = (i: number) => policyStreams.rollout(3, 0, i)
      const [all, inTwos] = [5, 2].map((batchSize) =>
        drawFreshImages(policyOfStart(), linearReward(0.5), texts, path, {
          sampler: fullSampler,
          guidance: 1,
          batchSize,
        }),
      )
      texts.forEach((text, i) => {
        const expected = imageByHand(path(i), policyStage, startShifts[text === 'low' ? 1 : 2])
        const rowOf = (of: Tensor) => of.select(0, i).flatten().toArray()
        assertClose(rowOf(all.states.x0), policyStage === 0 ? expected.y : expected.pixels, 1e-4)
        assertClose(all.states.earlier.flatMap(rowOf), policyStage === 0 ? [] : expected.y, 1e-4)
        assertClose([all.rewards[i]], [0.5 * expected.pixels.reduce((sum, one) => sum + one, 0)], 1e-4)
      })
      assertClose(inTwos.states.x0.flatten().toArray(), all.states.x0.flatten().toArray(), 1e-5)
      assertClose(inTwos.rewards, all.rewards, 1e-5)
    })

    it('earns more by methods that learn from fresh images', () => {
      const chain = chainFor(fullSampler, { rewardSlope: 1, klWeight: 1 })
      const common = { imagesDrawn: 480, rolloutsPerIteration: 48, groupSize: 8, learningRate: 0.05 }
      /** Mean x₀ of the policy's stage, of both prompts, by a reward of this slope. */
      const meansBy = (of: (given: ReturnType<typeof givenOf>) => Trainer, slope: number) => {
        using _scope = tensorScope()
        const given = givenOf(slope)
        const training = of(given)
        while (training.done < training.total) training.step()
        const shift = given.trainable.parameters.get('shift')!.toArray()
        return [4, 8].map((from) =>
          meanReward(chain, shifted(chain, meanShifts(fullSampler, shift.slice(from, from + 4)))),
        )
      }
      const givenOf = (slope: number) => ({
        ...{ model: twoStageModel(policyStage), trainable: shiftsFrom(), reward: linearReward(slope), seed: 5 },
        ...{ texts: ['low', 'high'], sampler: fullSampler, guidance: 1 },
      })
      const byNft = (given: ReturnType<typeof givenOf>) => new Nft({ ...given, settings: NftSettings.parse(common) })
      const inRounds = (given: ReturnType<typeof givenOf>) =>
        new RewardWeighted({
          ...given,
          images: [0, 1, 2, 3].map((i) => ({ text: i < 2 ? 'low' : 'high', score: i / 4 })),
          states: given.model.encode(tensor(Array.from({ length: 48 }, (_, i) => i / 48), [4, 3, 2, 2])), // prettier-ignore
          pretraining: () => assert.fail('no pre-training image is wanted'),
          settings: RewardWeightedSettings.parse({
            ...common,
            ...{ updates: 66, batchSize: 48, learningRate: 0.1, pretrainingWeight: 0, promptDropout: 0, signed: true },
          }),
        })
      for (const method of [byNft, inRounds]) {
        const [up, down] = [0.5, -0.5].map((slope) => meansBy(method, slope))
        assert.ok(up.every((one, i) => one - down[i] > 0.15), `${method.name}: ${up} and ${down}`) // prettier-ignore
      }
    })

    it('goes on from a saved state bit for bit', () => {
      using folder = mkdtempDisposableSync(join(tmpdir(), 'attune-stages-'))
      using _scope = tensorScope()
      const settings = { imagesDrawn: 40, rolloutsPerIteration: 10, learningRate: 0.05 }
      const whole = dpok(shiftsFrom(), settings)
      const uninterrupted = Array.from({ length: whole.total }, () => whole.step())
      const first = dpok(shiftsFrom(), settings)
      for (let i = 0; i < 2; i++) first.step()
      const file = join(folder.path, 'state.safetensors')
      writeTrainingState(file, first.state())
      const second = dpok(shiftsFrom(), settings)
      second.load(readTrainingState(file))
      assert.deepEqual([second.step(), second.step()], uninterrupted.slice(2))
    })

    it('learns from images, each told of its own', () => {
      using _scope = tensorScope()
      const model = twoStageModel(policyStage)
      const level = (values: readonly number[]) =>
        model.encode(
          tensor(values.flatMap((value) => new Array<number>(12).fill(value)), [values.length, 3, 2, 2]), // prettier-ignore
        )
      const pretraining: PretrainingSource = (from, count) => ({
        ...level(Array.from({ length: count }, (_, i) => (from + i) / 100)),
        captions: new Array<string>(count).fill('high'),
      })
      /** Only the first image has a weight. */
      const lossesOf = (states: CleanStates) => {
        const algorithm = new RewardWeighted({
          model,
          trainable: shiftsFrom(),
          images: [1, 0, 0].map((score) => ({ text: 'low', score })),
          reward: { ...linearReward(1), range: [0, 1] },
          states,
          pretraining,
          ...{ seed: 3, sampler: fullSampler, guidance: 1 },
          settings: RewardWeightedSettings.parse({
            updates: 3,
            batchSize: 6,
            gradientAccumulationSteps: 2,
            klD: 0,
            threshold: 0,
            promptDropout: 0,
            learningRate: 0.1,
          }),
        })
        return [0, 1, 2].map(() => algorithm.step().train_loss)
      }
      const own = lossesOf(level([0.1, 0.5, -0.3]))
      assert.deepEqual(lossesOf(level([0.1, -0.9, 0.8])), own)
      assert.notDeepEqual(lossesOf(level([0.2, 0.5, -0.3])), own)
      if (policyStage === 0) return
      const { x0 } = level([0.1, 0.5, -0.3])
      const toldOthers = (values: readonly number[]) => lossesOf({ x0, earlier: level(values).earlier })
      assert.deepEqual(toldOthers([0.1, 0.7, 0.9]), own)
      assert.notDeepEqual(toldOthers([0.5, 0.5, -0.3]), own)
    })
  })
}
