/** Encoded images on disk, so that a resumed run need not encode them again. */
import { existsSync } from 'node:fs'
import { FormatError } from '../errors.ts'
import { tensor } from '../tensor/create.ts'
import { unscoped } from '../tensor/scope.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { readTrainingState, writeTrainingState } from '../tensor/training-state.ts'

export interface EncodedImages {
  /** x_0 [N, C, h, w], float32 on the CPU; belongs to whoever made or read it. */
  readonly latents: Tensor
  /** N places in the list of the images: those that could be read. */
  readonly rows: readonly number[]
}

/**
 * Nothing where the file is not there, was written with another key, or is broken.
 *
 * @param key a hash of all that the latents depend on
 */
export function readEncodedImages(file: string, key: string): EncodedImages | undefined {
  if (!existsSync(file)) return undefined
  try {
    const { tensors, numbers } = unscoped(() => readTrainingState(file))
    const [latents, rows] = ['latents', 'rows'].map((name) => tensors.get(name))
    if (numbers.key === key && latents !== undefined && rows !== undefined) {
      using _rows = rows
      return { latents, rows: rows.toArray() }
    }
    for (const tensor of tensors.values()) tensor.dispose()
    return undefined
  } catch (error) {
    if (!(error instanceof FormatError)) throw error
    return undefined
  }
}

/** @throws {DivergenceError} latents that are not finite @throws {FileError} the disk is full, or the folder cannot be written */
export function writeEncodedImages(file: string, key: string, { latents, rows }: EncodedImages): void {
  using kept = unscoped(() => tensor(rows, [rows.length], 'int64'))
  const tensors = new Map([
    ['latents', latents],
    ['rows', kept],
  ])
  writeTrainingState(file, { tensors, numbers: { key } })
}
