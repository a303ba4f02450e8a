import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { forms, names, provenance, targetsOf, adaptersOf, writeOurs } from '../../../test/fixtures/lora/ours.ts'
import { FileError, FormatError } from '../../errors.ts'
import { ones, tensor } from '../../tensor/create.ts'
import { useThreads } from '../../tensor/library.ts'
import { readSafetensors, readSafetensorsHeader } from '../../tensor/safetensors.ts'
import { livingTensors, tensorScope } from '../../tensor/scope.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import type { Adapter } from '../weights.ts'
import { ab, fileOf, folder, layer, out, pair, read, targets, text } from './lora-file.test-helper.ts'
import { readLora, writeLora } from './lora-file.ts'
import { originalNames } from './original-names.ts'

useThreads(1)
const fixtures = fileURLToPath(new URL('../../../test/fixtures', import.meta.url))

/** A LoRA that diffusers or a converter of kohya's form wrote. */
function readFixture(name: string) {
  const model = name.split('-')[1]
  const file = join(fixtures, 'stable-diffusion', name, 'pytorch_lora_weights.safetensors')
  return readLora(file, targetsOf(model), model)
}

function changeOf({ down, up, scale }: Adapter): Tensor {
  return up.flatten(1).matmul(down.flatten(1)).mul(scale)
}

function assertSameChanges(actual: ReadonlyMap<string, Adapter>, expected: ReadonlyMap<string, Adapter>): void {
  assert.deepEqual([...actual.keys()].sort(), [...expected.keys()].sort())
  for (const [name, one] of expected) {
    const other = actual.get(name)!
    assert.deepEqual([other.down.shape, other.up.shape], [one.down.shape, one.up.shape], name)
    assert.deepEqual(other.down.toArray(), one.down.toArray(), name)
    const error = changeOf(other).sub(changeOf(one)).abs().flatten().amax(0).item()
    assert.ok(error < 1e-6, `${name}: ${error}`)
  }
}

