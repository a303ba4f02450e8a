/** The networks of Stable Diffusion 1.5 with random weights in memory: no file is read or written. */
import { decode, encode } from '../../src/networks/stable-diffusion/autoencoder.ts'
import type { AutoencoderConfig } from '../../src/networks/stable-diffusion/autoencoder-config.ts'
import { unet } from '../../src/networks/stable-diffusion/unet.ts'
import type { UnetConfig } from '../../src/networks/stable-diffusion/unet-config.ts'
import { Weights } from '../../src/networks/weights.ts'
import { noGrad } from '../../src/tensor/autograd.ts'
import { zeros } from '../../src/tensor/create.ts'
import type { Dtype } from '../../src/tensor/dtype.ts'
import { tensorScope } from '../../src/tensor/scope.ts'

/** `vae/config.json` of Stable Diffusion 1.5; XL's differs in its scaling and in `sample_size`. */
export const autoencoder = {
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

/** The towers of `config.json` of CLIP ViT-L/14; the text tower is the text encoder of Stable Diffusion 1.5. */
export const clip = {
  architectures: ['CLIPModel'],
  model_type: 'clip',
  projection_dim: 768,
  text_config: {
    hidden_size: 768,
    intermediate_size: 3072,
    max_position_embeddings: 77,
    num_attention_heads: 12,
    num_hidden_layers: 12,
    vocab_size: 49408,
  },
  vision_config: {
    hidden_size: 1024,
    image_size: 224,
    intermediate_size: 4096,
    num_attention_heads: 16,
    num_hidden_layers: 24,
    patch_size: 14,
  },
}

/** The weights of a network, drawn by taking it through `smallest`, a pass with as little as it takes. */
export function randomWeights(dtype: Dtype, device: string, smallest: (weights: Weights) => unknown): Weights {
  using _scope = tensorScope()
  using _noGrad = noGrad()
  const weights = Weights.fresh(1, { dtype, device })
  smallest(weights)
  return weights
}

/** A pass of a denoiser at the smallest size that its levels allow. */
export function smallestUnet(weights: Weights, config: UnetConfig): void {
  const { addition, channels, levels, tokenWidth } = config
  const side = 2 ** (levels.length - 1)
  const make = (...shape: number[]) => zeros(shape, 'float32', weights.device)
  unet(weights, config, make(1, channels, side, side), zeros([1], 'int64', weights.device), {
    tokens: make(1, 77, tokenWidth),
    ...(addition && { pooled: make(1, addition.inputs - 6 * addition.timeWidth), timeIds: make(1, 6) }),
  })
}

/** One latent and one square of `factor` pixels. */
export function smallestAutoencoder(weights: Weights, config: AutoencoderConfig): void {
  const make = (...shape: number[]) => zeros(shape, 'float32', weights.device)
  encode(weights, config, make(1, 3, config.factor, config.factor))
  decode(weights, config, make(1, config.latentChannels, 1, 1))
}
