/** Stable Diffusion 1, 2 and XL behind the interface that all stages see (Rombach et al. 2022, Podell et al. 2023). */
import type { NoiseSetup } from '../../diffusion/scheduler-config.ts'
import { withoutGrad } from '../../tensor/autograd.ts'
import { cat, constants, tensor } from '../../tensor/create.ts'
import { averagePool } from '../../tensor/functional.ts'
import type { Dtype } from '../../tensor/dtype.ts'
import { native } from '../../tensor/library.ts'
import { tensorScope, unscoped } from '../../tensor/scope.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import type { TextEncoderConfig } from '../clip/config.ts'
import { projectText, textModel } from '../clip/text-model.ts'
import type { ClipTokenizer } from '../clip/tokenizer.ts'
import type {
  AdapterLayers,
  CleanStates,
  Conditioning,
  GenerativeModel,
  ImageSize,
  ModelDefaults,
  ModelStage,
  Sampling,
} from '../generative-model.ts'
import type { TextLength } from '../text-length.ts'
import { hollowChange, type Change, type Weights } from '../weights.ts'
import type { Codec } from './codec.ts'
import { unet } from './unet.ts'
import type { UnetConfig } from './unet-config.ts'

/** One of the text encoders: its parameters lie under `name` in the weights. */
export interface TextTower {
  readonly name: 'text_encoder' | 'text_encoder_2'
  readonly config: TextEncoderConfig
  readonly tokenizer: ClipTokenizer
}

/** What a checkpoint is made of. */
export interface StableDiffusionParts {
  readonly name: string
  readonly sha256: string
  /** `unet.…`, `text_encoder.…` and `text_encoder_2.…`. */
  readonly weights: Weights
  readonly unet: UnetConfig
  /** One of Stable Diffusion 1 and 2, two of XL. */
  readonly towers: readonly TextTower[]
  readonly codec: Codec
  readonly noise: NoiseSetup
  readonly imageSize: ImageSize
  /** XL: no prompt is a conditioning of zeros, not an encoded empty text. */
  readonly zeroEmptyPrompt: boolean
  readonly sampling: Sampling
  /** Images drawn at once where nothing else is said. */
  readonly batchSize: number
}

const adapterTargets: Readonly<Record<AdapterLayers, RegExp>> = {
  attention: /\.attn\d\.(to_q|to_k|to_v|to_out\.0)\.weight$/,
  'feed-forward': /\.ff\.net\.(0\.proj|2)\.weight$/,
  convolutions: /\.(conv\d?|conv_shortcut)\.weight$/,
}

/** Whether adapters on these kinds of layers change a weight; names are those of the model, `unet.…`. */
export function isAdapterTarget(name: string, layers: readonly AdapterLayers[]): boolean {
  return name.startsWith('unet.') && layers.some((kind) => adapterTargets[kind].test(name))
}

/**
 * Sines and cosines of 1000 (w − 1) at geometrically falling frequencies, as diffusers tells a network the scale w:
 * one row for each of `like`, [B, width] float32.
 */
function guidanceFeatures(like: Tensor, scale: number, width: number): Tensor {
  const half = width / 2
  const angles = Array.from({ length: half }, (_, i) => 1000 * (scale - 1) * 10_000 ** (-i / (half - 1)))
  const row = [...angles.map(Math.sin), ...angles.map(Math.cos)]
  return tensor(row, [1, width]).to(like.device).expand(like.shape[0], width)
}

/** Shorter side of the latents that a preview is decoded from: 224 pixels, what CLIP looks at. */
const previewSide = 28
const mostCached = 4096

class StableDiffusion implements GenerativeModel {
  readonly name: string
  readonly sha256: string
  readonly stages: readonly ModelStage[]
  readonly policyStage = 0
  readonly imageSize: ImageSize
  readonly defaults: ModelDefaults
  readonly weights: Weights
  readonly #parts: StableDiffusionParts
  readonly #change: Change
  /** Of frozen text encoders; every view of this model shares them. */
  readonly #encoded: Map<string, Conditioning>

  constructor(parts: StableDiffusionParts, change: Change, encoded: Map<string, Conditioning>) {
    this.#parts = parts
    this.#change = change
    this.#encoded = encoded
    const { name, sha256, imageSize, weights } = parts
    this.name = name
    this.sha256 = sha256
    this.stages = [this.#denoiser()]
    this.imageSize = imageSize
    this.weights = weights.with(change)
    this.defaults = {
      batchSize: this.#parts.batchSize,
      parameters: 'lora',
    }
  }

  get device(): string {
    return this.weights.device
  }

  isTextPath(name: string): boolean {
    return name.startsWith('text_encoder') || /\.attn2\.to_[kv]\./.test(name)
  }

  isAdapterTarget(name: string, layers: readonly AdapterLayers[]): boolean {
    return isAdapterTarget(name, layers)
  }

  encodeText(texts: readonly string[]): Conditioning {
    // What is remembered outlives every scope, and hollow tensors are counted.
    if (this.#trainsText || this.device === 'meta') return this.#encode(texts)
    using scope = tensorScope()
    const rows = texts.map((text) => this.#remembered(text))
    const joined = Object.keys(rows[0]).map((key) => [key, scope.keep(cat(rows.map((row) => row[key])))])
    this.#forgetOldest()
    return Object.fromEntries(joined) as Conditioning
  }

  /** Of the encoder that loses most of it. */
  textLength(text: string): TextLength {
    const lengths = this.#parts.towers.map(({ tokenizer }) => ({
      tokens: tokenizer.count(text),
      read: tokenizer.length,
    }))
    return lengths.reduce((worst, one) => (one.tokens - one.read > worst.tokens - worst.read ? one : worst))
  }

