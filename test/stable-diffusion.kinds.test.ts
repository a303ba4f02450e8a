/** Kinds of checkpoints that are sampled in their own way: few-step models, old fine-tunes, files of other programs. */
import assert from 'node:assert/strict'
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { drawStages } from '../src/images/draw.ts'
import { guidedPredictor } from '../src/images/guided.ts'
import { openStableDiffusion } from '../src/networks/stable-diffusion/open.ts'
import { policyOf } from '../src/networks/generative-model.ts'
import { withoutGrad } from '../src/tensor/autograd.ts'
import { full } from '../src/tensor/create.ts'
import { useThreads } from '../src/tensor/library.ts'
import { readSafetensors, writeSafetensors } from '../src/tensor/safetensors.ts'
import { tensorScope } from '../src/tensor/scope.ts'
import type { Tensor } from '../src/tensor/tensor.ts'

useThreads(1)

const fixtures = fileURLToPath(new URL('fixtures/stable-diffusion/', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'attune-kinds-'))
after(() => rmSync(folder, { recursive: true }))

type Json = Record<string, unknown>

/** A copy of a fixture under another name, with other fields in its files. */
function copyOf(source: string, name: string, changes: Readonly<Record<string, Json>>): string {
  const copy = join(folder, name)
  cpSync(join(fixtures, source), copy, { recursive: true })
  for (const [file, fields] of Object.entries(changes)) {
    const own = JSON.parse(readFileSync(join(copy, file), 'utf8')) as Json
    writeFileSync(join(copy, file), JSON.stringify({ ...own, ...fields }))
  }
  return copy
}

const open = (checkpoint: string) =>
  openStableDiffusion(checkpoint, { device: 'cpu', dtype: 'float32', imageSize: null, tiling: false })

const samplingOf = (checkpoint: string) => {
  const { model, notes } = open(checkpoint)
  const { steps, eta, guidance } = policyOf(model).sampling
  return { steps, eta, guidance, notes: notes.join(' ') }
}

const scheduler = 'scheduler/scheduler_config.json'
const few = { steps: 4, eta: 1, guidance: 1 }

describe('how a checkpoint is sampled where nothing is said', () => {
  it('is in many steps with guidance', () => {
    for (const name of ['sd1', 'sd2', 'sdxl']) {
      const { notes, ...sampling } = samplingOf(join(fixtures, name))
      assert.deepEqual(sampling, { steps: 50, eta: 1, guidance: 7.5 })
      assert.doesNotMatch(notes, /few steps/)
    }
  })

  it('is in few steps where the sampler or the name says so, which a note tells with its doubts', () => {
    const turbo = { _class_name: 'EulerAncestralDiscreteScheduler', timestep_spacing: 'trailing' }
    const cases: [checkpoint: string, note: RegExp][] = [
      [copyOf('sdxl', 'one', { [scheduler]: turbo }), /looks like a model for few steps.*trailing.*If it is none/],
      [
        copyOf('sdxl', 'copy', { 'model_index.json': { _name_or_path: '/models/stabilityai/sdxl-turbo' } }),
        /looks like a model for few steps.*its name is sdxl-turbo/,
      ],
      [copyOf('sd1', 'sd-turbo', {}), /looks like a model for few steps.*its name is sd-turbo/],
      [
        copyOf('sd1', 'two', { [scheduler]: { _class_name: 'LCMScheduler' } }),
        /is a model for few steps.*LCMScheduler/,
      ],
    ]
    for (const [checkpoint, told] of cases) {
      const { notes, ...sampling } = samplingOf(checkpoint)
      assert.deepEqual(sampling, few)
      assert.match(notes, told)
    }
  })

  it('tells a consistency model the scale, in place of a second prediction', () => {
    using _scope = tensorScope()
    const { configs } = JSON.parse(readFileSync(join(fixtures, 'expected-cut-unet.json'), 'utf8')) as {
      configs: Record<string, Json>
    }
    const checkpoint = copyOf('sd1', 'three', {
      'model_index.json': { _class_name: 'LatentConsistencyModelPipeline' },
      [scheduler]: { _class_name: 'LCMScheduler' },
      'unet/config.json': configs['told-guidance'],
    })
    const { tensors } = readSafetensors(join(fixtures, 'expected-cut-unet.safetensors'))
    const prefix = 'told-guidance/'
    const own = [...tensors].filter(([key]) => key.startsWith(prefix) && key !== `${prefix}output`)
    const weights = new Map(own.map(([key, each]): [string, Tensor] => [key.slice(prefix.length), each]))
    writeSafetensors(join(checkpoint, 'unet/diffusion_pytorch_model.safetensors'), weights)

    const { notes, ...sampling } = samplingOf(checkpoint)
    assert.deepEqual(sampling, { steps: 4, eta: 1, guidance: 8.5 })
    assert.match(notes, /time_cond_proj_dim/)
    const { model } = open(checkpoint)
    withoutGrad(() => {
      const [xt, t, tokens] = ['sample', 'timestep', 'tokens'].map((key) => tensors.get(key)!.slice(0, 0, 1))
      const prompts = { table: { tokens }, rowOf: new Map([['a', 0]]) }
      const found = guidedPredictor(policyOf(model), prompts, { texts: ['a'] }, 8.5)(xt, t)
      const expected = tensors.get(`${prefix}output`)!.slice(0, 0, 1)
      assert.ok(found.sub(expected).abs().flatten().amax(0).item() < 1e-4)
      const { steps } = policyOf(model).process.sampler({ steps: 4, eta: 1 })
      assert.deepEqual(
        steps.map((step) => step.t),
        [999, 759, 499, 259],
      )
      drawStages(model, [{ text: 'a red apple', seed: 0, index: 0 }], sampling)
    })
  })

  it('never draws without the prompt: guidance 0 is the prompt alone, as 1 is', () => {
    using _scope = tensorScope()
    const { model } = open(join(fixtures, 'sd1'))
    const draw = (text: string, guidance: number) =>
      drawStages(model, [{ text, seed: 0, index: 0 }], { steps: 3, eta: 0, guidance })[0].toArray()
    assert.notDeepEqual(draw('a red apple', 0), draw('two green dogs', 0))
    assert.deepEqual(draw('a red apple', 0), draw('a red apple', 1))
  })
})