describe('reading LoRA files of other programs', () => {
  it('takes alphas from the metadata of diffusers, with its patterns', () => {
    using _scope = tensorScope()
    const scales = (name: string) =>
      new Map([...readFixture(name).adapters].map(([weight, { scale }]) => [weight.replace(/\.weight$/, ''), scale]))
    const attention = scales('lora-sd1')
    assert.equal(attention.size, 32)
    assert.deepEqual(new Set(attention.values()), new Set([8 / 4]))
    for (const [path, scale] of scales('lora-sd1-text')) {
      assert.equal(scale, path.startsWith('unet.') ? 8 / 4 : 2 / 3, path)
    }
    for (const [path, scale] of scales('lora-sd1-conv')) {
      const expected = path.endsWith('ff.net.2') ? 1 / 2 : path.endsWith('conv1') ? 4.5 / 3 : 6 / 3
      assert.equal(scale, expected, path)
    }
    assert.deepEqual(new Set(scales('lora-sd2').values()), new Set([1]))
  })

  it('reads the same from every form of one LoRA', () => {
    using _scope = tensorScope()
    const pairs = [
      ['lora-sd1-kohya', 'lora-sd1-text'],
      ['lora-sd1-conv-kohya', 'lora-sd1-conv'],
      ['lora-sd1-mixed', 'lora-sd1-conv'],
      ['lora-sdxl-kohya', 'lora-sdxl'],
    ]
    for (const [one, other] of pairs) {
      const [a, b] = [readFixture(one), readFixture(other)]
      assert.deepEqual([a.form, b.form], [one.endsWith('kohya') ? 'kohya' : 'diffusers', 'diffusers'])
      assertSameChanges(a.adapters, b.adapters)
    }
    assert.ok([...readFixture('lora-sdxl-kohya').adapters.keys()].some((name) => name.startsWith('text_encoder_2.')))
  })

  for (const model of ['sd1', 'sdxl'] as const) {
    it(`reads ComfyUI's names, with alphas beside: ${model}`, () => {
      using _scope = tensorScope()
      const pathOf = (name: string) => name.slice('unet.'.length, -'.weight'.length)
      const all = [...adaptersOf(targetsOf(model))]
      const original = originalNames([...targetsOf(model).keys()].map(pathOf))
      const expected = new Map(all.filter(([name]) => name.startsWith('unet.') && original.has(pathOf(name))))
      assert.ok(expected.size > 20)
      const tensors = [...expected].flatMap(([name, { down, up, scale }]): [string, Tensor][] => {
        const path = `diffusion_model.${original.get(pathOf(name))}`
        return [
          [`${path}.lora_A.weight`, down],
          [`${path}.lora_B.weight`, up],
          [`${path}.alpha`, tensor([scale * down.shape[0]], [])],
        ]
      })
      const file = fileOf(Object.fromEntries(tensors))
      assertSameChanges(readLora(file, targetsOf(model), model).adapters, expected)
    })
  }

  it("passes over the name of PEFT's adapter", () => {
    using _scope = tensorScope()
    const plain = read(fileOf(ab(`unet.${layer}`))).adapters
    for (const name of ['default', 'default_0', 'my style']) {
      const keys = [`unet.${layer}.lora_A.${name}.weight`, `unet.${layer}.lora_B.${name}.weight`] as const
      assertSameChanges(read(fileOf(pair(...keys))).adapters, plain)
    }
  })

  it('takes alpha = rank without metadata and alphas', () => {
    using _scope = tensorScope()
    const [plain, scaled] = [readFixture('lora-sd1-plain').adapters, readFixture('lora-sd1').adapters]
    const halved = new Map([...scaled].map(([name, one]) => [name, { ...one, scale: one.scale / 2 }]))
    assertSameChanges(plain, halved)
    assert.equal(plain.values().next().value!.scale, 1)
  })

  const unet = `unet.${layer}`
  const spellings: [what: string, down: string, up: string, weight: string][] = [
    ['diffusers, PEFT', `${unet}.lora_A.weight`, `${unet}.lora_B.weight`, unet],
    ['an adapter by name', `${unet}.lora_A.default.weight`, `${unet}.lora_B.default.weight`, unet],
    ['no network', `${layer}.lora_A.weight`, `${layer}.lora_B.weight`, unet],
    ['diffusers before PEFT', `${unet}.lora.down.weight`, `${unet}.lora.up.weight`, unet],
    [
      'attention processors',
      `${layer.replace(/to_q$/, 'processor.to_q')}_lora.down.weight`,
      `${layer.replace(/to_q$/, 'processor.to_q')}_lora.up.weight`,
      unet,
    ],
    [
      'attention processors, output',
      `unet.${out.replace(/to_out\.0$/, 'processor.to_out')}_lora.down.weight`,
      `unet.${out.replace(/to_out\.0$/, 'processor.to_out')}_lora.up.weight`,
      `unet.${out}`,
    ],
    [
      'text encoder, before PEFT',
      `text_encoder.${text}.q_proj.lora_linear_layer.down.weight`,
      `text_encoder.${text}.q_proj.lora_linear_layer.up.weight`,
      `text_encoder.${text}.q_proj`,
    ],
    [
      'text encoder, first form',
      `text_encoder.${text}.to_out_lora.down.weight`,
      `text_encoder.${text}.to_out_lora.up.weight`,
      `text_encoder.${text}.out_proj`,
    ],
    [
      'text encoder, flat',
      'text_encoder_2.encoder.layers.0.self_attn.q_proj.lora_A.weight',
      'text_encoder_2.encoder.layers.0.self_attn.q_proj.lora_B.weight',
      `text_encoder_2.${text}.q_proj`,
    ],
    ...[
      [`diffusion_model.${layer}`, unet],
      ['diffusion_model.input_blocks.1.1.transformer_blocks.0.attn1.to_q', unet],
      ['diffusion_model.input_blocks.1.0.in_layers.2', 'unet.down_blocks.0.resnets.0.conv1'],
      [`text_encoders.clip_l.transformer.${text}.q_proj`, `text_encoder.${text}.q_proj`],
      [`text_encoders.clip_g.transformer.${text}.q_proj`, `text_encoder_2.${text}.q_proj`],
    ].flatMap(([name, weight]): [string, string, string, string][] => [
      [`ComfyUI, ${name}`, `${name}.lora_A.weight`, `${name}.lora_B.weight`, weight],
      [`ComfyUI in kohya’s words, ${name}`, `${name}.lora_down.weight`, `${name}.lora_up.weight`, weight],
    ]),
    ...[
      ['unet_down_blocks_0_attentions_0_transformer_blocks_0_attn1_to_q', unet],
      ['unet_input_blocks_1_1_transformer_blocks_0_attn1_to_q', unet],
      ['unet_input_blocks_1_0_in_layers_2', 'unet.down_blocks.0.resnets.0.conv1'],
      ['te_text_model_encoder_layers_0_self_attn_q_proj', `text_encoder.${text}.q_proj`],
      ['te1_text_model_encoder_layers_0_self_attn_q_proj', `text_encoder.${text}.q_proj`],
      ['te2_text_projection', 'text_encoder_2.text_projection'],
    ].map(([name, weight]): [string, string, string, string] => [
      `kohya, ${name}`,
      `lora_${name}.lora_down.weight`,
      `lora_${name}.lora_up.weight`,
      weight,
    ]),
  ]
  for (const [what, down, up, weight] of spellings) {
    it(`knows the spelling of ${what}`, () => {
      using _scope = tensorScope()
      const shape = targets.get(`${weight}.weight`)!
      const tensors = { [down]: ones([2, ...shape.slice(1)]), [up]: ones([4, 2, ...shape.slice(2).map(() => 1)]) }
      const { adapters, form } = read(fileOf(tensors))
      assert.deepEqual([...adapters.keys()], [`${weight}.weight`])
      assert.equal(form, what.startsWith('kohya') ? 'kohya' : 'diffusers')
    })
  }

  it('takes a linear layer for a 1 × 1 convolution and the reverse, as float32', () => {
    using _scope = tensorScope()
    const conv = 'unet.down_blocks.0.attentions.0.proj_in'
    const file = fileOf({
      [`${unet}.lora_A.weight`]: ones([2, 6, 1, 1], 'float16'),
      [`${unet}.lora_B.weight`]: ones([4, 2, 1, 1], 'bfloat16'),
      ...ab(conv),
    })
    const { adapters } = read(file)
    const [linear, square] = [adapters.get(`${unet}.weight`)!, adapters.get(`${conv}.weight`)!]
    assert.deepEqual(
      [linear.down.shape, linear.up.shape],
      [
        [2, 6],
        [4, 2],
      ],
    )
    assert.deepEqual(
      [square.down.shape, square.up.shape],
      [
        [2, 6, 1, 1],
        [4, 2, 1, 1],
      ],
    )
    assert.equal(linear.down.dtype, 'float32')
    assert.equal(linear.up.dtype, 'float32')
  })

  it('finds the scale: PEFT before alpha, by network, with root of the rank, beside the file', () => {
    using _scope = tensorScope()
    const scaleWith = (file: string) => read(file).adapters.values().next().value!.scale
    const metadata = (fields: Record<string, unknown>) => ({ lora_adapter_metadata: JSON.stringify(fields) })
    const alpha = tensor([6], [])
    const own = { ...ab(unet), [`${unet}.alpha`]: alpha }
    assert.equal(scaleWith(fileOf(own)), 3)
    assert.equal(scaleWith(fileOf({ ...ab(unet), [`${unet}.lora.alpha`]: tensor([6]) })), 3)
    assert.equal(scaleWith(fileOf(own, metadata({ 'unet.r': 2, 'unet.lora_alpha': 1 }))), 0.5)
    assert.equal(scaleWith(fileOf(own, metadata({ 'text_encoder.r': 2, 'text_encoder.lora_alpha': 1 }))), 3)
    assert.equal(scaleWith(fileOf(ab(layer), metadata({ r: 2, lora_alpha: 5 }))), 2.5)
    assert.equal(scaleWith(fileOf(ab(unet), metadata({ 'unet.r': 2, 'unet.use_rslora': true }))), 8 / Math.sqrt(2))
    const patterns = { 'unet.r': 4, 'unet.rank_pattern': { 'attn1.to_[qk]': 2 }, 'unet.alpha_pattern': { to_k: 1 } }
    assert.equal(scaleWith(fileOf(ab(unet), metadata(patterns))), 4)
    const flat = { 'text_encoder.r': 2, 'text_encoder.alpha_pattern': { '^encoder.layers.0.self_attn.q_proj': 7 } }
    assert.equal(scaleWith(fileOf(ab(`text_encoder.${text}.q_proj`), metadata(flat))), 3.5)

    const wrapped = fileOf(ab(`base_model.model.${layer}`), {}, 'adapter_model.safetensors')
    writeFileSync(join(dirname(wrapped), 'adapter_config.json'), JSON.stringify({ r: 2, lora_alpha: 16 }))
    assert.equal(scaleWith(wrapped), 8)
    const withAlpha = { ...ab(`base_model.model.${layer}`), [`base_model.model.${layer}.alpha`]: alpha }
    assert.equal(scaleWith(fileOf(withAlpha)), 3)
  })
})

