import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { FormatError } from '../../errors.ts'
import { readAutoencoderConfig } from './autoencoder-config.ts'

/** What Stable Diffusion 1.5 has in its vae/config.json: later versions of diffusers added fields. */
const oldest = {
  _class_name: 'AutoencoderKL',
  _diffusers_version: '0.6.0',
  act_fn: 'silu',
  block_out_channels: [128, 256, 512, 512],
  down_block_types: Array<string>(4).fill('DownEncoderBlock2D'),
  in_channels: 3,
  latent_channels: 4,
  layers_per_block: 2,
  norm_num_groups: 32,
  out_channels: 3,
  sample_size: 512,
  up_block_types: Array<string>(4).fill('UpDecoderBlock2D'),
}

describe('the config of an autoencoder', () => {
  it('has the defaults of diffusers for what an old file lacks', () => {
    assert.deepEqual(readAutoencoderConfig(oldest, 'vae/config.json'), {
      latentChannels: 4,
      blockOutChannels: [128, 256, 512, 512],
      layersPerBlock: 2,
      normNumGroups: 32,
      midBlockAddAttention: true,
      useQuantConv: true,
      usePostQuantConv: true,
      scalingFactor: 0.18215,
      forceUpcast: true,
      sampleSize: 512,
      factor: 8,
    })
    const { latent_channels: _1, layers_per_block: _2, norm_num_groups: _3, sample_size: _4, ...least } = oldest
    const { latentChannels, layersPerBlock, normNumGroups, sampleSize } = readAutoencoderConfig(least, '')
    assert.deepEqual([latentChannels, layersPerBlock, normNumGroups, sampleSize], [4, 1, 32, 32])
  })

  it('reads what a new file says, and passes over what it does not know', () => {
    const config = readAutoencoderConfig(
      {
        ...oldest,
        ...{ scaling_factor: 0.13025, force_upcast: false, latents_mean: null, latents_std: null, shift_factor: null },
        ...{ use_quant_conv: false, use_post_quant_conv: false, mid_block_add_attention: false, of_tomorrow: [1] },
      },
      'vae/config.json',
    )
    assert.equal(config.scalingFactor, 0.13025)
    assert.equal(config.forceUpcast, false)
    assert.deepEqual([config.useQuantConv, config.usePostQuantConv, config.midBlockAddAttention], [false, false, false])
  })

  const refused: readonly (readonly [field: string, value: unknown, expected: string, received?: string])[] = [
    ['_class_name', 'AutoencoderTiny', 'AutoencoderKL'],
    ['_class_name', undefined, 'AutoencoderKL', 'nothing'],
    ['in_channels', 4, '3: red, green and blue'],
    ['out_channels', 1, '3: red, green and blue'],
    ['latent_channels', 0, 'a whole number ≥ 1'],
    ['block_out_channels', [], 'at least one whole number ≥ 1, at most 32'],
    ['block_out_channels', undefined, 'at least one whole number ≥ 1, at most 32', 'nothing'],
    ['down_block_types', ['DownEncoderBlock2D'], '4 types, one a level of block_out_channels'],
    ['up_block_types', ['UpDecoderBlock2D'], '4 types, one a level of block_out_channels'],
    ['layers_per_block', 1.5, 'a whole number from 1 to 1000'],
    ['layers_per_block', 2 ** 31, 'a whole number from 1 to 1000'],
    ['norm_num_groups', 48, 'a divisor of 128, 256, 512, 512 (block_out_channels)'],
    ['act_fn', 'gelu', 'silu'],
    ['mid_block_add_attention', 1, 'true or false'],
    ['use_quant_conv', 'no', 'true or false'],
    ['scaling_factor', 0, 'a number > 0'],
    ['scaling_factor', null, 'a number > 0'],
    ['shift_factor', 0.1159, 'null: latents without an offset'],
    ['latents_mean', [0, 0, 0, 0], 'null: latents that share one scale'],
    ['latents_std', [1, 1, 1, 1], 'null: latents that share one scale'],
    ['force_upcast', 0, 'true or false'],
    ['sample_size', [512, 512], 'a whole number ≥ 1'],
    ['sample_size', 4, 'at least one latent, 8 pixels'],
  ]
  for (const [field, value, expected, received = JSON.stringify(value)] of refused) {
    it(`is refused with ${field} ${received}`, () => {
      assert.throws(() => readAutoencoderConfig({ ...oldest, [field]: value }, 'vae/config.json'), {
        name: FormatError.name,
        where: `vae/config.json ${field}`,
        expected,
        received,
        remedy: 'choose a checkpoint with the autoencoder of Stable Diffusion 1, 2 or XL',
      })
    })
  }

  it('is refused with a block of another kind, which is named, and where it is no object', () => {
    for (const [field, type] of [
      ['down_block_types', 'DownEncoderBlock2D'],
      ['up_block_types', 'UpDecoderBlock2D'],
    ]) {
      const types = [type, 'AttnBlock2D', type, type]
      assert.throws(() => readAutoencoderConfig({ ...oldest, [field]: types }, 'c.json'), {
        name: FormatError.name,
        where: `c.json ${field}.1`,
        expected: type,
        received: '"AttnBlock2D"',
      })
    }
    assert.throws(() => readAutoencoderConfig([], 'c.json'), {
      name: FormatError.name,
      where: 'c.json',
      expected: 'an object',
      received: '[]',
    })
  })
})
