import type { Picture } from '../../images/png.ts'

const mostPictures = 256
/** 32 pictures of 512 × 512: 100 MB in float32, and an encoder makes a few copies. */
const mostPixels = 2 ** 23

/**
 * Cuts pictures into batches, in their order: of one size each, and no larger than memory allows.
 */
export function pictureBatches(pictures: readonly Picture[]): Picture[][] {
  const batches: Picture[][] = []
  for (const picture of pictures) {
    const batch = batches.at(-1)
    if (batch !== undefined && takes(batch, picture)) batch.push(picture)
    else batches.push([picture])
  }
  return batches
}

function takes(batch: readonly Picture[], { width, height }: Picture): boolean {
  const [first] = batch
  const count = batch.length + 1
  return (
    width === first.width && height === first.height && count <= mostPictures && count * width * height <= mostPixels
  )
}
