/**
 * What CLIP's configuration files say of its networks, with the defaults of transformers' CLIPTextConfig and
 * CLIPVisionConfig for what they leave out. Messages are what was expected.
 */
import { z } from 'zod'

const activations = ['quick_gelu', 'gelu'] as const

/** A stack of transformer layers. */
export interface TransformerSize {
  readonly width: number
  /** Width between the two linear layers of the feed-forward half. */
  readonly feedForward: number
  readonly layers: number
  readonly heads: number
  readonly activation: (typeof activations)[number]
  /** Of the layer norms. */
  readonly epsilon: number
}

export interface TextConfig extends TransformerSize {
  readonly vocabulary: number
  /** Tokens of a text, with padding. */
  readonly length: number
  /** The token whose state stands for the whole text; undefined where it is the largest of a text. */
  readonly endToken: number | undefined
}

export interface VisionConfig extends TransformerSize {
  /** Height and width of an image, pixels. */
  readonly imageSize: number
  /** Height and width of a patch, pixels. */
  readonly patchSize: number
}

const count = z.int().positive()
const oneClass = 'a list with the name of one class'

/** @param defaults by which the two towers differ */
const transformerFields = (defaults: { width: number; feedForward: number; heads: number }) => ({
  hidden_size: count.default(defaults.width),
  intermediate_size: count.default(defaults.feedForward),
  num_hidden_layers: count.max(1000).default(12),
  num_attention_heads: count.default(defaults.heads),
  hidden_act: z.enum(activations).default('quick_gelu'),
  layer_norm_eps: z.number().positive().default(1e-5),
})
const textFields = {
  ...transformerFields({ width: 512, feedForward: 2048, heads: 8 }),
  vocab_size: count.default(49408),
  max_position_embeddings: count.default(77),
  eos_token_id: z.int().nonnegative().default(49407),
}
const visionFields = {
  ...transformerFields({ width: 768, feedForward: 3072, heads: 12 }),
  num_channels: z.literal(3).default(3),
  image_size: count.default(224),
  patch_size: count.default(32),
}
const TextFields = z.looseObject(textFields)
const VisionFields = z.looseObject(visionFields)

const headsDivideWidth = (fields: { hidden_size: number; num_attention_heads: number }) =>
  fields.hidden_size % fields.num_attention_heads === 0
const otherwise = { path: ['num_attention_heads'], message: 'a divisor of hidden_size' }

function transformerSize(fields: z.infer<typeof TextFields> | z.infer<typeof VisionFields>): TransformerSize {
  return {
    width: fields.hidden_size,
    feedForward: fields.intermediate_size,
    layers: fields.num_hidden_layers,
    heads: fields.num_attention_heads,
    activation: fields.hidden_act,
    epsilon: fields.layer_norm_eps,
  }
}

function textConfig(fields: z.infer<typeof TextFields>): TextConfig {
  return {
    ...transformerSize(fields),
    vocabulary: fields.vocab_size,
    length: fields.max_position_embeddings,
    // 2 is what configs said before transformers 4.31, whatever the tokenizer; the end was then sought as the maximum.
    endToken: fields.eos_token_id === 2 ? undefined : fields.eos_token_id,
  }
}

function visionConfig(fields: z.infer<typeof VisionFields>): VisionConfig {
  return { ...transformerSize(fields), imageSize: fields.image_size, patchSize: fields.patch_size }
}

/** `text_encoder/config.json`: a CLIPTextModel, or a CLIPTextModelWithProjection with its `projection` width. */
export const TextEncoderConfig = z
  .looseObject({
    ...textFields,
    architectures: z.tuple([z.enum(['CLIPTextModel', 'CLIPTextModelWithProjection'])], oneClass),
    projection_dim: count.default(512),
  })
  .refine(headsDivideWidth, otherwise)
  .transform((fields) => ({
    text: textConfig(fields),
    /** Width of the projected state; undefined without a projection. */
    projection: fields.architectures[0] === 'CLIPTextModel' ? undefined : fields.projection_dim,
  }))
export type TextEncoderConfig = z.infer<typeof TextEncoderConfig>

const Text = TextFields.refine(headsDivideWidth, otherwise).transform(textConfig)
const Vision = VisionFields.refine(headsDivideWidth, otherwise).transform(visionConfig)

/**
 * `config.json` of a CLIPModel. Where an older file has `text_config_dict` or `vision_config_dict`, that and the
 * defaults count, and not what stands in `text_config` or `vision_config`: so it is in transformers.
 */
export const ClipConfig = z
  .looseObject({
    architectures: z.tuple([z.literal('CLIPModel')], oneClass),
    projection_dim: count.default(512),
    text_config: Text.prefault({}),
    text_config_dict: Text.nullish(),
    vision_config: Vision.prefault({}),
    vision_config_dict: Vision.nullish(),
  })
  .transform((fields) => ({
    text: fields.text_config_dict ?? fields.text_config,
    vision: fields.vision_config_dict ?? fields.vision_config,
    /** Width of the space that texts and images share. */
    projection: fields.projection_dim,
  }))
export type ClipConfig = z.infer<typeof ClipConfig>

/**
 * `config.json` of an OwlViTForObjectDetection (Minderer et al. 2022), whose towers are CLIP's with defaults of their own. A
 * text ends at its largest token.
 */
export const OwlVitConfig = z
  .looseObject({
    architectures: z.tuple([z.literal('OwlViTForObjectDetection')], oneClass),
    projection_dim: count.default(512),
    text_config: z
      .looseObject({ ...textFields, max_position_embeddings: count.default(16) })
      .refine(headsDivideWidth, otherwise)
      .transform((fields): TextConfig => ({ ...textConfig(fields), endToken: undefined }))
      .prefault({}),
    vision_config: z
      .looseObject({ ...visionFields, image_size: count.default(768) })
      .refine(headsDivideWidth, otherwise)
      .transform(visionConfig)
      .prefault({}),
  })
  .transform((fields) => ({
    text: fields.text_config,
    vision: fields.vision_config,
    projection: fields.projection_dim,
  }))
export type OwlVitConfig = z.infer<typeof OwlVitConfig>

/** `config.json` of a CLIPVisionModel or a CLIPVisionModelWithProjection: the image tower alone. */
export const VisionTowerConfig = z
  .looseObject({
    ...visionFields,
    architectures: z.tuple([z.enum(['CLIPVisionModel', 'CLIPVisionModelWithProjection'])], oneClass),
    projection_dim: count.default(512),
  })
  .refine(headsDivideWidth, otherwise)
  .transform((fields) => ({
    vision: visionConfig(fields),
    /** Width of the projected state; undefined without a projection. */
    projection: fields.architectures[0] === 'CLIPVisionModel' ? undefined : fields.projection_dim,
  }))
export type VisionTowerConfig = z.infer<typeof VisionTowerConfig>
