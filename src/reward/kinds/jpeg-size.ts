/**
 * How large an image is as a JPEG of quality 95, in kB of 1000 bytes: incompressibility and compressibility of Black et al.
 * 2023 (DDPO, arXiv:2305.13301).
 */
import { jpegSizes } from '../../images/jpeg-sizes.ts'
import { picturesOf } from '../../images/png.ts'
import { tensor } from '../../tensor/create.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { plainReward } from './plain-reward.ts'

const kilobytes = (pixels: Tensor) => tensor(jpegSizes(picturesOf(pixels)).map((bytes) => bytes / 1000))
const shared = { version: 1, range: undefined, isSmooth: false } as const

/** The size: images full of detail score high. */
export const jpegSize = plainReward({ ...shared, name: 'jpeg-size', score: kilobytes })

/** Minus the size: plain images score high. */
export const jpegCompressibility = plainReward({
  ...shared,
  name: 'jpeg-compressibility',
  score: (pixels) => kilobytes(pixels).neg(),
})
