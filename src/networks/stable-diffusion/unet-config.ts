/** What `unet/config.json` of a checkpoint in diffusers' layout says, as far as UNet2DConditionModel reads it. */
import { z } from 'zod'
import { checked } from '../../checked.ts'

/** One resolution, on the way down and on the way up again. */
export interface UnetLevel {
  readonly channels: number
  /** Residual blocks on the way down; the way up has one more. */
  readonly resnets: number
  /** Of the attention. */
  readonly heads: number
  /** Layers of the transformer behind each residual block; undefined without transformers. */
  readonly transformersDown: readonly number[] | undefined
  readonly transformersUp: readonly number[] | undefined
}

export interface UnetConfig {
  /** Channels of the states and of the prediction. */
  readonly channels: number
  /**
   * Height and width of the latents that it was trained on; undefined where the file does not say. diffusers before 0.9
   * wrote 32 for all: from these files at least 64, as diffusers corrects it.
   */
  readonly sampleSize: readonly [height: number, width: number] | undefined
  /** From the finest to the coarsest, whose channels and heads the middle block shares. */
  readonly levels: readonly UnetLevel[]
  /**
   * Two residual blocks with a transformer of so many layers between them; or one residual block without a transformer;
   * undefined where the way up begins where the way down ends.
   */
  readonly middle: { readonly transformer: number | undefined } | undefined
  /** Of all group norms. */
  readonly groups: number
  /** Of the group norms outside of transformers. */
  readonly epsilon: number
  /** Width of a token of the text. */
  readonly tokenWidth: number
  /** Whether transformers begin and end with a linear layer, and not with a 1 × 1 convolution. */
  readonly linearProjection: boolean
  /** Cosines before sines in the features of a time. */
  readonly flipSinToCos: boolean
  readonly freqShift: number
  /** Features of the scale of guidance, which distilled networks are told; undefined of others. */
  readonly guidanceWidth: number | undefined
  /** SDXL: pooled text and sizes, which are added to the time embedding. */
  readonly addition:
    | {
        /** Features of each size. */
        readonly timeWidth: number
        /** Width of the pooled text and the features of all sizes together. */
        readonly inputs: number
      }
    | undefined
}

/** Far above what is published: whatever a network is made of, something is made of each before its weights are looked at. */
const most = { levels: 32, layers: 1000 } as const
const countMessage = 'a whole number ≥ 1'
const evenMessage = 'an even number ≥ 2'
const perLevelMessage = 'a whole number ≥ 1, or one a level'
const blocksMessage = `a whole number from 1 to ${most.layers}, or one a level`
const channelsMessage = `a list of whole numbers ≥ 1, at most ${most.levels}`
const layersMessage = `whole numbers from 0 to ${most.layers}: one, one a level, or a list of one a residual block`
const shiftMessage = 'a number ≥ 0'
const additionMessage = 'null or text_time: no image or other addition to the text'
const sizeMessage = 'a whole number ≥ 1, or [height, width]'
const count = z.int(countMessage).min(1, countMessage)
const perLevel = z.union([count, z.array(count)], perLevelMessage)
const blockCount = z.int(blocksMessage).min(1, blocksMessage).max(most.layers, blocksMessage)
const layers = z.int(layersMessage).min(0, layersMessage).max(most.layers, layersMessage)
const layersByLevel = z.array(z.union([layers, z.array(layers)], layersMessage), layersMessage)
const flag = z.boolean('true or false')
const absent = (message: string) => z.null(`null: ${message}`).optional()
const off = (message: string) => z.literal(false, `false: ${message}`).optional()
const only = <T extends string | number>(value: T) => z.literal(value, String(value)).optional()
const blocks = (...types: readonly [string, string]) => z.array(z.enum(types, types.join(' or ')), 'a list of blocks')
const downBlocks = blocks('CrossAttnDownBlock2D', 'DownBlock2D')
const upBlocks = blocks('CrossAttnUpBlock2D', 'UpBlock2D')

/**
 * The messages are what was expected. Defaults are those of diffusers. Passed over on purpose: `upcast_attention` (the
 * fused attention never does it), and what only blocks read that are refused.
 */
