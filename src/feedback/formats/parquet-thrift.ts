/**
 * Thrift's compact protocol (github.com/apache/thrift, doc/specs/thrift-compact-protocol.md), in which parquet keeps its
 * footer and the headers of its pages. A reader picks the fields that it wants; the others are passed over without being
 * kept, so that a list of a billion things costs no memory.
 */
import { refuseParquet, type ParquetBytes } from './parquet-bytes.ts'

const kinds = { true: 1, false: 2, byte: 3, i16: 4, i32: 5, i64: 6, double: 7, binary: 8, list: 9, set: 10, struct: 12 }
const deepest = 32

/** Reads the fields of interest by their numbers; each is of the kind that the format has there. */
export type Fields = Readonly<Record<number, (value: ThriftValue) => void>>

/** One value that is about to be read. */
export class ThriftValue {
  readonly #bytes: ParquetBytes
  readonly #kind: number
  readonly #depth: number

  constructor(bytes: ParquetBytes, kind: number, depth: number) {
    this.#bytes = bytes
    this.#kind = kind
    this.#depth = depth
  }

  /** A whole number that JavaScript counts exactly. */
  number(): number {
    const { byte, i16, i32, i64 } = kinds
    if (this.#kind === byte) return this.#bytes.byte()
    const value = [i16, i32, i64].includes(this.#kind) ? this.#bytes.zigzag() : this.#refuse('a whole number')
    const number = Number(value)
    return Number.isSafeInteger(number) ? number : this.#refuse('a number below 2⁵³')
  }

  truth(): boolean {
    return this.#kind === kinds.true || (this.#kind === kinds.false ? false : this.#refuse('true or false'))
  }

  /** A view, no copy. */
  binary(): Uint8Array {
    if (this.#kind !== kinds.binary) this.#refuse('bytes')
    return this.#bytes.take(this.#bytes.varint())
  }

  text(): string {
    return new TextDecoder().decode(this.binary())
  }

  /** Calls `each` for the elements, of which there are at most `most`. */
  list(most: number, each: (element: ThriftValue) => void): void {
    if (this.#kind !== kinds.list) this.#refuse('a list')
    const [kind, count] = this.#listHead()
    if (count > most) refuseParquet(this.#bytes.where, `a list of at most ${most}`, `one of ${count}`)
    for (let i = 0; i < count; i++) this.#inside(kind, each)
  }

  struct(fields: Fields): void {
    if (this.#kind !== kinds.struct) this.#refuse('a record')
    let field = 0
    for (let head = this.#bytes.byte(); head !== 0; head = this.#bytes.byte()) {
      const step = head >> 4
      field = step === 0 ? Number(this.#bytes.zigzag()) : field + step
      const read = Object.hasOwn(fields, field) ? fields[field] : undefined
      this.#inside(head & 0x0f, (value) => (read === undefined ? value.#pass() : read(value)))
    }
  }

  #inside(kind: number, read: (value: ThriftValue) => void): void {
    if (this.#depth >= deepest) refuseParquet(this.#bytes.where, `records at most ${deepest} deep`, 'deeper ones')
    read(new ThriftValue(this.#bytes, kind, this.#depth + 1))
  }

  #listHead(): [kind: number, count: number] {
    const head = this.#bytes.byte()
    const count = head >> 4 === 15 ? this.#bytes.varint() : head >> 4
    // The smallest element is a byte.
    if (count > this.#bytes.left) refuseParquet(this.#bytes.where, `${count} elements`, `${this.#bytes.left} bytes`)
    return [head & 0x0f, count]
  }

  #pass(): void {
    const { byte, i16, i32, i64, double, binary, list, set, struct } = kinds
    if (this.#kind === byte) this.#bytes.byte()
    else if ([i16, i32, i64].includes(this.#kind)) this.#bytes.zigzag()
    else if (this.#kind === double) this.#bytes.take(8)
    else if (this.#kind === binary) this.binary()
    else if (this.#kind === struct) this.struct({})
    else if (this.#kind === list || this.#kind === set) {
      const [kind, count] = this.#listHead()
      const isTruth = kind === kinds.true || kind === kinds.false
      for (let i = 0; i < count; i++) this.#inside(isTruth ? byte : kind, (element) => element.#pass())
    } else if (this.#kind !== kinds.true && this.#kind !== kinds.false) this.#refuse('a value of a known kind')
  }

  #refuse(expected: string): never {
    return refuseParquet(this.#bytes.where, expected, `something else (kind ${this.#kind})`)
  }
}

/** Reads one record from where the bytes are. @throws {FormatError} */
export function readThrift(bytes: ParquetBytes, fields: Fields): void {
  new ThriftValue(bytes, kinds.struct, 0).struct(fields)
}
