import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { forms, names, provenance, targetsOf, adaptersOf, writeOurs } from '../../../test/fixtures/lora/ours.ts'
import { FileError, FormatError } from '../../errors.ts'
import { ones, tensor, zeros } from '../../tensor/create.ts'
import { useThreads } from '../../tensor/library.ts'
import { readSafetensors, readSafetensorsHeader, writeSafetensors } from '../../tensor/safetensors.ts'
import { livingTensors, tensorScope } from '../../tensor/scope.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import type { Adapter } from '../weights.ts'
import { readLora, writeLora } from './lora-file.ts'

useThreads(1)
const fixtures = fileURLToPath(new URL('../../../test/fixtures', import.meta.url))
let folder: string
before(() => void (folder = mkdtempSync(join(tmpdir(), 'lora-'))))
after(() => rmSync(folder, { recursive: true }))

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

// A model of one layer of each kind, and one that two spellings could be confused for.
const layer = 'down_blocks.0.attentions.0.transformer_blocks.0.attn1.to_q'
const out = 'down_blocks.0.attentions.0.transformer_blocks.0.attn1.to_out.0'
const text = 'text_model.encoder.layers.0.self_attn'
const targets = new Map<string, readonly number[]>([
  [`unet.${layer}.weight`, [4, 6]],
  [`unet.${layer}.bias`, [4]],
  [`unet.${out}.weight`, [4, 4]],
  ['unet.down_blocks.0.resnets.0.conv1.weight', [4, 6, 3, 3]],
  ['unet.down_blocks.0.attentions.0.proj_in.weight', [4, 6, 1, 1]],
  [`text_encoder.${text}.q_proj.weight`, [4, 6]],
  [`text_encoder.${text}.out_proj.weight`, [4, 6]],
  [`text_encoder_2.${text}.q_proj.weight`, [4, 6]],
  ['text_encoder_2.text_projection.weight', [4, 6]],
  ['text_encoder.text_model.embeddings.token_embedding.weight', [4, 6]],
  ['vae.decoder.conv_in.weight', [4, 6, 3, 3]],
])

/** A file with these tensors, in a folder of its own. */
function fileOf(
  tensors: Record<string, Tensor>,
  metadata: Record<string, string> = {},
  name = 'lora.safetensors',
): string {
  const file = join(mkdtempSync(join(folder, 'f-')), name)
  writeSafetensors(file, new Map(Object.entries(tensors)), metadata)
  return file
}

/** The two factors of a layer, of rank 2, under these keys. */
function pair(down: string, up: string): Record<string, Tensor> {
  return { [down]: ones([2, 6]).mul(0.5), [up]: ones([4, 2]).mul(0.25) }
}
const read = (file: string) => readLora(file, targets, 'tiny')
const ab = (path: string) => pair(`${path}.lora_A.weight`, `${path}.lora_B.weight`)

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
    writeFileSync(join(wrapped, '..', 'adapter_config.json'), JSON.stringify({ r: 2, lora_alpha: 16 }))
    assert.equal(scaleWith(wrapped), 8)
    const withAlpha = { ...ab(`base_model.model.${layer}`), [`base_model.model.${layer}.alpha`]: alpha }
    assert.equal(scaleWith(fileOf(withAlpha)), 3)
  })
})

