import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { toX0AndEpsilon } from '../diffusion/prediction.ts'
import { assertClose } from '../diffusion/tensor-checks.test-helper.ts'
import { VariancePreserving } from '../diffusion/variance-preserving.ts'
import { drawStages, samplerOf } from '../images/draw.ts'
import { encodePrompts, guidedPredictor } from '../images/guided.ts'
import { policyOf, type GenerativeModel, type ModelStage } from '../networks/generative-model.ts'
import { Dpok, DpokSettings } from '../policy/algorithms/dpok.ts'
import { Nft, NftSettings } from '../policy/algorithms/nft.ts'
import { RewardWeighted, RewardWeightedSettings } from '../policy/algorithms/reward-weighted.ts'
import { drawFreshImages } from '../policy/fresh-images.ts'
import { linearReward } from '../policy/gaussian-model.test-helper.ts'
import { cappedWeight, nftLosses } from '../policy/nft-loss.ts'
import { trainableChange, type Trainable } from '../policy/trainable.ts'
import type { Trainer } from '../policy/training-run.ts'
import { noGrad, withoutGrad } from '../tensor/autograd.ts'
import { randn, tensor } from '../tensor/create.ts'
import { Generator } from '../tensor/generator.ts'
import { useThreads } from '../tensor/library.ts'
import { tensorScope } from '../tensor/scope.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { shapesProcess } from './model.ts'
import { openShapes } from './open.ts'

useThreads(1)
const requests = ['two red circles', 'a blue cross'].map((text, index) => ({ text, seed: 5, index }))
const largest = (a: Tensor, b: Tensor) => a.sub(b).abs().flatten().amax(0).item()

describe('the embedded model as flow matching', () => {
  it('draws the same images by the ODE as it does as diffusion', () => {
    using _scope = tensorScope()
    using _noGrad = noGrad()
    const sampling = { steps: 10, eta: 0, guidance: 1 }
    const [diffusion, flow] = (['shapes', 'shapes-flow'] as const).map((name) => {
      const { model } = openShapes(name)
      return { sampler: samplerOf(model, sampling).name, pixels: model.decode(drawStages(model, requests, sampling)) }
    })
    assert.deepEqual([diffusion.sampler, flow.sampler], ['ddim', 'flow-ode'])
    assert.ok(largest(flow.pixels, diffusion.pixels) < 2e-3)
  })

  it('draws other images by the SDE, and is a policy then', () => {
    using _scope = tensorScope()
    using _noGrad = noGrad()
    const { model } = openShapes('shapes-flow')
    const drawn = [0, 0.7].map((eta) => drawStages(model, requests, { steps: 10, eta, guidance: 1 })[0])
    assert.ok(largest(drawn[0], drawn[1]) > 0.1)
    assert.ok(samplerOf(model, { steps: 10, eta: 0.7, guidance: 1 }).steps.every((step) => step.stochastic))
  })

  it('is trained as a policy: an action has the density with which it was drawn', () => {
    using _scope = tensorScope()
    const { model } = openShapes('shapes-flow')
    const adapters: Trainable = { parameters: 'lora', rank: 2, loraAlpha: 2, loraLayers: ['attention'] }
    const trainable = trainableChange(model, adapters, 1)
    const trainer = new Dpok({
      model,
      trainable,
      reward: linearReward(0.5),
      texts: requests.map(({ text }) => text),
      sampler: samplerOf(model, { steps: 4, eta: 0.7, guidance: 2 }),
      guidance: 2,
      seed: 2,
      settings: DpokSettings.parse({ imagesDrawn: 8, rolloutsPerIteration: 4, gradientSteps: 2, batchSize: 3 }),
    })
    const [first, second] = [trainer.step(), trainer.step()]
    assert.ok(first.first_delta <= 1e-3 && second.first_delta <= 1e-3, `${first.first_delta}, ${second.first_delta}`)
    assert.ok(first.grad_norm > 0 && second.kl > 0)
  })
})

/** The embedded model as a network that says ε, of the same images at the same times. */
function noiseView(own: GenerativeModel): GenerativeModel {
  const { sha256, policyStage, imageSize, device, defaults, weights } = own
  const stage = policyOf(own)
  const predict: ModelStage['predict'] = (xt, t, given) =>
    toX0AndEpsilon(stage.predict(xt, t, given), xt, alphaBarsAt(t), 'x0').epsilon
  return {
    ...{ name: 'shapes of ε', sha256, policyStage, imageSize, device, defaults, weights },
    stages: [{ ...stage, process: epsilonProcess, predict }],
    isTextPath: (name) => own.isTextPath(name),
    isAdapterTarget: (name, layers) => own.isAdapterTarget(name, layers),
    encodeText: (texts) => own.encodeText(texts),
    decode: (samples) => own.decode(samples),
    preview: (samples) => own.preview(samples),
    encode: (pixels) => own.encode(pixels),
    with: (change) => noiseView(own.with(change)),
    in: (dtype) => noiseView(own.in(dtype)),
  }
}

const alphaBarsAt = (t: Tensor) => tensor(t.toArray().map((at) => shapesProcess.schedule.alphaBar[at]))
const epsilonProcess = new VariancePreserving({
  schedule: { ...shapesProcess.schedule, predictionType: 'epsilon' },
  timesteps: shapesProcess.timesteps,
})

