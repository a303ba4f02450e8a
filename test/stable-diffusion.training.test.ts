/** Training on a tiny checkpoint of real Stable Diffusion layout: exactness of the first update, memory, precision. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { samplerOf } from '../src/images/draw.ts'
import { openStableDiffusion } from '../src/networks/stable-diffusion/open.ts'
import { policyOf, type GenerativeModel } from '../src/networks/generative-model.ts'
import { Dpok, DpokSettings, type DpokMetrics } from '../src/policy/algorithms/dpok.ts'
import { RewardWeighted, RewardWeightedSettings } from '../src/policy/algorithms/reward-weighted.ts'
import { trainableChange, trainableFields, type TrainableChange } from '../src/policy/trainable.ts'
import type { Reward } from '../src/reward/reward.ts'
import type { Dtype } from '../src/tensor/dtype.ts'
import { randn } from '../src/tensor/create.ts'
import { withoutGrad } from '../src/tensor/autograd.ts'
import { Generator } from '../src/tensor/generator.ts'
import { useThreads } from '../src/tensor/library.ts'
import { livingTensors, tensorScope } from '../src/tensor/scope.ts'
import { z } from 'zod'

useThreads(1)

const texts = ['a red apple on a table', 'four wolves in the park']
const sampling = { steps: 10, eta: 1, guidance: 7.5 }

function open(name: string, dtype: Dtype = 'float32'): GenerativeModel {
  const folder = fileURLToPath(new URL(`fixtures/stable-diffusion/${name}`, import.meta.url))
  return openStableDiffusion(folder, { device: 'cpu', dtype, imageSize: null, tiling: false }).model
}

/** How red an image is, between 0 and 1. */
const redness: Reward = {
  name: 'redness',
  sha256: '',
  range: [0, 1],
  score: (pixels) => pixels.select(1, 0).flatten(1).mean(1).add(1).div(2),
  embedImages: (pixels) => pixels.flatten(1),
  features: (pixels) => pixels.flatten(2).mean(2),
}

const settings = DpokSettings.parse({
  imagesDrawn: 12,
  rolloutsPerIteration: 6,
  gradientSteps: 2,
  transitionsPerRollout: 4,
  valueUpdates: 2,
  clipRange: 0.2,
})
const lora = z.object(trainableFields).parse({ parameters: 'lora', rank: 2, loraAlpha: 4 })

/** Adapters that already do something, so that policy and reference differ. */
function startedAdapters(model: GenerativeModel): TrainableChange {
  const trainable = trainableChange(model, lora, 1)
  const generator = new Generator(5)
  withoutGrad(() => {
    for (const [name, each] of trainable.parameters) {
      if (name.endsWith('.lora.up')) each.add_(randn(each.shape, generator).mul(0.02))
    }
  })
  return trainable
}

function dpok(model: GenerativeModel, more: Partial<DpokSettings>, iterations = 1, trainable = startedAdapters(model)) {
  const algorithm = new Dpok({
    model,
    trainable,
    reward: redness,
    texts,
    sampler: samplerOf(model, sampling),
    guidance: sampling.guidance,
    seed: 4,
    settings: { ...settings, ...more },
  })
  const metrics: DpokMetrics[] = []
  for (let i = 0; i < iterations; i++) metrics.push(algorithm.step())
  const parameters = [...trainable.parameters.values()].flatMap((each) => each.toArray())
  return { metrics, parameters }
}

function farthest(a: readonly number[], b: readonly number[]): number {
  return Math.max(...a.map((value, i) => Math.abs(value - b[i])))
}