describe('writing LoRA files', () => {
  it('gives the bytes that were loaded into diffusers', () => {
    using _scope = tensorScope()
    for (const name of names) {
      for (const form of forms) {
        const file = writeOurs(folder, name, form)
        assert.deepEqual(readFileSync(join(folder, file)), readFileSync(join(fixtures, 'lora', file)), file)
      }
    }
  })

  it('reads back what it wrote, in both forms and across them', () => {
    using _scope = tensorScope()
    for (const name of names) {
      const shapes = targetsOf(name)
      const made = adaptersOf(shapes)
      for (const form of forms) {
        const first = readLora(join(fixtures, 'lora', `${name}-${form}.safetensors`), shapes, name)
        assert.equal(first.form, form)
        assertSameChanges(first.adapters, made)
        for (const other of forms) {
          const file = join(folder, 'again.safetensors')
          writeLora(file, first.adapters, other, first.metadata)
          const second = readLora(file, shapes, name)
          assertSameChanges(second.adapters, made)
          for (const [key, value] of Object.entries(provenance)) assert.equal(second.metadata[key], value)
        }
      }
    }
  })

  it('states the most frequent rank, and the others by layer, for any denoiser', () => {
    using _scope = tensorScope()
    const paths = ['attention.0.cross.to_q', 'attention.0.cross.to_k', 'add_embedding.other']
    const own = (rank: number) => ({ down: ones([rank, 6]), up: ones([4, rank]), scale: 2 })
    const made = new Map(paths.map((path, i) => [`unet.${path}.weight`, own(i === 0 ? 3 : 2)]))
    const shapes = new Map([...made.keys()].map((name) => [name, [4, 6]]))
    for (const form of forms) {
      const file = join(folder, 'any.safetensors')
      writeLora(file, made, form, {})
      const { adapters, metadata } = readLora(file, shapes, 'any')
      assertSameChanges(adapters, made)
      if (form === 'kohya') continue
      assert.deepEqual(JSON.parse(metadata.lora_adapter_metadata), {
        'unet.alpha_pattern': { 'attention.0.cross.to_q': 3 },
        'unet.lora_alpha': 2,
        'unet.r': 2,
        'unet.rank_pattern': { 'attention.0.cross.to_q': 3 },
        'unet.target_modules': paths,
      })
    }
  })

  it('says in the header of kohya what other programs look for', () => {
    using _scope = tensorScope()
    const written = (textWidth: number, provenance: Record<string, string> = {}, rank = 2) => {
      const adapter = { down: ones([rank, textWidth]), up: ones([4, rank]), scale: 1 }
      const file = join(folder, 'my-lora.safetensors')
      writeLora(
        file,
        new Map([[`unet.${layer.replace('attn1.to_q', 'attn2.to_k')}.weight`, adapter]]),
        'kohya',
        provenance,
      )
      return readSafetensorsHeader(file).metadata
    }
    assert.deepEqual(written(768, { 'attune.predictionType': 'epsilon', other: 'left out' }), {
      'attune.predictionType': 'epsilon',
      ss_base_model_version: 'sd_v1',
      ss_network_alpha: '2',
      ss_network_dim: '2',
      ss_network_module: 'networks.lora',
      ss_output_name: 'my-lora',
      ss_v2: 'False',
      'modelspec.architecture': 'stable-diffusion-v1/lora',
      'modelspec.implementation': 'diffusers',
      'modelspec.prediction_type': 'epsilon',
      'modelspec.resolution': '512x512',
      'modelspec.sai_model_spec': '1.0.1',
      'modelspec.title': 'my-lora',
    })
    const versions = (textWidth: number, predictionType?: string) => {
      const header = written(textWidth, predictionType === undefined ? {} : { 'attune.predictionType': predictionType })
      return [header.ss_base_model_version, header.ss_v2, header['modelspec.architecture']]
    }
    assert.deepEqual(versions(768), ['sd_v1', 'False', 'stable-diffusion-v1/lora'])
    assert.deepEqual(versions(1024, 'epsilon'), ['sd_v2', 'True', 'stable-diffusion-v2-512/lora'])
    assert.deepEqual(versions(1024, 'v'), ['sd_v2_v', 'True', 'stable-diffusion-v2-768-v/lora'])
    assert.deepEqual(versions(1024), [undefined, 'True', undefined])
    assert.deepEqual(versions(2048, 'epsilon'), ['sdxl_base_v1-0', 'False', 'stable-diffusion-xl-v1-base/lora'])
    assert.deepEqual(versions(16, 'epsilon'), [undefined, 'False', undefined])
    assert.equal(readSafetensorsHeader(join(fixtures, 'lora/sd1-kohya.safetensors')).metadata.ss_network_dim, 'Dynamic')
  })

  it('numbers the text encoders of Stable Diffusion XL', () => {
    using _scope = tensorScope()
    const keys = (file: string) => [...readSafetensorsHeader(join(fixtures, 'lora', file)).entries.keys()].join(' ')
    assert.match(keys('sd1-kohya.safetensors'), /lora_te_text_model/)
    assert.match(keys('sdxl-kohya.safetensors'), /lora_te1_text_model.* lora_te2_text_model/)
  })

  it('writes half-precision adapters that are being trained as float32', () => {
    using _scope = tensorScope()
    const down = ones([2, 6], 'bfloat16').requireGrad()
    const file = join(folder, 'half.safetensors')
    writeLora(
      file,
      new Map([[`unet.${layer}.weight`, { down, up: ones([4, 2], 'float16'), scale: 0.5 }]]),
      'diffusers',
      {},
    )
    const { tensors } = readSafetensors(file)
    assert.deepEqual(
      [...tensors.values()].map(({ dtype }) => dtype),
      ['float32', 'float32'],
    )
    assert.deepEqual(tensors.get(`unet.${layer}.lora_B.weight`)!.toArray(), Array(8).fill(0.5))
  })

  it('keeps no tensors, and writes nothing that it cannot name', () => {
    using _scope = tensorScope()
    const adapter = { down: ones([2, 6]), up: ones([4, 2]), scale: 1 }
    const before = livingTensors()
    const file = join(folder, 'refused.safetensors')
    for (const form of forms) {
      assert.throws(() => writeLora(file, new Map([['middle.0.to_q.weight', adapter]]), form, {}), {
        name: FormatError.name,
        received: 'middle.0.to_q.weight',
      })
      assert.throws(() => writeLora(file, new Map(), form, {}), { name: FormatError.name, received: 'no adapter' })
      const missing = join(folder, 'missing', 'lora.safetensors')
      assert.throws(() => writeLora(missing, new Map([[`unet.${layer}.weight`, adapter]]), form, {}), FileError)
    }
    assert.ok(!existsSync(file))
    assert.deepEqual(
      readdirSync(folder).filter((name) => name.endsWith('.partial')),
      [],
    )
    assert.equal(livingTensors(), before)
  })
})