describe('DiffusionNFT of the embedded model, as diffusion of x₀, as one of ε, and as flow matching', () => {
  const adapters: Trainable = { parameters: 'lora', rank: 2, loraAlpha: 2, loraLayers: ['attention'] }
  const textPath: Trainable = { parameters: 'text', rank: 1, loraAlpha: 1, loraLayers: ['attention'] }
  const views = ['x0', 'epsilon', 'flow'] as const
  const modelOf = (view: (typeof views)[number]): GenerativeModel => {
    const { model } = openShapes(view === 'flow' ? 'shapes-flow' : 'shapes')
    return view === 'epsilon' ? noiseView(model) : model
  }

  it('weighs the same errors alike, but for those of ε where σ is above α', () => {
    using _scope = tensorScope()
    const { pretraining } = openShapes()
    const count = 5
    const { x0, captions } = pretraining(0, count)
    const epsilon = randn(x0.shape, new Generator(4))
    const sampling = { steps: count, eta: 0 }
    const at = [...Array(count).keys()]
    const losses = views.map((view) => {
      const model = modelOf(view)
      const { process } = policyOf(model)
      const t = process.sampler(sampling).times(at, 'cpu')
      const predictBy = (seed: number) => {
        const change = trainableChange(model, adapters, seed)
        for (const one of change.parameters.values()) one.detach().add_(0.02 * seed)
        const by = model.with(change.change)
        const predict = guidedPredictor(policyOf(by), encodePrompts(by, captions), { texts: captions }, 1)
        return withoutGrad(() => predict(process.noised(x0, epsilon, t), t))
      }
      return nftLosses(
        {
          ...{ policy: predictBy(1), old: predictBy(2), target: process.target(x0, epsilon, t) },
          optimality: tensor(captions.map((_, i) => 0.1 + 0.2 * i)),
          weight: cappedWeight(process.imagePerPrediction(t)).to('float32'),
        },
        0.3,
      ).toArray()
    })
    const [ofX0, ofEpsilon, ofFlow] = losses
    assertClose(ofFlow, ofX0, 1e-3)
    const { alphaBar } = shapesProcess.schedule
    const noisePerSignal = shapesProcess.timesteps(count).map((t) => Math.sqrt((1 - alphaBar[t]) / alphaBar[t]))
    assert.ok(noisePerSignal[0] > 50 && noisePerSignal[count - 1] < 1)
    assertClose(
      ofEpsilon,
      ofX0.map((one, i) => one * Math.min(1, 1 / noisePerSignal[i])),
      1e-3,
    )
  })

  it('is one training in all of them: the first iteration draws, weighs and moves alike', () => {
    using _scope = tensorScope()
    const rows = views.map((view) => {
      const model = modelOf(view)
      const trainable = trainableChange(model, adapters, 1)
      const trainer = new Nft({
        ...{ model, trainable, seed: 2, guidance: 1, sampler: samplerOf(model, { steps: 4, eta: 0, guidance: 1 }) },
        ...{ reward: linearReward(0.5), texts: requests.map(({ text }) => text) },
        settings: NftSettings.parse({
          ...{ imagesDrawn: 16, rolloutsPerIteration: 8, groupSize: 4, timesPerImage: 4, gradientSteps: 1, beta: 1 },
          ...{ referenceWeight: 0, learningRate: 1e-2 },
        }),
      })
      return [trainer.step(), ...(view === 'x0' ? [trainer.step()] : [])]
    })
    const [[x0, later], [epsilon], [flow]] = rows
    for (const name of ['reward_mean', 'reward_std', 'nft_loss', 'grad_norm'] as const) {
      assertClose([flow[name]], [x0[name]], 5e-3)
    }
    assertClose([epsilon.reward_mean], [x0.reward_mean], 5e-3)
    assert.ok(epsilon.nft_loss < x0.nft_loss && epsilon.grad_norm > 0 && epsilon.grad_norm < x0.grad_norm)
    assert.notEqual(later.reward_mean, x0.reward_mean)
  })

  it('earns more of what a reward sees, by NFT and by rounds of signed weights', () => {
    using _scope = tensorScope()
    const { model } = openShapes()
    const texts = requests.map(({ text }) => text)
    const sampling = { steps: 4, eta: 1, guidance: 1 }
    const given = () => ({
      ...{ model, trainable: trainableChange(model, textPath, 1), seed: 2, guidance: 1, texts },
      ...{ sampler: samplerOf(model, sampling), reward: linearReward(0.01) },
    })
    const drawing = { imagesDrawn: 96, rolloutsPerIteration: 16, groupSize: 8 }
    const gainOf = (training: Trainer) => {
      const means = Array.from({ length: training.total }, () => training.step().reward_mean!)
      return means[means.length - 1] - means[0]
    }
    const byNft = new Nft({
      ...given(),
      settings: NftSettings.parse({ ...drawing, timesPerImage: 3, gradientSteps: 3 }),
    })
    const first = drawFreshImages(model, linearReward(0.01), texts.flatMap((text) => new Array<string>(8).fill(text)), (i) => [2, 0, 0, i], { ...given(), batchSize: 16 }) // prettier-ignore
    const inRounds = new RewardWeighted({
      ...given(),
      ...{ images: first.texts.map((text, i) => ({ text, score: first.rewards[i] })), states: first.states },
      pretraining: () => assert.fail('no pre-training image is wanted'),
      settings: RewardWeightedSettings.parse({
        ...drawing,
        ...{ updates: 28, batchSize: 16, pretrainingWeight: 0, promptDropout: 0, signed: true, learningRate: 3e-3 },
      }),
    })
    const gains = [byNft, inRounds].map(gainOf)
    assert.ok(gains.every((gain) => gain > 1), `${gains}`) // prettier-ignore
  })
})
