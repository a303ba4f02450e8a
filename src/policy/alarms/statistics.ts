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
  /** A deviation below which differences are nothing that anybody could see; in its own unit. */
  readonly resolution: number
  /** Whether only less of it than the base has is a sign of harm. */
  readonly isLossOnly?: true
  /** Values of each image, or of each two in a row. */
  readonly of: (pixels: Tensor) => Tensor
}

export const statistics: readonly Statistic[] = [
  { name: 'brightness', resolution: 0.02, of: brightness },
  { name: 'dark_share', resolution: 0.02, of: darkShare },
  { name: 'saturation', resolution: 0.02, of: saturation },
  { name: 'colour_entropy', resolution: 0.1, of: colourEntropy },
  { name: 'edge_density', resolution: 0.02, of: edgeDensity },
  { name: 'spectral_peak', resolution: 0.01, of: spectralPeak },
  { name: 'jpeg_size', resolution: 0.05, of: jpegSize },
  { name: 'diversity', resolution: 0.01, isLossOnly: true, of: pairDistance },
]

/**
 * All statistics of pictures of one size, by their names: a number a picture, of `diversity` one of each two in a row.
 *
 * @param pictures an even number
 */
export function statisticsOf(pictures: readonly Picture[]): Record<string, readonly number[]> {
  using _scope = tensorScope()
  const pixels = pixelsOf(pictures)
  return Object.fromEntries(statistics.map(({ name, of }) => [name, of(pixels).toArray()]))
}
