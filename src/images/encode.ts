/** Images on disk as x_0 of a model, encoded once. */
import { FormatError } from '../errors.ts'
import type { GenerativeModel } from '../networks/generative-model.ts'
import { progress } from '../progress.ts'
import { noGrad } from '../tensor/autograd.ts'
import { zeros } from '../tensor/create.ts'
import { tensorScope, unscoped } from '../tensor/scope.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { pixelsOf, type Picture } from './png.ts'

/**
 * Reads and encodes images in batches, so that no more than one batch of pictures is in memory.
 *
 * @param files paths, or whatever `read` finds an image by
 * @param read  pictures of some of the files, all of the model's size; fewer than files where some cannot be read
 * @param visit sees every batch as well
 * @throws {FormatError} pictures of another size
 * @returns     [N, C, h, w] of the N pictures on the CPU, float32; belongs to the caller
 */
export async function encodeFiles<File>(
  model: GenerativeModel,
  files: readonly File[],
  read: (files: readonly File[]) => Promise<readonly Picture[]>,
  { label = 'encoding', visit = (_pictures: readonly Picture[], _files: readonly File[]): void => undefined } = {},
): Promise<Tensor> {
  const { batchSize } = model.defaults
  let latents = unscoped(() => zeros([files.length, ...model.stateShape]))
  let count = 0
  const bar = progress(label, files.length, 'images')
  for (let from = 0; from < files.length; from += batchSize) {
    const batch = files.slice(from, from + batchSize)
    const pictures = await read(batch)
    if (pictures.length > 0) encodeInto(latents, count, model, pictures)
    visit(pictures, batch)
    count += pictures.length
    bar.advance(batch.length)
  }
  bar.done()
  if (count < files.length) {
    using all = latents
    latents = unscoped(() => all.slice(0, 0, count))
  }
  return latents
}

/** Writes x_0 of pictures into the rows from `from` on. @throws {FormatError} they are not of the model's size */
function encodeInto(latents: Tensor, from: number, model: GenerativeModel, pictures: readonly Picture[]): void {
  const [{ width, height }] = pictures
  const { imageSize } = model
  if (width !== imageSize.width || height !== imageSize.height) {
    throw new FormatError({
      where: 'images to encode',
      expected: `${imageSize.width} × ${imageSize.height} pixels, as the model draws them here`,
      received: `${width} × ${height}`,
      remedy: 'give the --resolution that they were drawn at',
    })
  }
  using _scope = tensorScope()
  using _noGrad = noGrad()
  latents.slice(0, from, from + pictures.length).copy_(model.encode(pixelsOf(pictures).to(model.device)))
}
