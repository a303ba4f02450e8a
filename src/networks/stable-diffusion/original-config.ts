/**
 * Configurations of networks that come as tensors alone, in the original names: read off the shapes, with the rest from
 * the published models of that shape. In the form of diffusers' and transformers' files, so that the same checks apply.
 */
import { FormatError } from '../../errors.ts'

/** Shapes by original name, without the network's prefix. */
export type Shapes = ReadonlyMap<string, readonly number[]>
type Json = Record<string, unknown>

/** Channels of a head in Stable Diffusion 2 and XL, and in all CLIPs. */
const headWidth = 64

function countOf(has: (index: number) => boolean): number {
  let count = 0
  while (has(count)) count++
  return count
}

/** How to give what shapes do not tell. */
const remedy = 'give a folder in diffusers’ layout that has the configuration of this model: --model-config FOLDER'

/**
 * `unet/config.json`. Heads are not in the shapes: 8 at all levels where transformers begin with a convolution, as in
 * Stable Diffusion 1, else one for each 64 channels.
 *
 * @param where names the file in errors
 * @throws {FormatError} no such network, or one whose heads cannot be told
 */
export function unetJson(shapes: Shapes, where: string): Json {
  const names = [...shapes.keys()]
  const shapeOf = (name: string) => {
    const found = shapes.get(name)
    if (found !== undefined) return found
    throw new FormatError({ where: `${where} ${name}`, expected: 'a denoiser’s', received: 'no such tensor', remedy })
  }
  const has = (prefix: string) => names.some((name) => name.startsWith(prefix))
  const layersAt = (block: string) =>
    has(`${block}.norm.`) ? countOf((i) => has(`${block}.transformer_blocks.${i}.`)) : undefined

  const levels: { channels: number; down: (number | undefined)[]; up: (number | undefined)[] }[] = []
  let level: (typeof levels)[number] | undefined
  for (let row = 1; has(`input_blocks.${row}.`); row++) {
    const block = `input_blocks.${row}`
    if (has(`${block}.0.op.`)) {
      level = undefined
      continue
    }
    const [channels] = shapeOf(`${block}.0.in_layers.2.weight`)
    if (level === undefined) levels.push((level = { channels, down: [], up: [] }))
    level.down.push(layersAt(`${block}.1`))
  }
  let row = 0
  for (const one of levels.toReversed()) {
    for (const _ of [...one.down, 'the one more on the way up']) one.up.push(layersAt(`output_blocks.${row++}.1`))
  }

  const [width, inputs] = shapeOf('input_blocks.0.0.weight')
  const projection = names.find((name) => name.endsWith('.1.proj_in.weight'))
  const isLinear = projection !== undefined && shapeOf(projection).length === 2
  const crossAttention = names.find((name) => name.endsWith('.attn2.to_k.weight'))
  const channels = levels.map((one) => one.channels)
  if (isLinear && channels.some((each) => each % headWidth !== 0)) {
    throw new FormatError({
      where,
      expected: `channels in multiples of ${headWidth}, from which the heads follow`,
      received: channels.join(', '),
      remedy,
    })
  }
  const addition = shapes.get('label_emb.0.0.weight')
  const guidance = shapes.get('time_embed.cond_proj.weight')
  const attends = (layers: readonly (number | undefined)[]) => layers.some((count) => count !== undefined)
  const counts = (layers: readonly (number | undefined)[]) => (attends(layers) ? layers.map((count) => count ?? 0) : 1)
  const deepest = layersAt('middle_block.1')
  return {
    _class_name: 'UNet2DConditionModel',
    in_channels: inputs,
    out_channels: shapeOf('out.2.weight')[0],
    block_out_channels: channels,
    layers_per_block: levels.map(({ down }) => down.length),
    down_block_types: levels.map(({ down }) => (attends(down) ? 'CrossAttnDownBlock2D' : 'DownBlock2D')),
    up_block_types: levels.map(({ up }) => (attends(up) ? 'CrossAttnUpBlock2D' : 'UpBlock2D')).reverse(),
    mid_block_type: !has('middle_block.') ? null : deepest === undefined ? 'UNetMidBlock2D' : 'UNetMidBlock2DCrossAttn',
    // The middle block has the layers of the coarsest level; where that has none, they stand there for the middle alone.
    transformer_layers_per_block: levels.map(({ down }, i) =>
      i === levels.length - 1 && !attends(down) ? (deepest ?? 1) : counts(down),
    ),
    reverse_transformer_layers_per_block: levels.map(({ up }) => counts(up)).reverse(),
    attention_head_dim: isLinear ? channels.map((each) => each / headWidth) : 8,
    ...(crossAttention !== undefined && { cross_attention_dim: shapeOf(crossAttention)[1] }),
    use_linear_projection: isLinear,
    ...(guidance !== undefined && { time_cond_proj_dim: guidance[1] }),
    ...(addition !== undefined && {
      addition_embed_type: 'text_time',
      addition_time_embed_dim: 256,
      projection_class_embeddings_input_dim: addition[1],
    }),
    time_embedding_dim: shapeOf('time_embed.0.weight')[0] === 4 * width ? null : shapeOf('time_embed.0.weight')[0],
  }
}

