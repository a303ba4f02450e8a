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

/**
 * By the width of the text that cross-attention reads, which tells these models apart; the two of version 2 differ in
 * what they predict as well.
 */
const families: Readonly<Record<string, Family>> = {
  '768': { version: 'sd_v1', architecture: 'stable-diffusion-v1', resolution: 512 },
  '1024 epsilon': { version: 'sd_v2', architecture: 'stable-diffusion-v2-512', resolution: 512 },
  '1024 v': { version: 'sd_v2_v', architecture: 'stable-diffusion-v2-768-v', resolution: 768 },
  '2048': { version: 'sdxl_base_v1-0', architecture: 'stable-diffusion-xl-v1-base', resolution: 1024 },
}

export interface KohyaHeader {
  /** Name of the file, without its ending. */
  readonly title: string
  /** `undefined` if layers differ. */
  readonly rank: number | undefined
  readonly alpha: number
  /** Width of the text that cross-attention reads; `undefined` where no such layer is adapted. */
  readonly textWidth: number | undefined
  /** What the network predicts: `epsilon` or `v`; `undefined` if it is not known. */
  readonly predictionType: string | undefined
}

/** The fields; those about the model are left out where it is none of the published families, or might be two. */
export function kohyaHeader(header: KohyaHeader): Readonly<Record<string, string>> {
  const { title, rank, alpha, textWidth, predictionType } = header
  const isVersion2 = textWidth === 1024
  const family = families[isVersion2 ? `1024 ${predictionType}` : `${textWidth}`]
  return {
    ss_network_module: 'networks.lora',
    ss_network_dim: rank === undefined ? 'Dynamic' : String(rank),
    ss_network_alpha: String(alpha),
    ss_output_name: title,
    'modelspec.sai_model_spec': '1.0.1',
    'modelspec.title': title,
    'modelspec.implementation': 'diffusers',
    ...(predictionType !== undefined && { 'modelspec.prediction_type': predictionType }),
    ...(textWidth !== undefined && { ss_v2: isVersion2 ? 'True' : 'False' }),
    ...(family !== undefined && {
      ss_base_model_version: family.version,
      'modelspec.architecture': `${family.architecture}/lora`,
      'modelspec.resolution': `${family.resolution}x${family.resolution}`,
    }),
  }
}
