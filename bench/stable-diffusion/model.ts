/** Stable Diffusion 1.5 with random weights in memory, as every stage sees a model; and CLIP ViT-L/14 as a reward. */
import { fileURLToPath } from 'node:url'
import { readScheduler } from '../../src/diffusion/scheduler-config.ts'
import { ClipConfig, TextEncoderConfig } from '../../src/networks/clip/config.ts'
import { preprocess, PreprocessorConfig } from '../../src/networks/clip/preprocess.ts'
import { textModel } from '../../src/networks/clip/text-model.ts'
import { openTokenizer } from '../../src/networks/clip/tokenizer.ts'
import { projectImage, visionModel } from '../../src/networks/clip/vision-model.ts'
import type { GenerativeModel } from '../../src/networks/generative-model.ts'
import { imageOrderOn, inOrder } from '../../src/networks/image-order.ts'
import { readAutoencoderConfig } from '../../src/networks/stable-diffusion/autoencoder-config.ts'
import { Codec } from '../../src/networks/stable-diffusion/codec.ts'
import { stableDiffusion } from '../../src/networks/stable-diffusion/model.ts'
import { sd15 } from '../../src/networks/stable-diffusion/published-configs.test-helper.ts'
import { readUnetConfig } from '../../src/networks/stable-diffusion/unet-config.ts'
import { Weights } from '../../src/networks/weights.ts'
import type { Reward } from '../../src/reward/reward.ts'
import { zeros } from '../../src/tensor/create.ts'
import type { Dtype } from '../../src/tensor/dtype.ts'
import { tensorScope } from '../../src/tensor/scope.ts'
import type { Tensor } from '../../src/tensor/tensor.ts'
import { autoencoder, clip, randomWeights, smallestAutoencoder, smallestUnet } from './networks.ts'

export interface Placed {
  readonly dtype: Dtype
  readonly device: string
  /** A network of the same shape that is small enough for a try on a CPU. */
  readonly tiny: boolean
}

const tokenizerFolder = new URL('../../test/fixtures/stable-diffusion/sd1/tokenizer', import.meta.url)
const small = { block_out_channels: [32, 64, 64, 64], norm_num_groups: 8 }
const smallText = { hidden_size: 32, intermediate_size: 64, num_attention_heads: 2, num_hidden_layers: 2 }

/** As the files of a checkpoint say it; diffusers reads the first two. */
export function configsOf(tiny: boolean) {
  const textTower = { ...clip.text_config, ...(tiny && smallText) }
  return {
    unet: { ...sd15, ...(tiny && { ...small, attention_head_dim: 4, cross_attention_dim: 32 }) },
    vae: { ...autoencoder, ...(tiny && small) },
    text: { architectures: ['CLIPTextModel'], model_type: 'clip_text_model', ...textTower },
    scheduler: {
      _class_name: 'DDIMScheduler',
      beta_start: 0.00085,
      beta_end: 0.012,
      beta_schedule: 'scaled_linear',
      num_train_timesteps: 1000,
      clip_sample: false,
      set_alpha_to_one: false,
      steps_offset: 1,
    },
    /** Of the latents. */
    side: tiny ? 8 : 64,
  }
}

/** Its tensors belong to the scope in force. */
export function randomModel({ dtype, device, tiny }: Placed): GenerativeModel {
  const configs = configsOf(tiny)
  const unet = readUnetConfig(configs.unet, 'unet')
  const vae = readAutoencoderConfig(configs.vae, 'vae')
  const text = TextEncoderConfig.parse(configs.text)
  const tokenizer = openTokenizer(fileURLToPath(tokenizerFolder))
  const parts = {
    unet: randomWeights(dtype, device, (fresh) => smallestUnet(fresh, unet)),
    text_encoder: randomWeights(dtype, device, (fresh) => {
      textModel(fresh, text.text, zeros([1, tokenizer.length], 'int64', device))
    }),
  }
  const tensors = Object.entries(parts).flatMap(([part, weights]) =>
    [...weights.tensors()].map(([name, tensor]) => [`${part}.${name}`, tensor] as const),
  )
  const decoder = randomWeights(dtype, 'cpu', (fresh) => smallestAutoencoder(fresh, vae))
  const order = imageOrderOn(device, dtype)
  const stored = new Map([...decoder.tensors()].map(([name, tensor]) => [name, inOrder(tensor, order)]))
  const pixels = configs.side * vae.factor
  return stableDiffusion({
    name: 'random',
    sha256: '0'.repeat(64),
    weights: Weights.of(new Map(tensors), { dtype }),
    unet,
    towers: [{ name: 'text_encoder', config: text, tokenizer }],
    codec: new Codec(stored, vae, { device, dtype, tiling: false }),
    noise: readScheduler(configs.scheduler, 'scheduler'),
    imageSize: { width: pixels, height: pixels },
    zeroEmptyPrompt: false,
    sampling: { steps: 50, eta: 1, guidance: 7.5 },
    batchSize: 8,
  })
}

/** Features of images by CLIP's image tower: [B, 768] of unit length. */
export function randomClip({ dtype, device, tiny }: Placed): (pixels: Tensor) => Tensor {
  const smaller = { ...smallText, image_size: 32, patch_size: 8 }
  const { vision, projection } = ClipConfig.parse({
    ...clip,
    ...(tiny && { vision_config: { ...clip.vision_config, ...smaller } }),
  })
  const embed = (weights: Weights, shown: Tensor) =>
    projectImage(weights, vision, projection, visionModel(weights, vision, shown))
  const weights = randomWeights(dtype, device, (fresh) => {
    embed(fresh, zeros([1, 3, vision.imageSize, vision.imageSize], 'float32', device))
  })
  const shape = PreprocessorConfig.parse({ size: vision.imageSize, crop_size: vision.imageSize })
  return (pixels) => {
    using scope = tensorScope()
    const rows = embed(weights, preprocess(pixels.to(device), shape)).to('float32')
    return scope.keep(rows.div(rows.square().sum(1, true).sqrt()))
  }
}

/** How bright an image is; a value function sees it through these features of images, or through its mean colours. */
export function brightness(features?: (pixels: Tensor) => Tensor): Reward {
  const colours = (pixels: Tensor) => {
    using scope = tensorScope()
    return scope.keep(pixels.to('float32').flatten(2).mean(2).to('cpu')) // [B, 3]
  }
  const embedImages = features === undefined ? colours : (pixels: Tensor) => features(pixels).to('cpu')
  return {
    name: 'brightness',
    sha256: '0'.repeat(64),
    range: undefined,
    score: (pixels) => colours(pixels).mean(1),
    embedImages,
    features: embedImages,
  }
}
