import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { FormatError } from '../../errors.ts'
import { sd15, sd21, sdxl } from './published-configs.test-helper.ts'
import { readUnetConfig } from './unet-config.ts'

const file = 'unet/config.json'
const read = (changes: object, from: object = sd15) => readUnetConfig({ ...from, ...changes }, file)

describe('the config of a denoiser', () => {
  it('of Stable Diffusion 1.5: attention_head_dim counts heads', () => {
    const level = { resnets: 2, heads: 8, transformerLayers: 1, attendsDown: true, attendsUp: true }
    assert.deepEqual(read({}), {
      channels: 4,
      sampleSize: [64, 64],
      levels: [
        { ...level, channels: 320 },
        { ...level, channels: 640 },
        { ...level, channels: 1280 },
        { ...level, channels: 1280, attendsDown: false, attendsUp: false },
      ],
      groups: 32,
      epsilon: 1e-5,
      tokenWidth: 768,
      linearProjection: false,
      flipSinToCos: true,
      freqShift: 0,
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
      config.levels.map(({ transformerLayers, attendsDown, attendsUp }) => [transformerLayers, attendsDown, attendsUp]),
      [
        [1, false, false],
        [2, true, true],
        [10, true, true],
      ],
    )
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

  it('takes levels that differ, and sizes that are not square', () => {
    const config = read({
      layers_per_block: [1, 2, 3, 4],
      up_block_types: ['CrossAttnUpBlock2D', 'CrossAttnUpBlock2D', 'UpBlock2D', 'UpBlock2D'],
      sample_size: [64, 96],
      act_fn: 'swish',
    })
    assert.deepEqual(
      config.levels.map(({ resnets, attendsDown, attendsUp }) => [resnets, attendsDown, attendsUp]),
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
    ['mid_block_type', 'UNetMidBlock2D', /^UNetMidBlock2DCrossAttn$/],
    ['mid_block_type', null, /^UNetMidBlock2DCrossAttn$/],
    ['class_embed_type', 'timestep', /classes/],
    ['num_class_embeds', 1000, /classes/],
    ['class_embeddings_concat', true, /classes/],
    ['addition_embed_type', 'image', /null or text_time/],
    ['attention_type', 'gated', /^default$/],
    ['time_cond_proj_dim', 256, /plain time embedding/],
    ['time_embedding_type', 'fourier', /positional/],
    ['time_embedding_dim', 512, /four times/],
    ['time_embedding_act_fn', 'silu', /plain time embedding/],
    ['timestep_post_act', 'silu', /plain time embedding/],
    ['dual_cross_attention', true, /one cross-attention/],
    ['only_cross_attention', [true, true, true, false], /self-attention/],
    ['encoder_hid_dim', 1024, /text encoder/],
    ['encoder_hid_dim_type', 'text_proj', /text encoder/],
    ['num_attention_heads', 8, /attention_head_dim/],
    ['reverse_transformer_layers_per_block', [1, 1, 1, 1], /same transformers/],
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
    ['attention_head_dim', 'many', /whole number ≥ 1, or one a level/],
    ['transformer_layers_per_block', [[1, 1], 1, 1, 1], /whole number/],
    ['transformer_layers_per_block', 0, /whole number/],
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
