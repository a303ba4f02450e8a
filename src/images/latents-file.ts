/** Latents on disk, as diffusers' `latents=` and `output_type="latent"`: one tensor `latents` [images, C, h, w]. */
import { FormatError } from '../errors.ts'
import type { GenerativeModel } from '../networks/generative-model.ts'
import { readSafetensors, writeSafetensors } from '../tensor/safetensors.ts'
import { unscoped } from '../tensor/scope.ts'
import type { Tensor } from '../tensor/tensor.ts'

export const latentsFileName = 'latents.safetensors'
const tensorName = 'latents'

/**
 * x_T of every image of a run, float32.
 *
 * @throws {FileError | FormatError} no such file, or latents of another number or size
 */
export function readStarts(file: string, images: number, { stateShape }: GenerativeModel): Tensor {
  const wanted = [images, ...stateShape]
  const latents = unscoped(() => readSafetensors(file, { only: (name) => name === tensorName })).tensors.get(tensorName)
  if (latents?.shape.join() === wanted.join()) {
    if (Number.isFinite(latents.to('float32').sum().item())) return unscoped(() => latents.to('float32'))
    throw new FormatError({
      where: `${file} ${tensorName}`,
      expected: 'finite numbers',
      received: 'NaN or infinity',
      remedy: 'make them again',
    })
  }
  throw new FormatError({
    where: `${file} ${tensorName}`,
    expected: `a tensor [${wanted.join(', ')}], one row an image`,
    received: latents === undefined ? 'none of this name' : `[${latents.shape.join(', ')}]`,
    remedy: 'give x_T of every image in the order of the prompts, at this resolution',
  })
}

/** Writes x_0 of the images of a run, in their order. @throws {FileError} */
export function writeLatents(file: string, latents: Tensor): void {
  writeSafetensors(file, new Map([[tensorName, latents]]), { format: 'attune-latents-1' })
}
