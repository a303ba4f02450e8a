/**
 * Whole checkpoints against diffusers' own numbers, on the CPU and on a GPU where there is one: what the networks say,
 * ten steps of DDIM from the same noise, log-density and KL of a transition. See fixtures/stable-diffusion.
 */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { ddimSampler, ddimTransition } from '../src/diffusion/ddim.ts'
import { gaussianKl, gaussianLogDensity } from '../src/diffusion/gaussian.ts'
import { sampleImages } from '../src/diffusion/sample.ts'
import { scheduleFromAlphaBar, type PredictionType } from '../src/diffusion/schedule.ts'
import { drawStages, samplerOf } from '../src/images/draw.ts'
import { encodePrompts, guidedPredictor } from '../src/images/guided.ts'
import { policyOf, type GenerativeModel } from '../src/networks/generative-model.ts'
import { openStableDiffusion } from '../src/networks/stable-diffusion/open.ts'
import { withoutGrad } from '../src/tensor/autograd.ts'
import { cat } from '../src/tensor/create.ts'
import type { Dtype } from '../src/tensor/dtype.ts'
import { describeLibrary, useThreads } from '../src/tensor/library.ts'
import { readSafetensors } from '../src/tensor/safetensors.ts'
import { tensorScope } from '../src/tensor/scope.ts'
import { operator, type Tensor } from '../src/tensor/tensor.ts'

useThreads(1)

const fixtures = fileURLToPath(new URL('fixtures/stable-diffusion/', import.meta.url))
const { prompts } = JSON.parse(readFileSync(join(fixtures, 'prompts.json'), 'utf8')) as { prompts: string[] }
const devices = describeLibrary().cudaDevices > 0 ? ['cpu', 'cuda:0'] : ['cpu']

function open(name: string, dtype: Dtype, device: string): GenerativeModel {
  return openStableDiffusion(join(fixtures, name), { device, dtype, imageSize: null, tiling: false }).model
}

function expectedOf(name: string): (key: string) => Tensor {
  const { tensors } = readSafetensors(join(fixtures, `expected-${name}.safetensors`))
  return (key) => tensors.get(key) ?? assert.fail(`no ${key} in the fixture`)
}

function assertNear(actual: Tensor, expected: Tensor, within: number, what: string): void {
  const apart = actual.to('cpu').to('float64').sub(expected.to('float64')).abs().flatten().amax(0).item()
  assert.ok(apart <= within, `${what}: ${apart}, at most ${within} expected`)
}

/** Text, prediction and picture, largest absolute difference; and pictures after ten steps. */
const tolerances = {
  float32: { network: 1e-4, pixels: 1e-3 },
  // 8 bits of mantissa through ten steps with guidance 7.5
  bfloat16: { network: 0.15, pixels: 0.5 },
} as const

const linspace = operator<[from: number, to: number, count: number], Tensor>('linspace')
const cumprod = operator<[x: Tensor, dim: number], Tensor>('cumprod')

/**
 * ᾱ of Stable Diffusion as diffusers holds it: in float32, which is up to 4e-5 of the variance away from ours at the last
 * steps, where 1 − ᾱ is small.
 */
function float32AlphaBar(): number[] {
  const betas = linspace(Math.sqrt(0.00085), Math.sqrt(0.012), 1000).square()
  return cumprod(betas.neg().add(1), 0).toArray()
}