describe('DPOK on a Stable Diffusion checkpoint', () => {
  for (const name of ['sd1', 'sd2', 'sdxl']) {
    it(`changes no log-density before the first update, at any batch size (${name})`, () => {
      using _scope = tensorScope()
      const model = open(name)
      for (const batchSize of [1, 3, 8]) {
        const [{ first_delta: delta, kl }] = dpok(model, { batchSize }).metrics
        assert.ok(delta <= 1e-3, `batch size ${batchSize}: ${delta} nats`)
        assert.ok(kl > 0)
      }
    })

    it(`stays below a tenth of the clip range in bf16 (${name})`, () => {
      using _scope = tensorScope()
      const { metrics } = dpok(open(name, 'bfloat16'), { batchSize: 4 }, 2)
      for (const { first_delta: delta } of metrics) assert.ok(delta < settings.clipRange / 10, `${delta} nats`)
    })

    it(`has the KL of the policy and not of rounding where roll-outs are in bf16 (${name})`, () => {
      using _scope = tensorScope()
      const [exact, narrow] = (['float32', 'bfloat16'] as const).map((dtype) => {
        const model = open(name, dtype)
        return dpok(model, { batchSize: 4 }, 2, trainableChange(model, lora, 1)).metrics.at(-1)!.kl
      })
      assert.ok(narrow < 3 * exact, `${narrow} nats in bf16, ${exact} in float32`)
    })

    it(`takes the same step with checkpointed gradients (${name})`, () => {
      using _scope = tensorScope()
      const model = open(name)
      const [plain, checkpointed] = [false, true].map((gradientCheckpointing) =>
        dpok(model, { gradientCheckpointing, gradientSteps: 1 }),
      )
      const [own, other] = [plain, checkpointed].map(({ metrics }) => metrics[0].grad_norm)
      assert.ok(Math.abs(own / other - 1) < 1e-5, `${own} ${other}`)
      assert.ok(farthest(plain.parameters, checkpointed.parameters) < 1e-5)
    })
  }

  it('keeps what is trained in float32, and leaves no tensor behind', () => {
    for (const dtype of ['float32', 'bfloat16'] as const) {
      using _scope = tensorScope()
      const model = open('sd1', dtype)
      const sampler = samplerOf(model, { ...sampling, steps: 3 })
      const trainable = startedAdapters(model)
      assert.ok([...trainable.parameters.values()].every((each) => each.dtype === 'float32'))
      const algorithm = new Dpok({
        model,
        trainable,
        reward: redness,
        texts,
        sampler,
        guidance: 1,
        seed: 4,
        settings: { ...settings, imagesDrawn: 60, transitionsPerRollout: 2, gradientCheckpointing: true },
      })
      for (let i = 0; i < 4; i++) algorithm.step()
      const before = livingTensors()
      for (let i = 0; i < 2; i++) algorithm.step()
      assert.ok(livingTensors() <= before, `${livingTensors()} living tensors, ${before} before`)
    }
  })
})

describe('reward-weighted training on a Stable Diffusion checkpoint', () => {
  it('does not depend on how an update is accumulated, nor on checkpoints', () => {
    using _scope = tensorScope()
    const model = open('sd1')
    const { stateShape } = policyOf(model)
    const states = { x0: randn([6, ...stateShape], new Generator(1)), earlier: [] }
    const images = Array.from({ length: 6 }, (_, i) => ({ text: texts[i % 2], score: i / 6 }))
    const train = (more: Partial<RewardWeightedSettings>) => {
      const trainable = startedAdapters(model)
      const algorithm = new RewardWeighted({
        model,
        trainable,
        images,
        reward: redness,
        states,
        pretraining: (_, count) => ({
          x0: randn([count, ...stateShape], new Generator(2)),
          earlier: [],
          captions: new Array<string>(count).fill('a photograph'),
        }),
        ...{ seed: 3, sampler: samplerOf(model, sampling), guidance: 1 },
        settings: RewardWeightedSettings.parse({ updates: 2, batchSize: 6, klO: 0.1, ...more }),
      })
      const losses = [algorithm.step(), algorithm.step()].map(({ train_loss: loss }) => loss)
      return { losses, parameters: [...trainable.parameters.values()].flatMap((each) => each.toArray()) }
    }
    const whole = train({})
    for (const more of [
      { gradientAccumulationSteps: 3 },
      { gradientAccumulationSteps: 4, gradientCheckpointing: true },
    ]) {
      const parts = train(more)
      assert.ok(farthest(whole.losses, parts.losses) < 1e-5)
      assert.ok(farthest(whole.parameters, parts.parameters) < 1e-5)
    }
  })
})