describe('refusing LoRA files', () => {
  const unet = `unet.${layer}`
  const metadata = (lora_adapter_metadata: string) => ({ lora_adapter_metadata })
  const kohya = (name: string) => pair(`${name}.lora_down.weight`, `${name}.lora_up.weight`)
  const cases: [
    what: string,
    message: RegExp,
    tensors: () => Record<string, Tensor>,
    header?: Record<string, string>,
  ][] = [
    [
      'a layer that the model does not have',
      /lora\.safetensors lora_unet_input_blocks_4_1_proj_in\.lora_down\.weight: expected a layer of tiny, received one that it does not have, of a LoRA for sdxl_base_v1-0 — /,
      () => kohya('lora_unet_input_blocks_4_1_proj_in'),
      { ss_base_model_version: 'sdxl_base_v1-0' },
    ],
    [
      'one layer too many',
      /mid_block\.x\.lora_A.*a layer of tiny.*it does not have —/,
      () => ({ ...ab(unet), ...ab('unet.mid_block.x') }),
    ],
    ['a table of embeddings', /token_embedding/, () => ab('text_encoder.text_model.embeddings.token_embedding')],
    ['another network', /a layer of tiny/, () => ab('vae.decoder.conv_in')],
    ['a network that only some keys name', /a layer of tiny/, () => ({ ...ab(unet), ...ab(out) })],
    [
      'shapes of another model',
      /to_q\.lora_A\.weight: expected \[rank, 6\] and \[4, rank\] for unet.*to_q\.weight of tiny, received \[2, 8\] and \[4, 2\]/,
      () => ({ ...ab(unet), [`${unet}.lora_A.weight`]: ones([2, 8]) }),
    ],
    [
      'factors of two ranks',
      /received \[3, 6\] and \[4, 2\]/,
      () => ({ ...ab(unet), [`${unet}.lora_A.weight`]: ones([3, 6]) }),
    ],
    ['a kernel of another size', /\[rank, 6, 3, 3\]/, () => ab('unet.down_blocks.0.resnets.0.conv1')],
    [
      'rank 0',
      /received \[0, 6\]/,
      () => ({ [`${unet}.lora_A.weight`]: zeros([0, 6]), [`${unet}.lora_B.weight`]: zeros([4, 0]) }),
    ],
    ['a number for a matrix', /received \[\]/, () => ({ ...ab(unet), [`${unet}.lora_A.weight`]: tensor([1], []) })],
    [
      'A without B',
      /lora_A\.weight: expected both factors.*received one —/,
      () => ({ [`${unet}.lora_A.weight`]: ones([2, 6]) }),
    ],
    [
      'B without A',
      /lora_B\.weight: expected both factors.*received one —/,
      () => ({ [`${unet}.lora_B.weight`]: ones([4, 2]) }),
    ],
    [
      'alpha alone',
      /alpha: expected both factors.*received neither —/,
      () => ({ ...ab(unet), [`unet.${out}.alpha`]: tensor([1], []) }),
    ],
    [
      'one layer twice',
      /expected one down of unet.*received two/,
      () => ({ ...ab(unet), [`${unet}.lora.down.weight`]: ones([2, 6]) }),
    ],
    [
      'NaN',
      /lora_B\.weight: expected finite numbers, received 1 that are not/,
      () => ({ ...ab(unet), [`${unet}.lora_B.weight`]: tensor([1, 2, 3, 4, 5, 6, 7, NaN], [4, 2]) }),
    ],
    ['an infinite alpha', /alpha: expected finite/, () => ({ ...ab(unet), [`${unet}.alpha`]: tensor([Infinity], []) })],
    [
      'two alphas',
      /alpha: expected one number, received shape \[2\]/,
      () => ({ ...ab(unet), [`${unet}.alpha`]: tensor([1, 1]) }),
    ],
    [
      'whole numbers',
      /lora_A\.weight: expected floating-point numbers, received int8/,
      () => ({ ...ab(unet), [`${unet}.lora_A.weight`]: zeros([2, 6], 'int8') }),
    ],
    [
      'DoRA of kohya',
      /to_q\.dora_scale: .*received DoRA, which is not supported/,
      () => ({ ...kohya('lora_unet_to_q'), 'lora_unet_to_q.dora_scale': ones([4]) }),
    ],
    ['DoRA of PEFT', /received DoRA,/, () => ({ ...ab(unet), [`${unet}.lora_magnitude_vector`]: ones([4]) })],
    [
      'DoRA by its metadata',
      /lora_adapter_metadata: expected plain LoRA, received DoRA/,
      () => ab(unet),
      metadata('{"unet.r": 2, "unet.use_dora": true}'),
    ],
    ['LoKr', /received LoKr,/, () => ({ 'lora_unet_to_q.lokr_w1': ones([2, 2]) })],
    ['LoHa', /received LoHa,/, () => ({ 'lora_unet_to_q.hada_w1_a': ones([2, 2]) })],
    [
      'a Tucker core',
      /received LoRA with a Tucker core,/,
      () => ({ ...kohya('lora_unet_conv'), 'lora_unet_conv.lora_mid.weight': ones([2, 2, 3, 3]) }),
    ],
    [
      'trained biases',
      /received LoRA with trained biases/,
      () => ({ ...ab(unet), [`${unet}.lora_B.bias`]: ones([4]) }),
    ],
    [
      'other tensors',
      /expected keys of a LoRA only, received learned_embeds/,
      () => ({ ...ab(unet), learned_embeds: ones([4]) }),
    ],
    ['two forms', /expected keys in the form of \w+ throughout/, () => ({ ...ab(unet), ...kohya('lora_unet_x') })],
    [
      'a whole checkpoint',
      /expected a LoRA, with keys such as .*, received conv_in\.weight, … — check/,
      () => ({ 'conv_in.weight': ones([1]), 'conv_out.weight': ones([1]) }),
    ],
    ['nothing', /received a file without tensors/, () => ({})],
    [
      'a rank that its metadata contradicts',
      /expected rank 4, as its configuration says, received 2/,
      () => ab(unet),
      metadata('{"unet.r": 4}'),
    ],
    ['metadata that is no JSON', /lora_adapter_metadata: expected JSON/, () => ab(unet), metadata('{')],
    ['metadata that is no object', /expected a JSON object/, () => ab(unet), metadata('[]')],
    [
      'metadata of a wrong type',
      /expected the fields of PEFT's LoraConfig, received unet\.r/,
      () => ab(unet),
      metadata('{"unet.r": "4"}'),
    ],
    [
      'a pattern that is none',
      /expected regular expressions.*"\("/,
      () => ab(unet),
      metadata('{"unet.rank_pattern": {"(": 4}}'),
    ],
    [
      'a file of PEFT without its configuration',
      /adapter_config\.json, in which PEFT keeps the alpha.*received no such file/,
      () => ab(`base_model.model.${layer}`),
    ],
  ]
  for (const [what, message, tensors, header] of cases) {
    it(`says what is wrong: ${what}`, () => {
      let file: string
      {
        using _scope = tensorScope()
        file = fileOf(tensors(), header)
      }
      const before = livingTensors()
      assert.throws(
        () => read(file),
        (error: Error) => {
          assert.ok(error instanceof FormatError, String(error))
          assert.match(error.message, message)
          assert.ok(error.message.startsWith(folder) && !error.message.includes('\n'), error.message)
          return true
        },
      )
      assert.equal(livingTensors(), before)
    })
  }

  it('refuses what is pickled, and what is not there', () => {
    const pickled = join(folder, 'pytorch_lora_weights.bin')
    writeFileSync(pickled, 'PK')
    assert.throws(() => read(pickled), { name: FormatError.name, message: /a pickled file, which can run any code/ })
    assert.throws(() => read(join(folder, 'missing.safetensors')), FileError)
    assert.throws(() => read(folder), FileError)
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
    assert.deepEqual(written(768, { 'attune.model': 'sd15', other: 'left out' }), {
      'attune.model': 'sd15',
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
    const [v2, v2v] = [written(1024), written(1024, { 'attune.predictionType': 'v' })]
    assert.deepEqual([v2.ss_base_model_version, v2.ss_v2, v2['modelspec.resolution']], ['sd_v2', 'True', '512x512'])
    assert.deepEqual([v2v.ss_base_model_version, v2v.ss_v2], ['sd_v2_v', 'True'])
    assert.deepEqual(
      [v2v['modelspec.architecture'], v2v['modelspec.prediction_type']],
      ['stable-diffusion-v2-768-v/lora', 'v'],
    )
    assert.equal(written(2048).ss_base_model_version, 'sdxl_base_v1-0')
    assert.equal(written(16).ss_base_model_version, undefined)
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
