/** Latents on disk, as diffusers' `latents=` and `output_type="latent"`: one tensor `latents` [images, C, h, w]. */
import { existsSync } from 'node:fs'
import { FormatError } from '../errors.ts'
import type { GenerativeModel } from '../networks/generative-model.ts'
import { cat } from '../tensor/create.ts'
import { readSafetensors, writeSafetensors } from '../tensor/safetensors.ts'
import { tensorScope, unscoped } from '../tensor/scope.ts'
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
  if (latents?.shape.join() === wanted.join()) return unscoped(() => latents.to('float32'))
  throw new FormatError({
    where: `${file} ${tensorName}`,
    expected: `a tensor [${wanted.join(', ')}], one row an image`,
    received: latents === undefined ? 'none of this name' : `[${latents.shape.join(', ')}]`,
    remedy: 'give x_T of every image in the order of the prompts, at this resolution',
  })
}

/** x_0 of the images of a run, written as they are drawn. */
export class LatentsFile {
  readonly #file: string
  #rows: Tensor | undefined

  /** @param done images that an earlier process has drawn and listed */
  constructor(file: string, done: number) {
    this.#file = file
    if (done === 0 || !existsSync(file)) return
    const known = unscoped(() => readSafetensors(file)).tensors.get(tensorName)
    this.#rows = known && unscoped(() => known.slice(0, 0, done))
  }

  append(x0: Tensor): void {
    const before = this.#rows
    this.#rows = unscoped(() => {
      using scope = tensorScope()
      const own = x0.to('cpu')
      return scope.keep(before === undefined ? own.clone() : cat([before, own]))
    })
    before?.dispose()
    writeSafetensors(this.#file, new Map([[tensorName, this.#rows]]), { format: 'attune-latents-1' })
  }
}
