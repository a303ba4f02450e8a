/** The statistics of probe images that alarms watch. */
import { pixelsOf, type Picture } from '../../images/png.ts'
import { tensorScope } from '../../tensor/scope.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import {
  brightness,
  colourEntropy,
  darkShare,
  edgeDensity,
  jpegSize,
  pairDistance,
  saturation,
  spectralPeak,
} from './image-statistics.ts'

interface Statistic {
  /** In `metrics.jsonl` it is `probe_` and this. */
  readonly name: string
  /** As an alarm calls it. */
  readonly title: string
  /** A deviation below which differences are nothing that anybody could see; in its own unit. */
  readonly resolution: number
  /** Whether only less of it than the base has is a sign of harm. */
  readonly isLossOnly?: true
}

/** Values of each image, or of each two in a row. */
type Measured = Statistic & { readonly of: (pixels: Tensor) => Tensor }

const ofPixels: readonly Measured[] = [
  { name: 'brightness', title: 'brightness', resolution: 0.02, of: brightness },
  { name: 'dark_share', title: 'share of dark pixels', resolution: 0.02, of: darkShare },
  { name: 'saturation', title: 'saturation', resolution: 0.02, of: saturation },
  { name: 'colour_entropy', title: 'colour entropy', resolution: 0.1, of: colourEntropy },
  { name: 'edge_density', title: 'edge density', resolution: 0.02, of: edgeDensity },
  { name: 'spectral_peak', title: 'spectral peak (grids)', resolution: 0.01, of: spectralPeak },
  {
    name: 'diversity',
    title: 'diversity within a prompt',
    resolution: 0.01,
    isLossOnly: true,
    of: pairDistance,
  },
]
const ofFiles: Statistic = { name: 'jpeg_size', title: 'JPEG size', resolution: 0.05 }

export const statistics: readonly Statistic[] = [...ofPixels, ofFiles]

/** `edge density` */
export const titleOf = (name: string): string => statistics.find((one) => one.name === name)?.title ?? name

/**
 * All statistics of pictures of one size, by their names: a number a picture, of `diversity` one of each two in a row.
 *
 * @param pictures an even number
 */
export async function statisticsOf(pictures: readonly Picture[]): Promise<Record<string, readonly number[]>> {
  const ofAll = () => {
    using _scope = tensorScope()
    const pixels = pixelsOf(pictures)
    return ofPixels.map(({ name, of }) => [name, of(pixels).toArray()] as const)
  }
  return {
    ...Object.fromEntries(ofAll()),
    [ofFiles.name]: await Promise.all(pictures.map(jpegSize)),
  }
}