describe('files of other times and programs', () => {
  it('are drawn at the size of their training where diffusers before 0.9 wrote 32', () => {
    const changes = { _diffusers_version: '0.8.0', sample_size: 32 }
    const { model, notes } = open(copyOf('sd1', 'old', { 'unet/config.json': changes }))
    assert.deepEqual(policyOf(model).stateShape, [4, 64, 64])
    assert.match(notes.join(' '), /says 32 × 32 latents.*it draws 64 × 64/)
  })

  it('may hold the numbers of Python’s JSON', () => {
    const checkpoint = copyOf('sd1', 'python', {})
    const file = join(checkpoint, scheduler)
    const text = readFileSync(file, 'utf8').trim().replace(/\}$/, ', "lambda_min_clipped": -Infinity, "rho": NaN}')
    writeFileSync(file, text.replace('PNDMScheduler', 'DPMSolverMultistepScheduler'))
    assert.match(open(checkpoint).notes.join(' '), /DPMSolverMultistepScheduler is deterministic/)
  })
})

describe('in half precision', () => {
  const pictureOf = (checkpoint: string, dtype: 'float16' | 'float32') =>
    withoutGrad(() => {
      using _scope = tensorScope()
      const options = { device: 'cpu', dtype, imageSize: null, tiling: false }
      return openStableDiffusion(checkpoint, options)
        .model.decode([full([1, 4, 8, 8], 1.5)])
        .toArray()
    })

  it('an autoencoder that overflows there is held in float32, one that does not is not', () => {
    const vae = 'vae/config.json'
    const overflowing = copyOf('sd1', 'upcast', { [vae]: { force_upcast: true } })
    assert.deepEqual(pictureOf(overflowing, 'float16'), pictureOf(overflowing, 'float32'))
    const mended = copyOf('sd1', 'half', { [vae]: { force_upcast: false } })
    assert.notDeepEqual(pictureOf(mended, 'float16'), pictureOf(mended, 'float32'))
    const silent = copyOf('sd1', 'silent', { [vae]: { force_upcast: undefined } })
    assert.deepEqual(pictureOf(silent, 'float16'), pictureOf(silent, 'float32'))
  })
})
