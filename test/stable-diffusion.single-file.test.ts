/**
 * Single-file checkpoints. `single_files.py` writes the tiny checkpoints in the original names and has diffusers'
 * `from_single_file` read them: it gives the networks of the folders, so they are what is expected here. At full size, files
 * with nothing but a header show what is told by shapes.
 */
import assert from 'node:assert/strict'
import { closeSync, ftruncateSync, mkdtempSync, openSync, renameSync, rmSync, writeFileSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { drawStages } from '../src/images/draw.ts'
import { TextEncoderConfig } from '../src/networks/clip/config.ts'
import type { TensorSource } from '../src/networks/checkpoint/find-weights.ts'
import { inspectModel } from '../src/networks/inspect-model.ts'
import { readAutoencoderConfig } from '../src/networks/stable-diffusion/autoencoder-config.ts'
import { tryAutoencoder, tryDenoiser, tryTextEncoder } from '../src/networks/stable-diffusion/checked-parts.ts'
import type { CheckpointOptions } from '../src/networks/stable-diffusion/checkpoint-fields.ts'
import { checkCheckpoint } from '../src/networks/stable-diffusion/checkpoint.ts'
import { openStableDiffusion } from '../src/networks/stable-diffusion/open.ts'
import {
  autoencoderSpelling,
  denoiserSpelling,
  parametersOf,
  textSpelling,
  type AskedShapes,
} from '../src/networks/stable-diffusion/original-weights.ts'
import { sd15, sd21, sdxl } from '../src/networks/stable-diffusion/published-configs.test-helper.ts'
import { readUnetConfig } from '../src/networks/stable-diffusion/unet-config.ts'
import { withoutGrad } from '../src/tensor/autograd.ts'
import { zeros } from '../src/tensor/create.ts'
import { useThreads } from '../src/tensor/library.ts'
import { readSafetensors, writeSafetensors } from '../src/tensor/safetensors.ts'
import { livingTensors, tensorScope } from '../src/tensor/scope.ts'
import type { Tensor } from '../src/tensor/tensor.ts'

useThreads(1)

const fixtures = fileURLToPath(new URL('fixtures/stable-diffusion/', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'attune-single-'))
after(() => rmSync(folder, { recursive: true }))

const names = ['sd1', 'sd2', 'sdxl'] as const
const tiny = (name: string) => join(fixtures, 'single-files', `${name}.safetensors`)
const open = (name: string, checkpoint?: CheckpointOptions) =>
  openStableDiffusion(name, { device: 'cpu', dtype: 'float32', imageSize: null, tiling: false, checkpoint }).model

/** A copy of a tiny single file with other tensors. */
function edited(name: (typeof names)[number], copy: string, change: (all: Map<string, Tensor>) => void): string {
  using _scope = tensorScope()
  const { tensors } = readSafetensors(tiny(name))
  change(tensors)
  const file = join(folder, copy)
  writeSafetensors(file, tensors)
  return file
}

function assertSamePictures(one: ReturnType<typeof open>, other: ReturnType<typeof open>): void {
  withoutGrad(() => {
    const request = [{ text: 'a red apple!', seed: 1, index: 0 }]
    const sampling = { steps: 3, eta: 1, guidance: 7.5 }
    const [a, b] = [one, other].map((model) => model.decode(drawStages(model, request, sampling)).toArray())
    assert.deepEqual(a, b)
  })
}

describe('a single file', () => {
  for (const name of names) {
    it(`is the checkpoint of its folder: ${name}`, () => {
      using _scope = tensorScope()
      const whole = open(join(fixtures, name))
      const single = open(tiny(name), { modelConfig: join(fixtures, name) })
      const [expected, found] = [whole.weights.tensors(), single.weights.tensors()]
      assert.deepEqual([...found.keys()].sort(), [...expected.keys()].sort())
      for (const [key, one] of expected) {
        assert.deepEqual(found.get(key)!.shape, one.shape, key)
        assert.deepEqual(found.get(key)!.toArray(), one.toArray(), key)
      }
      assertSamePictures(single, whole)
    })
  }

  it('may leave out text_model, as newer versions of transformers do', () => {
    using _scope = tensorScope()
    const short = edited('sd1', 'short.safetensors', (all) => {
      for (const [key, one] of [...all]) {
        if (!key.includes('.text_model.')) continue
        all.delete(key)
        all.set(key.replace('.text_model.', '.'), one)
      }
    })
    assertSamePictures(open(short, { modelConfig: join(fixtures, 'sd1') }), open(join(fixtures, 'sd1')))
  })

  it('has the autoencoder that is given: a file of either names, a folder, or that of a checkpoint', () => {
    using _scope = tensorScope()
    const known = { modelConfig: join(fixtures, 'sd1') }
    const bare = edited('sd1', 'bare.safetensors', (all) => {
      for (const key of [...all.keys()]) if (key.startsWith('first_stage_model.')) all.delete(key)
    })
    assert.throws(() => open(bare, known), /expected an autoencoder under first_stage_model.*--vae FILE/)
    const own = edited('sd1', 'vae.safetensors', (all) => {
      for (const [key, one] of [...all]) {
        all.delete(key)
        if (key.startsWith('first_stage_model.')) all.set(key.slice('first_stage_model.'.length), one)
      }
    })
    const vae = join(fixtures, 'sd1/vae')
    for (const given of [own, vae, join(vae, 'diffusion_pytorch_model.safetensors'), join(fixtures, 'sd1')]) {
      assertSamePictures(open(bare, { ...known, vae: given }), open(join(fixtures, 'sd1')))
    }
    const replaced = checkCheckpoint(join(fixtures, 'sd1'), { vae: join(fixtures, 'sd2/vae') })
    assert.match(replaced.vae.network.found.files[0], /sd2/)
  })

  it('predicts what is said', () => {
    const checked = checkCheckpoint(tiny('sd1'), { modelConfig: join(fixtures, 'sd1'), predictionType: 'v_prediction' })
    assert.equal(checked.noise.process.schedule.predictionType, 'v')
    assert.equal(
      checkCheckpoint(join(fixtures, 'sd2'), { predictionType: 'epsilon' }).noise.process.schedule.predictionType,
      'epsilon',
    )
  })

  it('is refused by what it is, with what to do', () => {
    using _scope = tensorScope()
    const known = { modelConfig: join(fixtures, 'sd1') }
    const without = (copy: string, part: RegExp) =>
      edited('sd1', copy, (all) => {
        for (const key of [...all.keys()]) if (part.test(key)) all.delete(key)
      })
    const of = (key: string) => {
      const file = join(folder, `${key}.safetensors`)
      writeSafetensors(file, new Map([[key, zeros([2, 2])]]))
      return file
    }
    const refused: [file: string, told: RegExp][] = [
      [of('lora_unet_down_blocks_0.lora_down.weight'), /received a LoRA — give it as --policy/],
      [of('unet.mid.lora_A.weight'), /received a LoRA/],
      [of('model.diffusion_model.double_blocks.0.x'), /of the kind of FLUX/],
      [of('model.diffusion_model.joint_blocks.0.x'), /Stable Diffusion 3/],
      [of('down_blocks.0.resnets.0.conv1.weight'), /denoiser in diffusers’ names.*name the folder/],
      [of('encoder.down.0.block.0.conv1.weight'), /an autoencoder alone — give it as --vae/],
      [of('lora_unet_x.hada_w1_a'), /received a LoRA — give it as --policy/],
      [of('emb_params'), /received words learned by textual inversion — choose a checkpoint/],
      [of('string_to_param.*'), /received words learned by textual inversion/],
      [of('model.0.weight'), /received an upscaler/],
      [of('blip.text_encoder.embeddings.LayerNorm.bias'), /received ImageReward — give it as --reward/],
      [of('input_blocks.0.0.weight'), /received a denoiser alone — take the whole checkpoint, with its text encoders/],
      [of('model_ema.diffusion_modelinput_blocks00weight'), /received the averages of training \(EMA\) alone/],
      [of('text_model.final_layer_norm.weight'), /received a text encoder alone/],
      [of('x'), /received x — check that it is a whole checkpoint/],
      [without('no-text.safetensors', /^cond_stage/), /received none — give the whole checkpoint/],
      [
        edited('sdxl', 'one-text.safetensors', (all) => {
          for (const key of [...all.keys()]) if (key.startsWith('conditioner.embedders.1.')) all.delete(key)
        }),
        /received only conditioner\.embedders\.0\.transformer\. — give the whole checkpoint/,
      ],
      [
        without('no-bias.safetensors', /^model\.diffusion_model\.out\.2\.bias/),
        /model\.diffusion_model\.out\.2\.bias: expected a tensor of shape \[4\], received no tensor/,
      ],
      [
        edited('sd1', 'more.safetensors', (all) => all.set('model.diffusion_model.extra', zeros([1]))),
        /model\.diffusion_model\.extra: expected only tensors of the network/,
      ],
    ]
    for (const [file, told] of refused) assert.throws(() => checkCheckpoint(file, known), told)
    // Nobody publishes networks of these sizes: their heads and groups cannot be told.
    assert.throws(() => checkCheckpoint(tiny('sd2'), { predictionType: 'epsilon' }), /--model-config FOLDER/)
    assert.throws(() => checkCheckpoint(join(fixtures, 'sd1'), known), /--model-config: expected a single file/)
  })

  it('leaves no tensors behind', () => {
    const before = livingTensors()
    for (const name of names) checkCheckpoint(tiny(name), { modelConfig: join(fixtures, name) })
    assert.equal(livingTensors(), before)
  })
})

const clipL = {
  vocab_size: 49408,
  hidden_size: 768,
  intermediate_size: 3072,
  num_attention_heads: 12,
  num_hidden_layers: 12,
}
const clipH = { ...clipL, hidden_size: 1024, intermediate_size: 4096, num_attention_heads: 16, num_hidden_layers: 23 }
const clipG = { ...clipL, hidden_size: 1280, intermediate_size: 5120, num_attention_heads: 20, num_hidden_layers: 32 }
const textConfig = (fields: object, projection?: number) =>
  TextEncoderConfig.parse({
    ...fields,
    architectures: [projection === undefined ? 'CLIPTextModel' : 'CLIPTextModelWithProjection'],
    projection_dim: projection ?? 512,
  })
const vaeConfig = readAutoencoderConfig(
  {
    _class_name: 'AutoencoderKL',
    block_out_channels: [128, 256, 512, 512],
    down_block_types: new Array<string>(4).fill('DownEncoderBlock2D'),
    up_block_types: new Array<string>(4).fill('UpDecoderBlock2D'),
    layers_per_block: 2,
    sample_size: 512,
  },
  'vae',
)

/** A file of a published model's shapes in float16, in which no element is ever written. */
function published(
  name: string,
  unet: object,
  towers: readonly (readonly [prefix: string, config: TextEncoderConfig])[],
  marks: readonly string[] = [],
) {
  const entries: Record<string, { dtype: string; shape: readonly number[]; data_offsets: number[] }> = {}
  let size = 0
  const add = (key: string, shape: readonly number[]) => {
    const bytes = 2 * shape.reduce((product, one) => product * one, 1)
    if (key in entries) return
    entries[key] = { dtype: 'F16', shape, data_offsets: [size, size + bytes] }
    size += bytes
  }
  const addAll = (prefix: string, asked: AskedShapes, spell: (name: string) => TensorSource) => {
    for (const [own, shape] of asked) {
      const { key, third, transposed } = spell(own)
      const whole = third === undefined ? shape : [3 * shape[0], ...shape.slice(1)]
      const isSquare = /attn_1\.(q|k|v|proj_out)\.weight$/.test(key)
      add(prefix + key, transposed === true ? whole.toReversed() : isSquare ? [...whole, 1, 1] : whole)
    }
  }
  const asked = parametersOf(tryDenoiser(readUnetConfig(unet, name)))
  addAll('model.diffusion_model.', asked, denoiserSpelling(asked))
  addAll('first_stage_model.', parametersOf(tryAutoencoder(vaeConfig)), autoencoderSpelling(4))
  for (const [prefix, config] of towers) {
    const spelling = prefix.endsWith('.model.') ? 'open-clip' : 'transformers'
    addAll(prefix, parametersOf(tryTextEncoder(config)), textSpelling(spelling))
  }
  if (name.startsWith('sd2')) {
    for (const key of ['ln_1.weight', 'ln_2.weight', 'mlp.c_fc.weight', 'mlp.c_fc.bias', 'attn.in_proj_weight']) {
      const shape = key === 'mlp.c_fc.weight' ? [4096, 1024] : [key === 'mlp.c_fc.bias' ? 4096 : 1024]
      add(`${towers[0][0]}transformer.resblocks.23.${key}`, shape)
    }
    add(`${towers[0][0]}text_projection`, [1024, 1024])
  }
  for (const mark of marks) add(mark, [0])
  const file = join(folder, `${name}.safetensors`)
  const header = Buffer.from(JSON.stringify(entries))
  const length = Buffer.alloc(8)
  length.writeBigUInt64LE(BigInt(header.length))
  const descriptor = openSync(file, 'w')
  writeSync(descriptor, length)
  writeSync(descriptor, header)
  ftruncateSync(descriptor, 8 + header.length + size)
  closeSync(descriptor)
  return file
}

describe('what the shapes of a published model tell', () => {
  const sd1Tower = [['cond_stage_model.transformer.', textConfig(clipL)]] as const
  const sd2Tower = [['cond_stage_model.model.', textConfig({ ...clipH, hidden_act: 'gelu' })]] as const
  const xlTowers = [
    ['conditioner.embedders.0.transformer.', textConfig(clipL)],
    ['conditioner.embedders.1.model.', textConfig({ ...clipG, hidden_act: 'gelu' }, 1280)],
  ] as const

  it('is Stable Diffusion 1', () => {
    const checked = checkCheckpoint(published('sd1-full', sd15, sd1Tower))
    assert.deepEqual(checked.unet.config, readUnetConfig(sd15, ''))
    assert.deepEqual(checked.vae.config, vaeConfig)
    assert.deepEqual(checked.towers[0].config, textConfig(clipL))
    assert.deepEqual([checked.imageSize.height, checked.noise.process.schedule.predictionType], [512, 'epsilon'])
    assert.equal(checked.towers[0].tokenizer.pad, 49407)
    assert.deepEqual(checked.noise.process.timesteps(50).slice(0, 2), [981, 961])
  })

  it('is Stable Diffusion 2, of which two kinds have the same shapes', () => {
    const file = published('sd2-full', sd21, sd2Tower)
    assert.throws(() => checkCheckpoint(file), /--prediction-type: expected epsilon .* or v_prediction/)
    const checked = checkCheckpoint(file, { predictionType: 'v_prediction' })
    assert.deepEqual(checked.unet.config, readUnetConfig(sd21, ''))
    assert.deepEqual(checked.towers[0].config, sd2Tower[0][1])
    assert.deepEqual([checked.imageSize.height, checked.noise.process.schedule.predictionType], [768, 'v'])
    assert.equal(checked.towers[0].tokenizer.pad, 0)
    assert.equal(checkCheckpoint(file, { predictionType: 'epsilon' }).imageSize.width, 512)
    const beside = file.replace('.safetensors', '.yaml')
    writeFileSync(beside, 'model:\n  params:\n    parameterization: "v"\n')
    assert.equal(checkCheckpoint(file).imageSize.width, 768)
  })

  it('is Stable Diffusion XL', () => {
    const file = published('sdxl-full', sdxl, xlTowers)
    const checked = checkCheckpoint(file)
    assert.deepEqual(checked.unet.config, readUnetConfig(sdxl, ''))
    assert.deepEqual(checked.vae.config, { ...vaeConfig, scalingFactor: 0.13025 })
    assert.deepEqual(
      checked.towers.map(({ config, tokenizer }) => [config, tokenizer.pad]),
      [
        [xlTowers[0][1], 49407],
        [xlTowers[1][1], 0],
      ],
    )
    assert.deepEqual([checked.imageSize.height, checked.zeroEmptyPrompt], [1024, true])
    const told = inspectModel({ model: file, vae: null, predictionType: null, modelConfig: null })
    assert.match(told, /Stable Diffusion XL/)
    assert.match(told, /unet +2567\.5 M parameters, 5\.13 GB of float16/)
  })

  it('is a model that was cut down: SSD-1B, tiny-sd', () => {
    const ssd = {
      ...sdxl,
      mid_block_type: 'UNetMidBlock2D',
      transformer_layers_per_block: [1, [2, 2], [4, 4]],
      reverse_transformer_layers_per_block: [[4, 4, 10], [2, 1, 1], 1],
    }
    const { middle, levels } = checkCheckpoint(published('ssd', ssd, xlTowers)).unet.config
    assert.deepEqual([middle, levels], [{ transformer: undefined }, readUnetConfig(ssd, '').levels])
    const small = {
      ...sd15,
      block_out_channels: [320, 640, 1280],
      down_block_types: new Array<string>(3).fill('CrossAttnDownBlock2D'),
      up_block_types: new Array<string>(3).fill('CrossAttnUpBlock2D'),
      layers_per_block: 1,
      mid_block_type: null,
    }
    const { config } = checkCheckpoint(published('tiny-sd', small, sd1Tower)).unet
    assert.deepEqual(config, readUnetConfig(small, ''))
  })

  it('is a model for a few steps by its name, and one of v by an empty tensor', () => {
    const file = published('sd_turbo_fp16', sd15, sd1Tower, ['v_pred', 'ztsnr'])
    const { sampling, noise } = checkCheckpoint(file)
    assert.deepEqual(sampling, { steps: 4, eta: 1, guidance: 1 })
    assert.deepEqual([noise.process.schedule.predictionType, noise.process.schedule.alphaBar.at(-1)], ['v', 0])
    const renamed = join(folder, 'plain.safetensors')
    renameSync(file, renamed)
    assert.equal(checkCheckpoint(renamed).sampling.steps, 50)
  })
})
