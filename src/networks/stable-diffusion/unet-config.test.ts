import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { FormatError } from '../../errors.ts'
import { sd15, sd21, sdxl } from './published-configs.test-helper.ts'
import { readUnetConfig } from './unet-config.ts'

const file = 'unet/config.json'
const read = (changes: object, from: object = sd15) => readUnetConfig({ ...from, ...changes }, file)

describe('the config of a denoiser', () => {
  it('of Stable Diffusion 1.5: attention_head_dim counts heads', () => {
    const level = { resnets: 2, heads: 8, transformersDown: [1, 1], transformersUp: [1, 1, 1] }
    assert.deepEqual(read({}), {
      channels: 4,
      sampleSize: [64, 64],
      levels: [
        { ...level, channels: 320 },
        { ...level, channels: 640 },
        { ...level, channels: 1280 },
        { ...level, channels: 1280, transformersDown: undefined, transformersUp: undefined },
      ],
      middle: { transformer: 1 },
      groups: 32,
      epsilon: 1e-5,
      tokenWidth: 768,
      linearProjection: false,
      flipSinToCos: true,
      freqShift: 0,
      guidanceWidth: undefined,
      addition: undefined,
    })
  })

  it('of Stable Diffusion 2.1: heads by level, linear projections', () => {
    const config = read({}, sd21)
    assert.deepEqual(
      config.levels.map(({ heads }) => heads),
      [5, 10, 20, 20],
    )
    assert.deepEqual([config.tokenWidth, config.linearProjection, config.sampleSize], [1024, true, [96, 96]])
  })

  it('of Stable Diffusion XL: layers of attention by level, added text and sizes', () => {
    const config = read({}, sdxl)
    assert.deepEqual(
      config.levels.map(({ transformersDown, transformersUp }) => [transformersDown, transformersUp]),
      [
        [undefined, undefined],
        [
          [2, 2],
          [2, 2, 2],
        ],
        [
          [10, 10],
          [10, 10, 10],
        ],
      ],
    )
    assert.deepEqual(config.middle, { transformer: 10 })
    assert.deepEqual(config.addition, { timeWidth: 256, inputs: 2816 })
  })

  it('has the defaults of diffusers for what the file leaves out', () => {
    const { _class_name, _diffusers_version, sample_size, cross_attention_dim, ...implied } = sd15
    const config = readUnetConfig({ _class_name }, file)
    const { sampleSize, tokenWidth, ...others } = config
    assert.deepEqual([sampleSize, tokenWidth], [undefined, 1280])
    const { sampleSize: _, tokenWidth: __, ...expected } = read({})
    assert.deepEqual(others, expected)
    assert.deepEqual(read({}, { _class_name, _diffusers_version, sample_size, cross_attention_dim }), read(implied))
  })

  it('takes networks that were cut down: SSD-1B, without transformers in the middle; tiny-sd, without a middle', () => {
    const ssd = read(
      {
        ...{ mid_block_type: 'UNetMidBlock2D', transformer_layers_per_block: [1, [2, 2], [4, 4]] },
        reverse_transformer_layers_per_block: [[4, 4, 10], [2, 1, 1], 1],
      },
      sdxl,
    )
    assert.deepEqual(
      ssd.levels.map(({ transformersDown, transformersUp }) => [transformersDown, transformersUp]),
      [
        [undefined, undefined],
        [
          [2, 2],
          [2, 1, 1],
        ],
        [
          [4, 4],
          [4, 4, 10],
        ],
      ],
    )
    assert.deepEqual(ssd.middle, { transformer: undefined })
    assert.equal(read({ mid_block_type: null }).middle, undefined)
    assert.deepEqual(read({ transformer_layers_per_block: [0, 2, 3, 0] }).levels[0].transformersDown, [0, 0])
  })

  it('corrects the size that diffusers before 0.9 wrote for all models', () => {
    const sizeWith = (version: string | undefined, size: number) =>
      read({ _diffusers_version: version, sample_size: size }).sampleSize
    for (const old of ['0.6.0', '0.8.1', '0.8.0.dev0']) assert.deepEqual(sizeWith(old, 32), [64, 64], old)
    for (const newer of ['0.9.0', '0.9.0.dev0', '0.42.1', '1.0.0', undefined]) {
      assert.deepEqual(sizeWith(newer, 32), [32, 32], newer)
    }
    assert.deepEqual(sizeWith('0.6.0', 96), [96, 96])
  })

  it('takes levels that differ, and sizes that are not square', () => {
    const config = read({
      layers_per_block: [1, 2, 3, 4],
      up_block_types: ['CrossAttnUpBlock2D', 'CrossAttnUpBlock2D', 'UpBlock2D', 'UpBlock2D'],
      sample_size: [64, 96],
      act_fn: 'swish',
    })
    assert.deepEqual(
      config.levels.map(({ resnets, transformersDown: down, transformersUp: up }) => [
        resnets,
        down !== undefined,
        up !== undefined,
      ]),
      [
        [1, true, false],
        [2, true, false],
        [3, true, true],
        [4, false, true],
      ],
    )
    assert.deepEqual(config.sampleSize, [64, 96])
  })
})

