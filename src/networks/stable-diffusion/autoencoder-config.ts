/** What `vae/config.json` of a checkpoint in diffusers' layout says, as far as AutoencoderKL reads it. */
import { z } from 'zod'
import { checked } from '../../checked.ts'

export interface AutoencoderConfig {
  /** c of the latents [B, c, h, w]. */
  readonly latentChannels: number
  /** Channels of each level, from the finest to the coarsest. */
  readonly blockOutChannels: readonly number[]
  /** Residual blocks of a level of the encoder; the decoder has one more. */
  readonly layersPerBlock: number
  readonly normNumGroups: number
  readonly midBlockAddAttention: boolean
  readonly useQuantConv: boolean
  readonly usePostQuantConv: boolean
  /** What the denoiser calls a latent is this times what the encoder gives. */
  readonly scalingFactor: number
  /** The decoder overflows in float16: hold its weights in float32 or bfloat16. */
  readonly forceUpcast: boolean
  /** Height and width that it was trained on, in pixels; tiles are as large. */
  readonly sampleSize: number
  /** Pixels a latent along one side: 2^(levels − 1). */
  readonly factor: number
}

const countMessage = 'a whole number ≥ 1'
const count = z.int(countMessage).min(1, countMessage)
const flag = z.boolean('true or false')
/** Far above what is published. */
const most = { levels: 32, layers: 1000 } as const
const layersMessage = `a whole number from 1 to ${most.layers}`
const channelsMessage = `at least one whole number ≥ 1, at most ${most.levels}`
const pictures = z.literal(3, '3: red, green and blue').default(3)
const plain = (message: string) => z.null(message).optional()
const blocks = (type: string) => z.array(z.literal(type, type), `a list of ${type}`)

/** The messages are what was expected. Defaults are those of diffusers. */
const File = z
  .looseObject(
    {
      _class_name: z.literal('AutoencoderKL', 'AutoencoderKL'),
      in_channels: pictures,
      out_channels: pictures,
      latent_channels: count.default(4),
      block_out_channels: z
        .array(z.int(channelsMessage).min(1, channelsMessage), channelsMessage)
        .min(1, channelsMessage)
        .max(most.levels, channelsMessage),
      down_block_types: blocks('DownEncoderBlock2D'),
      up_block_types: blocks('UpDecoderBlock2D'),
      layers_per_block: z.int(layersMessage).min(1, layersMessage).max(most.layers, layersMessage).default(1),
      norm_num_groups: count.default(32),
      act_fn: z.enum(['silu', 'swish'], 'silu').default('silu'),
      mid_block_add_attention: flag.default(true),
      use_quant_conv: flag.default(true),
      use_post_quant_conv: flag.default(true),
      scaling_factor: z.number('a number > 0').gt(0, 'a number > 0').default(0.18215),
      shift_factor: plain('null: latents without an offset'),
      latents_mean: plain('null: latents that share one scale'),
      latents_std: plain('null: latents that share one scale'),
      force_upcast: flag.default(true),
      sample_size: count.default(32),
    },
    'an object',
  )
  .superRefine((file, context) => {
    const levels = file.block_out_channels.length
    const complain = (path: string, message: string) => context.addIssue({ code: 'custom', path: [path], message })
    for (const path of ['down_block_types', 'up_block_types'] as const) {
      if (file[path].length !== levels) complain(path, `${levels} types, one a level of block_out_channels`)
    }
    if (file.block_out_channels.some((channels) => channels % file.norm_num_groups !== 0)) {
      complain('norm_num_groups', `a divisor of ${file.block_out_channels.join(', ')} (block_out_channels)`)
    }
    if (file.sample_size < 2 ** (levels - 1))
      complain('sample_size', `at least one latent, ${2 ** (levels - 1)} pixels`)
  })

/**
 * The parsed `vae/config.json`, with diffusers' defaults for fields that it lacks.
 *
 * @param config  the parsed JSON; unknown fields are passed over
 * @param where   names the file in errors
 * @throws {FormatError} naming the field: another class or block than AutoencoderKL's, latents with a mean or an offset,
 * pictures of other than three channels, or a value that makes no sense
 */
export function readAutoencoderConfig(config: unknown, where: string): AutoencoderConfig {
  const file = checked(File, config, where, 'choose a checkpoint with the autoencoder of Stable Diffusion 1, 2 or XL')
  return Object.freeze({
    latentChannels: file.latent_channels,
    blockOutChannels: file.block_out_channels,
    layersPerBlock: file.layers_per_block,
    normNumGroups: file.norm_num_groups,
    midBlockAddAttention: file.mid_block_add_attention,
    useQuantConv: file.use_quant_conv,
    usePostQuantConv: file.use_post_quant_conv,
    scalingFactor: file.scaling_factor,
    forceUpcast: file.force_upcast,
    sampleSize: file.sample_size,
    factor: 2 ** (file.block_out_channels.length - 1),
  })
}