  get #trainsText(): boolean {
    const { trained = new Map<string, Tensor>(), adapters = new Map<string, unknown>() } = this.#change
    return [...trained.keys(), ...adapters.keys()].some((name) => name.startsWith('text_encoder'))
  }

  #remembered(text: string): Conditioning {
    const known = this.#encoded.get(text)
    if (known !== undefined) return known
    const made = unscoped(() => withoutGrad(() => this.#encode([text])))
    this.#encoded.set(text, made)
    return made
  }

  #forgetOldest(): void {
    for (const [text, rows] of this.#encoded) {
      if (this.#encoded.size <= mostCached) return
      for (const row of Object.values(rows)) row.dispose()
      this.#encoded.delete(text)
    }
  }

  #encode(texts: readonly string[]): Conditioning {
    using scope = tensorScope()
    const { towers, zeroEmptyPrompt } = this.#parts
    const isXl = towers.length > 1
    const states: Tensor[] = []
    let pooled: Tensor | undefined
    for (const { name, config, tokenizer } of towers) {
      const tower = this.weights.at(name)
      const ids = tensor(
        texts.flatMap((text) => tokenizer.encode(text)),
        [texts.length, tokenizer.length],
        'int64',
      ).to(this.device)
      const encoded = textModel(tower, config.text, ids)
      states.push(isXl ? encoded.penultimate : encoded.last)
      if (config.projection !== undefined) pooled = projectText(tower, config.text, config.projection, encoded.pooled)
    }
    const blank = zeroEmptyPrompt ? texts.map((text) => (text === '' ? 0 : 1)) : undefined
    const shown = (rows: Tensor) =>
      blank === undefined
        ? rows
        : rows.mul(
            tensor(blank, [blank.length, ...rows.shape.slice(1).map(() => 1)])
              .to(rows.dtype)
              .to(rows.device),
          )
    const tokens = scope.keep(shown(cat(states, 2)))
    return isXl && pooled !== undefined ? { tokens, pooled: scope.keep(shown(pooled)) } : { tokens }
  }

  /** The one stage: latents from noise. */
  #denoiser(): ModelStage {
    const { noise, codec, imageSize, sampling, unet: config } = this.#parts
    const { guidanceWidth: width } = config
    return {
      name: 'unet',
      process: noise.process,
      stateShape: [codec.channels, imageSize.height / codec.factor, imageSize.width / codec.factor],
      sampling,
      condition: (text) => text,
      predict: (xt, t, given) => this.#predict(xt, t, given),
      ...(width !== undefined && {
        tellGuidance: (given, scale) => ({ ...given, guidance: guidanceFeatures(given.tokens, scale, width) }),
      }),
    }
  }

  #predict(xt: Tensor, t: Tensor, { tokens, pooled, guidance }: Conditioning): Tensor {
    const { unet: config, codec, imageSize } = this.#parts
    const { height, width } = imageSize
    // The codec makes room for the activations; a graph through it holds on to what it needs.
    if (native().gradMode()) codec.leaveDevice()
    using scope = tensorScope()
    const extra = {
      ...(guidance !== undefined && { guidance }),
      ...(pooled !== undefined && {
        pooled,
        // Original size, crop and target size, as if the image had never been cropped (Podell et al. 2023, §2.2).
        timeIds: constants([height, width, 0, 0, height, width], [1, 6], this.device).expand(t.shape[0], 6),
      }),
    }
    return scope.keep(unet(this.weights.at('unet'), config, xt.to(this.weights.dtype), t, { tokens, ...extra }))
  }

  decode([x0]: readonly Tensor[]): Tensor {
    return this.#parts.codec.decode(x0)
  }

  /** From averages of latents, at the size that CLIP looks at; an image of 512² costs a fifth of `decode`. */
  preview([x0]: readonly Tensor[]): Tensor {
    using scope = tensorScope()
    const [, , height, width] = x0.shape
    const scale = previewSide / Math.min(height, width)
    if (scale >= 1) return scope.keep(this.decode([x0]))
    return scope.keep(this.decode([averagePool(x0, Math.round(height * scale), Math.round(width * scale))]))
  }

  encode(pixels: Tensor): CleanStates {
    return { x0: this.#parts.codec.encode(pixels), earlier: [] }
  }

  with(change: Change): GenerativeModel {
    return new StableDiffusion(this.#parts, change, this.#encoded)
  }

  hollow(imageSize = this.imageSize): GenerativeModel {
    const { weights, codec } = this.#parts
    const parts = { ...this.#parts, imageSize, weights: weights.hollow(), codec: codec.hollow() }
    return new StableDiffusion(parts, hollowChange(this.#change), new Map())
  }

  in(dtype: Dtype): GenerativeModel {
    if (dtype === this.weights.dtype) return this
    return new StableDiffusion({ ...this.#parts, weights: this.#parts.weights.in(dtype) }, this.#change, new Map())
  }
}

export function stableDiffusion(parts: StableDiffusionParts): GenerativeModel {
  return new StableDiffusion(parts, {}, new Map())
}