const File = z
  .looseObject(
    {
      _class_name: z.literal('UNet2DConditionModel', 'UNet2DConditionModel'),
      _diffusers_version: z.string('a version').optional(),
      sample_size: z.union([count, z.tuple([count, count])], sizeMessage).nullish(),
      in_channels: count.default(4),
      out_channels: count.default(4),
      block_out_channels: z
        .array(count, channelsMessage)
        .max(most.levels, channelsMessage)
        .default([320, 640, 1280, 1280]),
      down_block_types: downBlocks.default([...Array<string>(3).fill('CrossAttnDownBlock2D'), 'DownBlock2D']),
      up_block_types: upBlocks.default(['UpBlock2D', ...Array<string>(3).fill('CrossAttnUpBlock2D')]),
      mid_block_type: z
        .enum(['UNetMidBlock2DCrossAttn', 'UNetMidBlock2D'], 'UNetMidBlock2DCrossAttn, UNetMidBlock2D or null')
        .nullable()
        .default('UNetMidBlock2DCrossAttn'),
      layers_per_block: z.union([blockCount, z.array(blockCount)], blocksMessage).default(2),
      transformer_layers_per_block: z.union([layers, layersByLevel], layersMessage).default(1),
      reverse_transformer_layers_per_block: layersByLevel.nullish(),
      attention_head_dim: perLevel.default(8),
      cross_attention_dim: count.default(1280),
      norm_num_groups: count.default(32),
      norm_eps: z.number('a number > 0').gt(0, 'a number > 0').default(1e-5),
      use_linear_projection: flag.default(false),
      flip_sin_to_cos: flag.default(true),
      freq_shift: z.number(shiftMessage).min(0, shiftMessage).default(0),
      addition_embed_type: z.literal('text_time', additionMessage).nullish(),
      addition_time_embed_dim: z.int(evenMessage).min(2, evenMessage).multipleOf(2, evenMessage).nullish(),
      projection_class_embeddings_input_dim: count.nullish(),
      num_attention_heads: absent('attention_head_dim counts the heads'),
      class_embed_type: absent('a network without classes'),
      num_class_embeds: absent('a network without classes'),
      class_embeddings_concat: off('a network without classes'),
      encoder_hid_dim: absent('tokens as the text encoder gives them'),
      encoder_hid_dim_type: absent('tokens as the text encoder gives them'),
      time_embedding_type: only('positional'),
      time_embedding_dim: absent('four times the first of block_out_channels'),
      time_embedding_act_fn: absent('a plain time embedding'),
      time_cond_proj_dim: z.int(evenMessage).min(4, evenMessage).multipleOf(2, evenMessage).nullish(),
      timestep_post_act: absent('a plain time embedding'),
      attention_type: only('default'),
      only_cross_attention: off('self-attention before cross-attention'),
      dual_cross_attention: off('one cross-attention'),
      resnet_time_scale_shift: only('default'),
      act_fn: z.enum(['silu', 'swish'], 'silu').optional(),
      dropout: only(0),
      mid_block_scale_factor: only(1),
      downsample_padding: only(1),
      conv_in_kernel: only(3),
      conv_out_kernel: only(3),
      center_input_sample: off('states as they are'),
    },
    'an object',
  )
  .superRefine((file, context) => {
    const complain = (path: keyof typeof file, message: string) =>
      context.addIssue({ code: 'custom', path: [path], message })
    const channels = file.block_out_channels
    const levels = channels.length
    if (levels === 0 || channels[0] % 2 !== 0) complain('block_out_channels', 'at least one level, the first one even')
    for (const path of ['down_block_types', 'up_block_types'] as const) {
      if (file[path].length !== levels) complain(path, `${levels} types, one a level of block_out_channels`)
    }
    for (const path of [
      'layers_per_block',
      'transformer_layers_per_block',
      'reverse_transformer_layers_per_block',
      'attention_head_dim',
    ] as const) {
      const value = file[path]
      if (Array.isArray(value) && value.length !== levels) complain(path, `${levels} numbers, one a level`)
    }
    if (isNested(file.transformer_layers_per_block) && !file.reverse_transformer_layers_per_block) {
      complain(
        'reverse_transformer_layers_per_block',
        'the layers on the way up, since those of the way down are lists',
      )
    }
    if (context.issues.length === 0) {
      for (const level of levelsOf(file)) {
        const { resnets, transformersDown: down, transformersUp: up } = level
        const expected = (blocks: number) => `${blocks} numbers in a list, one a residual block`
        if (down !== undefined && down.length !== resnets) complain('transformer_layers_per_block', expected(resnets))
        if (up !== undefined && up.length !== resnets + 1) {
          complain('reverse_transformer_layers_per_block', expected(resnets + 1))
        }
      }
    }
    if (channels.some((each) => each % file.norm_num_groups !== 0)) {
      complain('norm_num_groups', `a divisor of ${channels.join(', ')} (block_out_channels)`)
    }
    if (context.issues.length === 0 && levelsOf(file).some(({ channels, heads }) => channels % heads !== 0)) {
      complain('attention_head_dim', `numbers of heads that divide ${channels.join(', ')} (block_out_channels)`)
    }
    if (file.in_channels !== file.out_channels) {
      complain(
        'in_channels',
        `${file.out_channels}, as out_channels: a network that is given the noisy image alone, and no other image to fill in (9), edit (8), sharpen (7) or a depth (5)`,
      )
    }
    if (!file.addition_embed_type) return
    for (const path of ['addition_time_embed_dim', 'projection_class_embeddings_input_dim'] as const) {
      if (!file[path]) complain(path, 'a width, because of addition_embed_type')
    }
  })
