/** Encoded images on disk, so that a resumed run need not encode them again. */
import { existsSync } from 'node:fs'
import { FormatError } from '../errors.ts'
import { tensor } from '../tensor/create.ts'
import { readSafetensors, readSafetensorsHeader, writeSafetensors } from '../tensor/safetensors.ts'
import { unscoped } from '../tensor/scope.ts'
import type { Tensor } from '../tensor/tensor.ts'

export interface EncodedImages {
  /** x_0 [N, C, h, w], float32 on the CPU; belongs to whoever made or read it. */
  readonly latents: Tensor
  /** N places in the list of the images: those that could be read. */
  readonly rows: readonly number[]
}

const format = 'attune-training-latents-1'

/**
 * Nothing where the file is not there, was written with another key, or is broken.
 *
 * @param key a hash of all that the latents depend on
 */
export function readEncodedImages(file: string, key: string): EncodedImages | undefined {
  if (!existsSync(file)) return undefined
  try {
    const { metadata } = readSafetensorsHeader(file)
    if (metadata.format !== format || metadata.key !== key) return undefined
    const { tensors } = unscoped(() => readSafetensors(file))
    using rows = tensors.get('rows')!
    return { latents: tensors.get('latents')!, rows: rows.toArray() }
  } catch (error) {
    if (!(error instanceof FormatError)) throw error
    return undefined
  }
}

/** @throws {FileError} the disk is full, or the folder cannot be written */
export function writeEncodedImages(file: string, key: string, { latents, rows }: EncodedImages): void {
  using kept = unscoped(() => tensor(rows, [rows.length], 'int64'))
  const tensors = new Map([
    ['latents', latents],
    ['rows', kept],
  ])
  writeSafetensors(file, tensors, { format, key })
}
