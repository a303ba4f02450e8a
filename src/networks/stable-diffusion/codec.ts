/** The autoencoder between pixels and the denoiser's latents, which lies on the device only while it is used. */
import type { Dtype } from '../../tensor/dtype.ts'
import { tensorScope, unscoped } from '../../tensor/scope.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { hollow, Weights } from '../weights.ts'
import { decode, encode } from './autoencoder.ts'
import type { AutoencoderConfig } from './autoencoder-config.ts'

export interface CodecOptions {
  readonly device: string
  readonly dtype: Dtype
  /** Large pictures go through in overlapping tiles. */
  readonly tiling: boolean
}

export class Codec {
  readonly #stored: ReadonlyMap<string, Tensor>
  readonly #config: AutoencoderConfig
  readonly #options: CodecOptions
  #placed: Weights | undefined

  /** @param stored the autoencoder's parameters on the CPU, in the type and order that it computes in */
  constructor(stored: ReadonlyMap<string, Tensor>, config: AutoencoderConfig, options: CodecOptions) {
    this.#stored = stored
    this.#config = config
    this.#options = options
  }

  /** Channels of a latent. */
  get channels(): number {
    return this.#config.latentChannels
  }

  /** Pixels a latent along one side. */
  get factor(): number {
    return this.#config.factor
  }

  #weights(): Weights {
    const { device, dtype } = this.#options
    const place = () => [...this.#stored].map(([name, own]) => [name, own.to(device)] as const)
    return (this.#placed ??= Weights.of(new Map(unscoped(place)), { dtype }))
  }

  /** Whether what is stored lies where it is used. */
  get #isInPlace(): boolean {
    const [first] = this.#stored.values()
    return first.device === this.#options.device
  }

  /** Frees what lies on another device than the CPU; the next use places it again. */
  leaveDevice(): void {
    if (this.#placed === undefined || this.#isInPlace) return
    for (const placed of this.#placed.tensors().values()) placed.dispose()
    this.#placed = undefined
  }

  /** The same by the shapes of its parameters alone, which belong to the scope in force. */
  hollow(): Codec {
    const stored = new Map([...this.#stored].map(([name, own]) => [name, hollow(own)]))
    return new Codec(stored, this.#config, { ...this.#options, device: 'meta' })
  }

  /** Latents [B, c, h, w] → pixels [B, 3, H, W] in [-1, 1], float32. Their gradients would overflow in fp16: then it is fp32. */
  decode(latents: Tensor): Tensor {
    using scope = tensorScope()
    const isWide = latents.requiresGrad && this.#options.dtype === 'float16'
    const weights = isWide ? this.#weights().in('float32') : this.#weights()
    const pixels = decode(weights, this.#config, latents.div(this.#config.scalingFactor), this.#options)
    return scope.keep(pixels.to('float32').clamp(-1, 1))
  }

  /** Pixels [B, 3, H, W] in [-1, 1] → the mean of their latents [B, c, h, w], float32. */
  encode(pixels: Tensor): Tensor {
    using scope = tensorScope()
    const { mean } = encode(this.#weights(), this.#config, pixels.to(this.#options.device), this.#options)
    return scope.keep(mean.to('float32').mul(this.#config.scalingFactor))
  }
}