type File = z.infer<typeof File>

type Layers = File['transformer_layers_per_block']
const isNested = (layers: Layers) => typeof layers !== 'number' && layers.some((own) => typeof own !== 'number')

function levelsOf(file: File): UnetLevel[] {
  const at = <T>(value: number | readonly T[], i: number) => (typeof value === 'number' ? value : value[i])
  const last = file.block_out_channels.length - 1
  const { transformer_layers_per_block: down, reverse_transformer_layers_per_block: up } = file
  const behindEach = (layers: number | readonly number[], blocks: number) =>
    typeof layers === 'number' ? new Array<number>(blocks).fill(layers) : layers
  return file.block_out_channels.map((channels, i) => {
    const resnets = at(file.layers_per_block, i)
    return {
      channels,
      resnets,
      heads: at(file.attention_head_dim, i),
      transformersDown:
        file.down_block_types[i] === 'CrossAttnDownBlock2D' ? behindEach(at(down, i), resnets) : undefined,
      transformersUp:
        file.up_block_types[last - i] === 'CrossAttnUpBlock2D'
          ? behindEach(up ? up[last - i] : at(down, i), resnets + 1)
          : undefined,
    }
  })
}

function middleOf({ mid_block_type: type, transformer_layers_per_block: layers }: File): UnetConfig['middle'] {
  if (type === null) return undefined
  if (type === 'UNetMidBlock2D') return { transformer: undefined }
  const coarsest = typeof layers === 'number' ? layers : layers.at(-1)!
  return { transformer: typeof coarsest === 'number' ? coarsest : coarsest[0] }
}

function sizeOf({ sample_size: size, _diffusers_version: version }: File): UnetConfig['sampleSize'] {
  if (size === null || size === undefined) return undefined
  const [height, width] = typeof size === 'number' ? [size, size] : size
  const [, major, minor] = /^(\d+)\.(\d+)/.exec(version ?? '') ?? []
  const isOld = major === '0' && Number(minor) < 9
  return isOld && height < 64 ? [64, 64] : [height, width]
}

/**
 * The parsed `unet/config.json`, with diffusers' defaults for fields that it lacks.
 *
 * @param config  the parsed JSON; unknown fields are passed over
 * @param where   names the file in errors
 * @throws {FormatError} naming the field: another class or block than those of Stable Diffusion 1, 2 and XL, inputs
 * beside the noisy image, or a value that makes no sense
 */
export function readUnetConfig(config: unknown, where: string): UnetConfig {
  const file = checked(File, config, where, 'choose a checkpoint with the denoiser of Stable Diffusion 1, 2 or XL')
  return Object.freeze({
    channels: file.in_channels,
    sampleSize: sizeOf(file),
    levels: levelsOf(file),
    middle: middleOf(file),
    groups: file.norm_num_groups,
    epsilon: file.norm_eps,
    tokenWidth: file.cross_attention_dim,
    linearProjection: file.use_linear_projection,
    flipSinToCos: file.flip_sin_to_cos,
    freqShift: file.freq_shift,
    guidanceWidth: file.time_cond_proj_dim ?? undefined,
    addition: file.addition_embed_type
      ? { timeWidth: file.addition_time_embed_dim!, inputs: file.projection_class_embeddings_input_dim! }
      : undefined,
  })
}
