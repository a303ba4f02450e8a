import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { drawStages, samplerOf } from '../images/draw.ts'
import { Dpok, DpokSettings } from '../policy/algorithms/dpok.ts'
import { linearReward } from '../policy/gaussian-model.test-helper.ts'
import { trainableChange, type Trainable } from '../policy/trainable.ts'
import { noGrad } from '../tensor/autograd.ts'
import { useThreads } from '../tensor/library.ts'
import { tensorScope } from '../tensor/scope.ts'
import type { Tensor } from '../tensor/tensor.ts'
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
