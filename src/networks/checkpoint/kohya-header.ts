/**
 * What the header of a kohya LoRA says about the model that it is for, as other programs read it: fields of sd-scripts
 * (`ss_…`) and of Stability AI's ModelSpec 1.0.1 (`modelspec.…`). No date: the same LoRA gives the same bytes.
 */

interface Family {
  readonly version: string
  readonly architecture: string
  /** Pixels, of a square image. */
  readonly resolution: number
}

/** By the width of the text that cross-attention reads: what tells these models apart. */
const families: Readonly<Record<number, Family>> = {
  768: { version: 'sd_v1', architecture: 'stable-diffusion-v1', resolution: 512 },
  1024: { version: 'sd_v2', architecture: 'stable-diffusion-v2-512', resolution: 512 },
  2048: { version: 'sdxl_base_v1-0', architecture: 'stable-diffusion-xl-v1-base', resolution: 1024 },
}
const velocityFamily: Family = { version: 'sd_v2_v', architecture: 'stable-diffusion-v2-768-v', resolution: 768 }

export interface KohyaHeader {
  /** Name of the file, without its ending. */
  readonly title: string
  /** `undefined` if layers differ. */
  readonly rank: number | undefined
  readonly alpha: number
  /** Width of the text that cross-attention reads; `undefined` where no such layer is adapted. */
  readonly textWidth: number | undefined
  /** The network predicts velocity, as Stable Diffusion 2.1 does. */
  readonly velocity: boolean
}

/** The fields; those about the model are left out where it is none of the published families. */
export function kohyaHeader({
  title,
  rank,
  alpha,
  textWidth,
  velocity,
}: KohyaHeader): Readonly<Record<string, string>> {
  const family = textWidth === 1024 && velocity ? velocityFamily : families[textWidth ?? 0]
  return {
    ss_network_module: 'networks.lora',
    ss_network_dim: rank === undefined ? 'Dynamic' : String(rank),
    ss_network_alpha: String(alpha),
    ss_output_name: title,
    'modelspec.sai_model_spec': '1.0.1',
    'modelspec.title': title,
    'modelspec.implementation': 'diffusers',
    'modelspec.prediction_type': velocity ? 'v' : 'epsilon',
    ...(family !== undefined && {
      ss_base_model_version: family.version,
      ss_v2: textWidth === 1024 ? 'True' : 'False',
      'modelspec.architecture': `${family.architecture}/lora`,
      'modelspec.resolution': `${family.resolution}x${family.resolution}`,
    }),
  }
}