describe('the config of a denoiser that we do not have', () => {
  const refused: readonly [field: string, value: unknown, expected: RegExp, where?: string][] = [
    ['_class_name', 'UNet2DModel', /^UNet2DConditionModel$/],
    ['_class_name', undefined, /^UNet2DConditionModel$/],
    ['down_block_types', ['AttnDownBlock2D'], /CrossAttnDownBlock2D or DownBlock2D/, 'down_block_types.0'],
    ['up_block_types', ['KUpBlock2D'], /CrossAttnUpBlock2D or UpBlock2D/, 'up_block_types.0'],
    ['mid_block_type', 'UNetMidBlock2DSimpleCrossAttn', /^UNetMidBlock2DCrossAttn, UNetMidBlock2D or null$/],
    ['class_embed_type', 'timestep', /classes/],
    ['num_class_embeds', 1000, /classes/],
    ['class_embeddings_concat', true, /classes/],
    ['addition_embed_type', 'image', /null or text_time/],
    ['attention_type', 'gated', /^default$/],
    ['time_cond_proj_dim', 255, /an even number/],
    ['time_embedding_type', 'fourier', /positional/],
    ['time_embedding_dim', 512, /four times/],
    ['time_embedding_act_fn', 'silu', /plain time embedding/],
    ['timestep_post_act', 'silu', /plain time embedding/],
    ['dual_cross_attention', true, /one cross-attention/],
    ['only_cross_attention', [true, true, true, false], /self-attention/],
    ['encoder_hid_dim', 1024, /text encoder/],
    ['encoder_hid_dim_type', 'text_proj', /text encoder/],
    ['num_attention_heads', 8, /attention_head_dim/],
    ['reverse_transformer_layers_per_block', [1, 1, 1], /4 numbers, one a level/],
    ['reverse_transformer_layers_per_block', [1, [1, 1], 1, 1], /3 numbers in a list/],
    ['resnet_time_scale_shift', 'scale_shift', /default/],
    ['act_fn', 'gelu', /silu/],
    ['dropout', 0.1, /0/],
    ['mid_block_scale_factor', 1.4, /1/],
    ['downsample_padding', 0, /1/],
    ['conv_in_kernel', 1, /3/],
    ['conv_out_kernel', 1, /3/],
    ['center_input_sample', true, /as they are/],
    ['in_channels', 9, /4, as out_channels/],
    ['norm_num_groups', null, /whole number/],
    ['norm_num_groups', 30, /divisor of 320/],
    ['norm_eps', 0, /> 0/],
    ['freq_shift', -1, /≥ 0/],
    ['block_out_channels', [], /at least one level/],
    ['block_out_channels', [320, 640], /4 types|2 types/, 'down_block_types'],
    ['down_block_types', ['DownBlock2D'], /4 types/],
    ['up_block_types', ['UpBlock2D'], /4 types/],
    ['layers_per_block', [2, 2], /4 numbers, one a level/],
    ['attention_head_dim', [8, 8], /4 numbers, one a level/],
    ['attention_head_dim', 7, /divide 320/],
    ['layers_per_block', 2 ** 31, /from 1 to 1000, or one a level/],
    ['transformer_layers_per_block', 2 ** 53, /from 0 to 1000/],
    ['block_out_channels', Array(33).fill(32), /at most 32/],
    ['attention_head_dim', 'many', /whole number ≥ 1, or one a level/],
    ['transformer_layers_per_block', [[1, 1], 1, 1, 1], /way up/, 'reverse_transformer_layers_per_block'],
    ['transformer_layers_per_block', -1, /whole numbers from 0/],
    ['transformer_layers_per_block', [[1, -1], 1, 1, 1], /whole numbers from 0/],
    ['cross_attention_dim', [768, 768, 768, 768], /whole number/],
    ['sample_size', [64], /\[height, width\]/],
  ]
  for (const [field, value, expected, at = field] of refused) {
    it(`is refused: ${field} ${JSON.stringify(value)}`, () => {
      assert.throws(
        () => read({ [field]: value }),
        (error: FormatError) => {
          assert.ok(error instanceof FormatError)
          assert.match(error.where, new RegExp(`^unet/config\\.json ${at.replace('.', '\\.')}`))
          assert.match(error.expected, expected)
          return true
        },
      )
    })
  }

  it('is refused where XL’s additions lack their widths, or features do not come in pairs', () => {
    for (const field of ['addition_time_embed_dim', 'projection_class_embeddings_input_dim']) {
      assert.throws(() => read({ [field]: null }, sdxl), { where: `${file} ${field}`, received: 'null' })
    }
    assert.throws(() => read({ addition_time_embed_dim: 255 }, sdxl), { expected: 'an even number ≥ 2' })
  })

  it('is refused where it is no object', () => {
    assert.throws(() => readUnetConfig([], file), { where: file, expected: 'an object', received: '[]' })
  })
})
