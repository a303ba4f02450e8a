import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ConfigError, RatioError } from '../../errors.ts'
import { samplerOf } from '../../images/draw.ts'
import { policyOf, type GenerativeModel, type ModelStage } from '../../networks/generative-model.ts'
import { Weights, type Change } from '../../networks/weights.ts'
import { shapesModel } from '../../shapes/model.ts'
import { noGrad, wantsGrad } from '../../tensor/autograd.ts'
import { full, randn } from '../../tensor/create.ts'
import type { Dtype } from '../../tensor/dtype.ts'
import { Generator } from '../../tensor/generator.ts'
import { useThreads } from '../../tensor/library.ts'
import { tensorScope } from '../../tensor/scope.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { Dpok, DpokSettings } from '../algorithms/dpok.ts'
import { fullSampler, linearReward, noShifts, predict, process, ShiftedModel, shiftsFrom } from '../gaussian-model.test-helper.ts' // prettier-ignore
import { trainableChange } from '../trainable.ts'
import { placesToMeasure, roundingVariance } from './rounding.ts'

useThreads(1)

describe('the rounding of log-ratios', () => {
  it('is √2 ‖δμ/σ‖ over all trained steps, whatever step a prediction is of', () => {
    using _scope = tensorScope()
    const shape = [2, 1, 2, 2]
    const xt = randn(shape, new Generator(1))
    const exact = randn(shape, new Generator(2)).to('float64')
    const error = 0.01
    const steps = [0, 1, 2]
    const natsOf = (rounded: Tensor) => Math.sqrt(roundingVariance(fullSampler, steps, { rounded, exact, xt }).item())
    const nats = natsOf(exact.add(error).to('float32'))
    const squares = steps.map((step) => {
      const { meanPerPrediction, sigma } = fullSampler.steps[step]
      return 2 * 4 * ((meanPerPrediction * error) / sigma) ** 2
    })
    const expected = Math.sqrt(squares.reduce((sum, one) => sum + one, 0) / steps.length)
    assert.ok(Math.abs(nats / expected - 1) < 1e-4, `${nats}, by hand ${expected}`)
    assert.ok(natsOf(exact.to('float32')) < 1e-5)
  })

  it('is measured on transitions from early and late steps', () => {
    const minibatch = [5, 1, 3, 2, 4, 0].map((step) => ({ rollout: 9 - step, step }))
    const measured = (of: typeof minibatch) => placesToMeasure(of).map(({ step }) => step)
    assert.deepEqual([measured(minibatch), measured(minibatch.slice(0, 1))], [[1, 4], [5]])
  })
})

/** A model whose training pass computes in this type, whatever it is asked for but float64. */
function computingIn(dtype: Dtype, model: GenerativeModel): GenerativeModel {
  const own = model.in.bind(model)
  return Object.defineProperty(model, 'in', { value: (asked: Dtype) => own(asked === 'float64' ? asked : dtype) })
}

function embedded(): GenerativeModel {
  const model = shapesModel(Weights.fresh(3), '')
  using _noGrad = noGrad()
  policyOf(model).predict(full([1, 3, 24, 24], 0), full([1], 5, 'int64'), model.encodeText(['']))
  return model
}

const few = { imagesDrawn: 8, rolloutsPerIteration: 4, transitionsPerRollout: 2, gradientSteps: 2, value: false }

function dpok(model: GenerativeModel, settings: Partial<DpokSettings>): Dpok {
  return new Dpok({
    model,
    trainable: trainableChange(model, { parameters: 'text', rank: 2, loraAlpha: 2, loraLayers: ['attention'] }, 1),
    reward: { ...linearReward(1), score: (pixels) => pixels.flatten(1).mean(1) },
    texts: ['red circles', 'two rings'],
    sampler: samplerOf(model, { steps: 4, eta: 1, guidance: 1 }),
    guidance: 2,
    seed: 2,
    settings: DpokSettings.parse({ ...few, ...settings }),
  })
}

describe('a policy gradient on rounding', () => {
  it('tells how little of a log-ratio is rounding', () => {
    using _scope = tensorScope()
    const { noise_nats: noise } = dpok(embedded(), {}).step()
    assert.ok(noise > 1e-6 && noise < 1e-3, `${noise}`)
  })

  it('is refused where it is more than half of the clip range, unless it is ignored', () => {
    using _scope = tensorScope()
    const { noise_nats: noise } = dpok(embedded(), {}).step()
    const refused = { name: 'ConfigError', message: /^--clip-range: expected at least .* nats, .*--ignore-rounding$/ }
    assert.throws(() => dpok(embedded(), { clipRange: 1.9 * noise }).step(), refused)
    assert.equal(dpok(embedded(), { clipRange: 2.1 * noise }).step().noise_nats, noise)
    assert.equal(dpok(embedded(), { clipRange: 1.9 * noise, ignoreRounding: true }).step().noise_nats, noise)
  })

  it('is refused in a training pass of bfloat16', () => {
    using _scope = tensorScope()
    const clipRange = 0.05
    const narrow = () => computingIn('bfloat16', embedded())
    assert.throws(() => dpok(narrow(), { clipRange }).step(), ConfigError)
    const exact = dpok(embedded(), { clipRange }).step()
    // Both passes round alike in the middle of a network, but not in the order of their batches.
    const { noise_nats: noise, first_delta: first } = dpok(narrow(), { ignoreRounding: true }).step()
    assert.ok(noise > 1000 * exact.noise_nats && first < 10 * noise, `${noise}, first ${first}`)
  })
})

/** The chain of two numbers whose second pass, with gradients, predicts something else. */
class TwoPasses extends ShiftedModel {
  readonly name = 'two-passes'
  readonly sha256 = 'c'.repeat(64)
  readonly stages: readonly ModelStage[]
  readonly #difference: number

  constructor(weights: Weights, difference: number) {
    super(weights, 0)
    this.#difference = difference
    this.stages = [
      {
        name: 'chain',
        process,
        stateShape: [1, 2, 2],
        sampling: { steps: 4, eta: 1, guidance: 1 },
        condition: (text) => text,
        predict: (xt, t, given) => predict(xt, t, given).add(wantsGrad() ? difference : 0),
      },
    ]
  }

  decode([x0]: readonly Tensor[]): Tensor {
    return x0
  }

  preview([x0]: readonly Tensor[]): Tensor {
    return x0
  }

  encode(pixels: Tensor) {
    return { x0: pixels.slice(1, 0, 1), earlier: [] }
  }

  with(change: Change): GenerativeModel {
    return new TwoPasses(this.weights.with(change), this.#difference)
  }
}

describe('the first ratio', () => {
  const step = (difference: number) => {
    using _scope = tensorScope()
    return new Dpok({
      model: new TwoPasses(noShifts(), difference),
      trainable: shiftsFrom(),
      reward: linearReward(1),
      texts: ['low'],
      sampler: fullSampler,
      guidance: 1,
      seed: 5,
      settings: DpokSettings.parse({ ...few, batchSize: 3, gradientSteps: 1 }),
    }).step()
  }

  it('ends the run where a model computes something else with gradients, and names batch and step', () => {
    assert.throws(
      () => step(0.01),
      (error) =>
        error instanceof RatioError &&
        error.exitCode === 1 &&
        /^first update, batch [123] of 3, sampling step [123]: expected the log-density .* within 0\.0010 nats, received one that differs by 0\.\d+ nats/.test(
          error.message,
        ),
    )
  })

  it('lets rounding pass', () => {
    assert.ok(step(0).first_delta < 1e-5)
    assert.ok(step(1e-6).first_delta > 1e-7)
  })
})
