/** Images on disk as x_0 of a model, encoded once. */
import type { GenerativeModel } from '../networks/generative-model.ts'
import { progress } from '../progress.ts'
import { noGrad } from '../tensor/autograd.ts'
import { cat } from '../tensor/create.ts'
import { tensorScope, unscoped } from '../tensor/scope.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { pixelsOf, type Picture } from './png.ts'

/**
 * Reads and encodes images in batches, so that no more than one batch of pictures is in memory.
 *
 * @param read  pictures of some of the files, all of the model's size
 * @param visit sees every batch as well
 * @returns     [N, C, h, w] on the CPU; belongs to the caller
 */
export async function encodeFiles(
  model: GenerativeModel,
  files: readonly string[],
  read: (files: readonly string[]) => Promise<readonly Picture[]>,
  { label = 'encoding', visit = (_pictures: readonly Picture[], _from: number): void => undefined } = {},
): Promise<Tensor> {
  const { batchSize } = model.defaults
  const parts: Tensor[] = []
  const bar = progress(label, files.length, 'images')
  for (let from = 0; from < files.length; from += batchSize) {
    const pictures = await read(files.slice(from, from + batchSize))
    parts.push(unscoped(() => encodePictures(model, pictures)))
    visit(pictures, from)
    bar.advance(pictures.length)
  }
  bar.done()
  const joined = unscoped(() => cat(parts))
  for (const part of parts) part.dispose()
  return joined
}

function encodePictures(model: GenerativeModel, pictures: readonly Picture[]): Tensor {
  using scope = tensorScope()
  using _noGrad = noGrad()
  return scope.keep(model.encode(pixelsOf(pictures).to(model.device)).to('float32').to('cpu').clone())
}
