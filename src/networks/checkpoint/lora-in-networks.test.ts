/** LoRA files in front of the networks give what diffusers computes with them. */
import assert from 'node:assert/strict'
import { dirname, join } from 'node:path'
import { describe, it } from 'node:test'
import { targetsOf } from '../../../test/fixtures/lora/ours.ts'
import { guide } from '../../diffusion/guidance.ts'
import { sampleImages } from '../../diffusion/sample.ts'
import { withoutLeak } from '../../diffusion/tensor-checks.test-helper.ts'
import { policyOf } from '../generative-model.ts'
import { stack } from '../../tensor/create.ts'
import { useThreads } from '../../tensor/library.ts'
import { readSafetensors } from '../../tensor/safetensors.ts'
import { tensorScope } from '../../tensor/scope.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { assertNear, expectedOf, fixtures, readJson } from '../clip/fixture.test-helper.ts'
import { TextEncoderConfig } from '../clip/config.ts'
import { projectText, textModel } from '../clip/text-model.ts'
import { openStableDiffusion } from '../stable-diffusion/open.ts'
import { readUnetConfig } from '../stable-diffusion/unet-config.ts'
import { unet } from '../stable-diffusion/unet.ts'
import { Weights } from '../weights.ts'
import { readLora } from './lora-file.ts'

useThreads(1)

/** The tiny checkpoint with a LoRA in front. */
function openWith(file: string, name: string): Weights {
  const tensors = new Map<string, Tensor>()
  const parts = ['unet/diffusion_pytorch_model', 'text_encoder/model', 'text_encoder_2/model']
  for (const part of name === 'sdxl' ? parts : parts.slice(0, 2)) {
    const { tensors: own } = readSafetensors(join(fixtures, name, `${part}.safetensors`))
    for (const [key, each] of own) tensors.set(`${dirname(part)}.${key}`, each)
  }
  return Weights.of(tensors).with({ adapters: readLora(file, targetsOf(name), name).adapters })
}

/** The denoiser's output for the inputs that all stored numbers share. */
function denoise(weights: Weights, name: string): Tensor {
  const config = readUnetConfig(readJson(`${name}/unet/config.json`), name)
  const given = expectedOf(name)
  const [tokens, sample, t] = ['encoder_hidden_states', 'sample', 'timestep'].map((key) => given(`unet.${key}`))
  const extra = config.addition && { pooled: given('unet.text_embeds'), timeIds: given('unet.time_ids') }
  return unet(weights.at('unet'), config, sample, t, { tokens, ...extra })
}

/** What a text encoder says, under the names of the stored numbers. */
function encode(weights: Weights, name: string, encoder: 'text_encoder' | 'text_encoder_2'): Record<string, Tensor> {
  const { text, projection } = TextEncoderConfig.parse(readJson(`${name}/${encoder}/config.json`))
  const key = encoder === 'text_encoder' ? 'text' : 'text_2'
  const own = weights.at(encoder)
  const { last, penultimate, pooled } = textModel(own, text, expectedOf(name)(`${key}.input_ids`))
  const final =
    projection === undefined ? { pooler_output: pooled } : { text_embeds: projectText(own, text, projection, pooled) }
  const outputs = { last_hidden_state: last, penultimate_hidden_state: penultimate, ...final }
  return Object.fromEntries(Object.entries(outputs).map(([output, value]) => [`${key}.${output}`, value]))
}

describe('a LoRA of another program, in front of the networks', () => {
  // diffusers itself loads only a part of lora-sd1-mixed.
  const folders = 'sd1 sd1-plain sd1-text sd1-conv sd1-kohya sd1-conv-kohya sd2 sdxl sdxl-kohya'.split(' ')
  for (const folder of folders) {
    it(`gives what diffusers computes: ${folder}`, () => {
      withoutLeak(() => {
        const [name] = folder.split('-')
        const expected = readSafetensors(join(fixtures, 'expected-lora.safetensors')).tensors
        const weights = openWith(join(fixtures, `lora-${folder}`, 'pytorch_lora_weights.safetensors'), name)
        const outputs = {
          unet_output: denoise(weights, name),
          ...encode(weights, name, 'text_encoder'),
          ...(name === 'sdxl' && encode(weights, name, 'text_encoder_2')),
        }
        for (const [key, value] of Object.entries(outputs)) {
          // What the LoRA leaves alone is stored with the numbers of the checkpoint.
          assertNear(value, expected.get(`lora-${folder}.${key}`) ?? expectedOf(name)(key), 1e-5)
        }
        assert.deepEqual(weights.unasked(), [])
      })
    })
  }
})

describe('a LoRA of Attune, loaded into diffusers', () => {
  const folder = join(fixtures, '../lora')
  for (const name of ['sd1', 'sdxl']) {
    for (const form of ['diffusers', 'kohya']) {
      it(`gives the same text, predictions and image there and here: ${name}, ${form}`, () => {
        using _scope = tensorScope()
        const expected = (key: string) => stored.get(`${name}.${key}`)!
        const { tensors: stored } = readSafetensors(join(folder, 'expected.safetensors'))
        const file = join(folder, `${name}-${form}.safetensors`)
        assertNear(denoise(openWith(file, name), name), expected('unet_output'), 1e-5)

        const options = { device: 'cpu', dtype: 'float32', imageSize: null, tiling: false } as const
        const { model: base } = openStableDiffusion(join(fixtures, name), options)
        const model = base.with({ adapters: readLora(file, targetsOf(name), name).adapters })
        const { prompts } = readJson('prompts.json') as { prompts: string[] }
        const given = model.encodeText(prompts.slice(0, 1))
        assertNear(given.tokens, expected('text.prompt_embeds').slice(0, 0, 1), 1e-5)
        if (name === 'sdxl') assertNear(given.pooled, expected('text.pooled_prompt_embeds').slice(0, 0, 1), 1e-5)

        const none = model.encodeText([''])
        const latents = expected('latents')
        const { process, predict } = policyOf(model)
        const x0 = sampleImages({
          predict: (xt, t) => guide(predict(xt, t, none), predict(xt, t, given), 7.5),
          sampler: process.sampler({ steps: 4, eta: 0 }),
          noise: stack(Array<Tensor>(5).fill(latents), 1),
        })
        assertNear(x0, expected('final_latents'), 1e-4)
      })
    }
  }
})
