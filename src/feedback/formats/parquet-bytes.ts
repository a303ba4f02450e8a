/** Bytes of a parquet file, read one after the other: never beyond their end, and no length that is stated is believed. */
import { FormatError } from '../../errors.ts'

/** @throws {FormatError} always: what a file states cannot be */
export function refuseParquet(where: string, expected: string, received: string): never {
  throw new FormatError({ where, expected, received, remedy: 'the file is damaged; fetch it again, or save it again' })
}

/** A place in some bytes, which goes on with every read. */
export class ParquetBytes {
  readonly where: string
  readonly #bytes: Uint8Array
  readonly #view: DataView
  #place = 0

  /** @param where names file and column in complaints */
  constructor(bytes: Uint8Array, where: string) {
    this.where = where
    this.#bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  get left(): number {
    return this.#bytes.length - this.#place
  }

  /** How many have been read. */
  get read(): number {
    return this.#place
  }

  /** A view, no copy. @throws {FormatError} there are fewer, or the length makes no sense */
  take(length: number): Uint8Array {
    const from = this.#move(length)
    return this.#bytes.subarray(from, from + length)
  }

  byte(): number {
    return this.#view.getUint8(this.#move(1))
  }

  /** Four bytes, unsigned. */
  word(): number {
    return this.#view.getUint32(this.#move(4), true)
  }

  /** LEB128 of at most 32 bits, unsigned. */
  varint(): number {
    const value = this.#leb128(5)
    return value < 2n ** 32n ? Number(value) : refuseParquet(this.where, 'a number of 32 bits', `${value}`)
  }

  /** LEB128 of at most 64 bits, zigzag. */
  zigzag(): bigint {
    const value = this.#leb128(10)
    return BigInt.asIntN(64, (value >> 1n) ^ -(value & 1n))
  }

  #leb128(longest: number): bigint {
    let value = 0n
    for (let i = 0; i < longest; i++) {
      const byte = this.byte()
      value |= BigInt(byte & 0x7f) << BigInt(7 * i)
      if (byte < 0x80) return value
    }
    return refuseParquet(this.where, `a number of at most ${longest} bytes`, 'a longer one')
  }

  #move(length: number): number {
    if (!Number.isInteger(length) || length < 0 || length > this.left) {
      refuseParquet(this.where, `${length} more bytes`, `${this.left}`)
    }
    const from = this.#place
    this.#place += length
    return from
  }
}
