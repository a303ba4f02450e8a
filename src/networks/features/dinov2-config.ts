/** What DINOv2's `config.json` says of its network, with the defaults of transformers' Dinov2Config. */
import { z } from 'zod'
import { FormatError } from '../../errors.ts'
import type { FoundWeights } from '../checkpoint/find-weights.ts'

export interface Dinov2Config {
  readonly width: number
  readonly layers: number
  readonly heads: number
  /** Between the two linear layers of the feed-forward half, after the gate where there is one. */
  readonly hidden: number
  /** SwiGLU in place of GELU. */
  readonly isGated: boolean
  /** Height and width of a patch, pixels. */
  readonly patchSize: number
  /** Side of the square of patches that has a position each. */
  readonly positions: number
  /** Of the layer norms. */
  readonly epsilon: number
}

const count = z.int().positive()
/** A width of the hidden layer, cut to two thirds for the gate and rounded up to eights. */
const gated = (hidden: number) => Math.ceil(Math.trunc((hidden * 2) / 3) / 8) * 8

export const Dinov2Config = z
  .looseObject({
    architectures: z.tuple(
      [z.enum(['Dinov2Model', 'Dinov2ForImageClassification', 'Dinov2Backbone'])],
      'a list with the name of one class',
    ),
    hidden_size: count.default(768),
    num_hidden_layers: count.max(1000).default(12),
    num_attention_heads: count.default(12),
    mlp_ratio: z.number().positive().default(4),
    use_swiglu_ffn: z.boolean().default(false),
    hidden_act: z.literal('gelu').default('gelu'),
    qkv_bias: z.literal(true).default(true),
    layer_norm_eps: z.number().positive().default(1e-6),
    image_size: count.default(224),
    patch_size: count.default(14),
    num_channels: z.literal(3).default(3),
  })
  .refine((fields) => fields.hidden_size % fields.num_attention_heads === 0, {
    path: ['num_attention_heads'],
    message: 'a divisor of hidden_size',
  })
  .transform((fields): Dinov2Config => {
    const hidden = Math.trunc(fields.hidden_size * fields.mlp_ratio)
    return {
      width: fields.hidden_size,
      layers: fields.num_hidden_layers,
      heads: fields.num_attention_heads,
      hidden: fields.use_swiglu_ffn ? gated(hidden) : hidden,
      isGated: fields.use_swiglu_ffn,
      patchSize: fields.patch_size,
      positions: Math.floor(fields.image_size / fields.patch_size),
      epsilon: fields.layer_norm_eps,
    }
  })

/** All published sizes have heads of this width. */
const headWidth = 64

/**
 * The configuration of weights that lie alone: all but the number of heads shows in them, and that is taken from the
 * published sizes.
 *
 * @param shapeOf of a tensor by the name that the network gives it
 * @throws {FormatError} no width of a published size
 */
export function dinov2ConfigOf(
  names: readonly string[],
  shapeOf: (name: string) => readonly number[],
  { files }: FoundWeights,
): Dinov2Config {
  const width = shapeOf('embeddings.cls_token').at(-1) ?? 0
  if (width === 0 || width % headWidth !== 0) {
    throw new FormatError({
      where: files.join(', '),
      expected: `a DINOv2 whose width is a multiple of ${headWidth}, or config.json beside it`,
      received: `a width of ${width}, which does not tell the number of heads`,
      remedy: 'put the config.json of the checkpoint beside the file',
    })
  }
  const isGated = names.includes('encoder.layer.0.mlp.weights_in.weight')
  const [rows = 0] = shapeOf(`encoder.layer.0.mlp.${isGated ? 'weights_in' : 'fc1'}.weight`)
  const layers = names.flatMap((name) => /^encoder\.layer\.(\d{1,3})\./.exec(name)?.[1] ?? [])
  return {
    width,
    layers: Math.max(0, ...layers.map(Number)) + 1,
    heads: width / headWidth,
    hidden: isGated ? rows / 2 : rows,
    isGated,
    patchSize: shapeOf('embeddings.patch_embeddings.projection.weight').at(-1) ?? 0,
    positions: Math.floor(Math.sqrt((shapeOf('embeddings.position_embeddings')[1] ?? 1) - 1)),
    epsilon: 1e-6,
  }
}
