/** Results of long work in parts on disk: what a killed process leaves is whole batches, which the next one need not make. */
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { FormatError } from '../errors.ts'
import { writing } from '../files.ts'
import { cat } from './create.ts'
import { readSafetensors, writeSafetensors } from './safetensors.ts'
import { tensorScope, unscoped } from './scope.ts'
import type { Tensor } from './tensor.ts'

const format = 'attune-part-1'

/** Parts of one result, by the place at which they begin. All hold tensors of the same names, a row for each place. */
export class PartFiles {
  readonly #folder: string
  readonly #key: string
  readonly #onWrite: () => void

  /**
   * @param key     a hash of all that the parts depend on: those of another key are as good as none
   * @param onWrite hears of each part that is on the disk
   */
  constructor(folder: string, key: string, onWrite: () => void = () => undefined) {
    this.#folder = folder
    this.#key = key
    this.#onWrite = onWrite
  }

  /**
   * The part that begins at a place, made by `make` where no whole one is on the disk. Its tensors belong to the scope in
   * force.
   *
   * @throws {FileError} the disk is full
   */
  at(place: number, make: () => ReadonlyMap<string, Tensor>): ReadonlyMap<string, Tensor> {
    return this.read(place) ?? this.write(place, make())
  }

  /** Undefined where it is not there, damaged, or of another key. */
  read(place: number): ReadonlyMap<string, Tensor> | undefined {
    const file = this.#fileOf(place)
    if (!existsSync(file)) return undefined
    try {
      const { tensors, metadata } = readSafetensors(file)
      const { format: own, key, sha256 } = metadata
      return own === format && key === this.#key && sha256 === sha256OfTensors(tensors) ? tensors : undefined
    } catch (error) {
      if (!(error instanceof FormatError)) throw error
      return undefined
    }
  }

  /** @throws {FileError} the disk is full */
  write(place: number, tensors: ReadonlyMap<string, Tensor>): ReadonlyMap<string, Tensor> {
    writing(this.#folder, () => mkdirSync(this.#folder, { recursive: true }))
    const metadata = { format, key: this.#key, sha256: sha256OfTensors(tensors) }
    writeSafetensors(this.#fileOf(place), new Map(tensors), metadata)
    this.#onWrite()
    return tensors
  }

  /**
   * All parts one behind another.
   *
   * @param places where they begin; all were written
   * @returns tensors that belong to the caller
   * @throws {FormatError} one is damaged
   */
  joined(places: readonly number[]): Map<string, Tensor> {
    using _scope = tensorScope()
    const parts = places.map((place) => {
      const part = this.read(place)
      if (part !== undefined) return part
      throw new FormatError({
        where: this.#fileOf(place),
        expected: 'what this process has written there',
        received: 'a damaged file, or none',
        remedy: 'go on with --resume, which makes it again',
      })
    })
    const names = [...(parts[0]?.keys() ?? [])]
    return new Map(names.map((name) => [name, unscoped(() => cat(parts.map((part) => part.get(name)!)))]))
  }

  /** They are not needed any more. */
  remove(): void {
    rmSync(this.#folder, { recursive: true, force: true })
  }

  #fileOf = (place: number) => join(this.#folder, `${String(place).padStart(6, '0')}.safetensors`)
}

/** Of the elements of tensors with their names, types and shapes. */
export function sha256OfTensors(tensors: ReadonlyMap<string, Tensor>): string {
  const hash = createHash('sha256')
  for (const [name, one] of [...tensors].sort(([a], [b]) => (a < b ? -1 : 1))) {
    hash.update(`${name}\0${one.dtype}\0${one.shape.join()}\0`).update(new Uint8Array(one.toBytes()))
  }
  return hash.digest('hex')
}
