/** Opens a Stable Diffusion checkpoint from its folder or file, or from the Hugging Face cache. */
import { ConfigError } from '../../errors.ts'
import type { Dtype } from '../../tensor/dtype.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import type { GenerativeModel, ImageSize } from '../generative-model.ts'
import { imageOrderOn } from '../image-order.ts'
import { Weights } from '../weights.ts'
import { checkCheckpoint } from './checkpoint.ts'
import type { CheckpointOptions } from './checkpoint-fields.ts'
import { Codec } from './codec.ts'
import { stableDiffusion } from './model.ts'

export interface OpenOptions {
  readonly device: string
  /** Of frozen weights and of computing. */
  readonly dtype: Dtype
  /** Of the images; as it was trained where it is null. */
  readonly imageSize: ImageSize | null
  /** Takes large images through the autoencoder in tiles. */
  readonly tiling: boolean
  readonly checkpoint?: CheckpointOptions
  /** By its shapes alone, as on the device but on `meta`: no weights are read, and its SHA-256 is empty. See `GenerativeModel.hollow`. */
  readonly isHollow?: boolean
}

/**
 * @param name a folder in diffusers' layout, a single file, or owner/name in the Hugging Face cache
 * @returns notes: what a person should know of how this checkpoint is used, as sentences
 * @throws {FileError | FormatError} see `resolveCheckpoint` and `checkCheckpoint`
 * @throws {ConfigError} a resolution that its latents cannot have; see `checkCheckpoint`
 */
export function openStableDiffusion(
  name: string,
  { device, dtype, imageSize, tiling, checkpoint, isHollow = false }: OpenOptions,
): { model: GenerativeModel; notes: readonly string[] } {
  const checked = checkCheckpoint(name, checkpoint)
  const size = imageSize ?? checked.imageSize
  const { factor, forceUpcast } = checked.vae.config
  expectMultiples(size, factor)
  const [place, order] = [isHollow ? 'meta' : device, imageOrderOn(device, dtype)]
  const tensors = new Map<string, Tensor>()
  const parts = [{ name: 'unet', network: checked.unet.network }, ...checked.towers]
  for (const part of parts) {
    for (const [key, tensor] of part.network.load({ device: place, dtype, order }))
      tensors.set(`${part.name}.${key}`, tensor)
  }
  // SDXL's autoencoder overflows in fp16.
  const codecType = forceUpcast && dtype === 'float16' ? 'float32' : dtype
  const stored = checked.vae.network.load({
    device: isHollow ? 'meta' : 'cpu',
    dtype: codecType,
    order: imageOrderOn(device, codecType),
  })
  const model = stableDiffusion({
    name,
    sha256: isHollow ? '' : checked.sha256(),
    weights: Weights.of(tensors, { dtype, order }),
    unet: checked.unet.config,
    towers: checked.towers,
    codec: new Codec(stored, checked.vae.config, { device: place, dtype: codecType, tiling }),
    noise: checked.noise,
    imageSize: size,
    zeroEmptyPrompt: checked.zeroEmptyPrompt,
    sampling: checked.sampling,
    batchSize: device === 'cpu' ? 2 : 8,
  })
  return { model, notes: checked.notes }
}

/** @throws {ConfigError} sides that are no whole number of latents */
function expectMultiples({ width, height }: ImageSize, factor: number): void {
  const near = (side: number) => Math.max(1, Math.round(side / factor)) * factor
  if (near(width) === width && near(height) === height) return
  const shown = (w: number, h: number) => (w === h ? String(w) : `${w}x${h}`)
  throw new ConfigError({
    where: '--resolution',
    expected: `${width === height ? 'a multiple' : 'multiples'} of ${factor}`,
    received: shown(width, height),
    remedy: `use ${shown(near(width), near(height))}`,
  })
}