/**
 * `vae/config.json`.
 *
 * @param scalingFactor    of the published model that it belongs to; no shape tells it
 * @param shapeOf  by diffusers' names
 */
export function autoencoderJson(shapeOf: (name: string) => readonly number[] | undefined, scalingFactor: number): Json {
  const channelsAt = (level: number) => shapeOf(`encoder.down_blocks.${level}.resnets.0.conv1.weight`)?.[0]
  const levels = countOf((i) => channelsAt(i) !== undefined)
  return {
    _class_name: 'AutoencoderKL',
    block_out_channels: Array.from({ length: levels }, (_, i) => channelsAt(i)),
    down_block_types: new Array<string>(levels).fill('DownEncoderBlock2D'),
    up_block_types: new Array<string>(levels).fill('UpDecoderBlock2D'),
    layers_per_block: countOf((i) => shapeOf(`encoder.down_blocks.0.resnets.${i}.conv1.weight`) !== undefined),
    latent_channels: shapeOf('decoder.conv_in.weight')?.[1],
    mid_block_add_attention: shapeOf('decoder.mid_block.attentions.0.to_q.weight') !== undefined,
    use_quant_conv: shapeOf('quant_conv.weight') !== undefined,
    use_post_quant_conv: shapeOf('post_quant_conv.weight') !== undefined,
    scaling_factor: scalingFactor,
    sample_size: 512,
  }
}

/** How a text encoder is spelled: as transformers does, or as OpenCLIP. */
export type TextSpelling = 'transformers' | 'open-clip'

/**
 * `text_encoder/config.json`.
 *
 * @param shapeOf  by transformers' names
 * @param isProjected the second encoder of XL, of which all layers and the projection are used; of OpenCLIP's 24 layers in
 *   Stable Diffusion 2 the last one is not
 */
export function textEncoderJson(
  shapeOf: (name: string) => readonly number[] | undefined,
  spelling: TextSpelling,
  isProjected: boolean,
): Json {
  const feedForwardAt = (i: number) => shapeOf(`text_model.encoder.layers.${i}.mlp.fc1.weight`)?.[0]
  const [length, width] = shapeOf('text_model.embeddings.position_embedding.weight') ?? []
  const layers = countOf((i) => feedForwardAt(i) !== undefined)
  return {
    architectures: [isProjected ? 'CLIPTextModelWithProjection' : 'CLIPTextModel'],
    vocab_size: shapeOf('text_model.embeddings.token_embedding.weight')?.[0],
    hidden_size: width,
    intermediate_size: feedForwardAt(0),
    num_hidden_layers: spelling === 'open-clip' && !isProjected && layers === 24 ? 23 : layers,
    num_attention_heads: width === undefined ? undefined : Math.max(1, Math.floor(width / headWidth)),
    max_position_embeddings: length,
    hidden_act: spelling === 'open-clip' ? 'gelu' : 'quick_gelu',
    eos_token_id: 49407,
    ...(isProjected && { projection_dim: shapeOf('text_projection.weight')?.[0] }),
  }
}