for (const device of devices) {
  for (const dtype of ['float32', 'bfloat16'] as const) {
    const { network, pixels } = tolerances[dtype]
    for (const name of ['sd1', 'sd2', 'sdxl']) {
      describe(`${name} in ${dtype} on ${device}`, () => {
        it('reads prompts, predicts and decodes as diffusers does', () => {
          using _scope = tensorScope()
          const [model, expected] = [open(name, dtype, device), expectedOf(name)]
          withoutGrad(() => {
            const shown = [0, 2]
            const { tokens, pooled } = model.encodeText(shown.map((i) => prompts[i]))
            assertNear(tokens, expected('unet.encoder_hidden_states'), network, 'tokens')
            const conditioning = { tokens: expected('unet.encoder_hidden_states').to(device).to(dtype) }
            // Of XL the fixture has sizes of its own; `unet.test.ts` takes them.
            if (pooled !== undefined) return
            const [sample, t] = [expected('unet.sample'), expected('unet.timestep')].map((each) => each.to(device))
            assertNear(policyOf(model).predict(sample, t, conditioning), expected('unet.output'), network, 'prediction')
          })
        })

        it('draws the same pictures in ten steps of DDIM, deterministic and stochastic', () => {
          using _scope = tensorScope()
          const [model, expected] = [open(name, dtype, device), expectedOf(name)]
          withoutGrad(() => {
            const texts = expected('sampling.prompt_index')
              .toArray()
              .map((i) => prompts[i])
            const start = expected('sampling.latents')
            const requests = texts.map((text, index) => ({ text, seed: 0, index }))
            const sampling = { steps: 10, eta: 0, guidance: 7.5 }
            const { steps } = samplerOf(model, sampling)
            assert.deepEqual(
              steps.map(({ t }) => t),
              expected('sampling.timesteps').toArray(),
            )
            const drawn = model.decode(drawStages(model, requests, sampling, new Map([['unet', start]])))
            assertNear(drawn, expected('sampling.pixels').clamp(-1, 1), pixels, 'pixels, η = 0')

            const encoded = encodePrompts(model, texts)
            const noise = cat([start.unsqueeze(1), expected('sampling.noise').transpose(0, 1)], 1).to(device)
            const stochastic = sampleImages({
              predict: guidedPredictor(policyOf(model), encoded, { texts }, sampling.guidance),
              sampler: samplerOf(model, { ...sampling, eta: 1 }),
              noise,
            })
            assertNear(
              model.decode([stochastic]),
              expected('sampling.pixels_eta1').clamp(-1, 1),
              pixels,
              'pixels, η = 1',
            )
          })
        })
      })
    }
  }

  describe(`a transition on ${device}`, () => {
    for (const name of ['sd1', 'sd2', 'sdxl']) {
      it(`has diffusers' log-density and KL, given its predictions (${name})`, () => {
        using _scope = tensorScope()
        const [model, expected] = [open(name, 'float32', device), expectedOf(name)]
        const { predictionType } = policyOf(model).process
        const times = samplerOf(model, { steps: 10, eta: 1, guidance: 1 }).steps.map(({ t }) => t)
        const alphaBar = float32AlphaBar()
        const schedule = scheduleFromAlphaBar({ alphaBar, predictionType: predictionType as PredictionType })
        const sampler = ddimSampler(schedule, times, { eta: 1, finalAlphaBar: alphaBar[0] })
        const read = (key: string) => expected(`transition.${key}`).to(device)
        // [steps, batch, …]: every row of every step is a transition of its own.
        const rows = read('xt').shape[1]
        const steps = expected('transition.step_index')
          .toArray()
          .flatMap((step) => new Array<number>(rows).fill(step))
        const flat = (key: string) => read(key).flatten(0, 1)
        const of = (prediction: Tensor) => ddimTransition(prediction, flat('xt'), steps, sampler)
        const own = of(flat('prediction'))
        const reference = of(flat('reference_prediction'))
        const relative = (actual: Tensor, key: string) => {
          const [found, wanted] = [actual.to('cpu').toArray(), expected(`transition.${key}`).flatten().toArray()]
          found.forEach((value, i) => {
            assert.ok(Math.abs(value - wanted[i]) <= 1e-5 * Math.abs(wanted[i]), `${key}: ${value}, not ${wanted[i]}`)
          })
        }
        relative(gaussianLogDensity(flat('x_prev'), own.mean, own.sigma), 'log_density')
        relative(gaussianKl(own.mean, reference.mean, own.sigma), 'kl')
      })
    }
  })
}

describe('a negative prompt', () => {
  for (const name of ['sd1', 'sd2', 'sdxl']) {
    it(`leads where it leads in diffusers (${name})`, () => {
      using _scope = tensorScope()
      const [model, expected] = [open(name, 'float32', 'cpu'), expectedOf('negative')]
      const asked = [
        { text: prompts[0], negative: 'blurry, a green pear' },
        { text: prompts[2], negative: '' },
      ]
      const requests = asked.map((one, index) => ({ ...one, seed: 0, index }))
      const sampling = { steps: 10, eta: 0, guidance: 7.5 }
      const starts = new Map([['unet', expected('latents')]])
      const [drawn] = withoutGrad(() => drawStages(model, requests, sampling, starts))
      const [plain] = withoutGrad(() =>
        drawStages(
          model,
          requests.map(({ text, index }) => ({ text, seed: 0, index })),
          sampling,
          starts,
        ),
      )
      assert.ok(drawn.sub(plain).abs().flatten().amax(0).item() > 0.01, 'it changes the picture')
      const [first, wanted] = [drawn, expected(name)].map((x) => x.slice(0, 0, 1))
      assertNear(first, wanted, 1e-3, 'x_0')
      // An empty text that is given is encoded by SDXL pipelines, and zeros where none is given, as here.
      if (name !== 'sdxl') assertNear(drawn, expected(name), 1e-3, 'x_0 of both')
    })
  }
})

describe('how weights are stored', () => {
  it('does not matter: shards give the same pictures, fp16 files those of their rounding', () => {
    using _scope = tensorScope()
    const draw = (name: string) =>
      withoutGrad(() => {
        const model = open(name, 'float32', 'cpu')
        const requests = [{ text: prompts[0], seed: 1, index: 0 }]
        return model.decode(drawStages(model, requests, { steps: 10, eta: 0, guidance: 7.5 }))
      })
    const whole = draw('sd1')
    assertNear(draw('sd1-sharded'), whole, 0, 'shards')
    assertNear(draw('sd1-fp16'), whole, 0.05, 'fp16')
  })
})
