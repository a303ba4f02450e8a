/**
 * Archives that `tar` reads (POSIX.1-2008, ustar with pax headers for long names and sizes), written and read piece by
 * piece. Only plain files are in them: anything else is refused.
 */
import { FormatError } from '../../errors.ts'

const block = 512
/** What eleven octal digits hold. */
const largestPlain = 8 ** 11 - 1
/** Longer names, and headers of them, are none of ours. */
const longestName = 4096

/** @param size  bytes of the content that follows, padded by {@link padding} */
export function tarHeader(name: string, size: number): Uint8Array {
  const isPlain = /^[\x20-\x7e]{1,100}$/.test(name) && size <= largestPlain
  if (isPlain) return header(name, size, '0')
  const records = [paxRecord('path', name), ...(size > largestPlain ? [paxRecord('size', String(size))] : [])]
  const pax = Buffer.concat(records)
  const plain = header('long-name', Math.min(size, largestPlain), '0')
  return Buffer.concat([header('pax', pax.length, 'x'), pax, padding(pax.length), plain])
}

/** What fills the last block of a content. */
export const padding = (size: number): Uint8Array => new Uint8Array((block - (size % block)) % block)

/** After the last file. */
export const tarEnd = new Uint8Array(2 * block)

function header(name: string, size: number, type: string): Buffer {
  const bytes = Buffer.alloc(block)
  bytes.write(name, 0, 'latin1')
  bytes.write('0000600\0', 100, 'latin1')
  bytes.write('0000000\x000000000\0', 108, 'latin1')
  bytes.write(`${size.toString(8).padStart(11, '0')}\0`, 124, 'latin1')
  bytes.write('00000000000\0', 136, 'latin1')
  bytes.write(' '.repeat(8), 148, 'latin1')
  bytes.write(type, 156, 'latin1')
  bytes.write('ustar\x0000', 257, 'latin1')
  bytes.write(`${checksumOf(bytes).toString(8).padStart(6, '0')}\0 `, 148, 'latin1')
  return bytes
}

/** Its length counts its own digits. */
function paxRecord(key: string, value: string): Buffer {
  const rest = Buffer.from(` ${key}=${value}\n`)
  let length = rest.length
  while (String(length).length + rest.length !== length) length = String(length).length + rest.length
  return Buffer.concat([Buffer.from(String(length)), rest])
}

function checksumOf(bytes: Uint8Array): number {
  let sum = 0
  for (let i = 0; i < block; i++) sum += i >= 148 && i < 156 ? 32 : bytes[i]
  return sum
}

/** A file of an archive; its pieces have to be taken before the next one is asked for. */
export interface TarFile {
  readonly name: string
  readonly size: number
  pieces(): AsyncGenerator<Uint8Array>
}

/**
 * The files of an archive, in its order.
 *
 * @param where  of the archive, for complaints
 * @throws {FormatError} no archive, a part of one, or one with links, devices and the like
 */
export async function* readTar(source: AsyncIterable<Uint8Array>, where: string): AsyncGenerator<TarFile> {
  const reader = new Blocks(source[Symbol.asyncIterator](), where)
  let long: { name?: string; size?: number } = {}
  for (;;) {
    const bytes = await reader.take(block)
    if (bytes.every((byte) => byte === 0)) return
    if (octal(bytes, 148, 8) !== checksumOf(bytes)) throw broken(where, 'something else, or a damaged one')
    const size = octal(bytes, 124, 12)
    const type = String.fromCharCode(bytes[156])
    if (type === 'x') {
      if (size > 2 * longestName) throw broken(where, 'a header of an archive that is too long')
      long = paxOf(await reader.take(size), where)
      await reader.take(padding(size).length)
      continue
    }
    const name = long.name ?? text(bytes, 0, 100)
    if (type !== '0' && type !== '\0') throw broken(where, `${name.slice(0, 200)}, which is no plain file`)
    const whole = long.size ?? size
    long = {}
    let left = whole
    yield {
      name,
      size: whole,
      async *pieces() {
        while (left > 0) {
          const piece = await reader.some(left)
          left -= piece.length
          yield piece
        }
      },
    }
    while (left > 0) left -= (await reader.some(left)).length
    await reader.take(padding(whole).length)
  }
}

class Blocks {
  readonly #pieces: AsyncIterator<Uint8Array>
  readonly #where: string
  #rest: Uint8Array = new Uint8Array()

  constructor(pieces: AsyncIterator<Uint8Array>, where: string) {
    this.#pieces = pieces
    this.#where = where
  }

  /** At least a byte, at most so many. */
  async some(most: number): Promise<Uint8Array> {
    while (this.#rest.length === 0) {
      const { done, value } = await this.#pieces.next()
      if (done === true) throw broken(this.#where, 'a part of one: its end is missing')
      this.#rest = value
    }
    const piece = this.#rest.subarray(0, most)
    this.#rest = this.#rest.subarray(piece.length)
    return piece
  }

  async take(size: number): Promise<Buffer> {
    const taken: Uint8Array[] = []
    for (let left = size; left > 0;) {
      const piece = await this.some(left)
      taken.push(piece)
      left -= piece.length
    }
    return Buffer.concat(taken)
  }
}

function text(bytes: Uint8Array, from: number, length: number): string {
  const field = Buffer.from(bytes.subarray(from, from + length)).toString('latin1')
  return field.split('\0', 1)[0]
}

/** A number that is none is one that no size is. */
function octal(bytes: Uint8Array, from: number, length: number): number {
  const digits = text(bytes, from, length).trim()
  return /^[0-7]+$/.test(digits) ? Number.parseInt(digits, 8) : Number.NaN
}

function paxOf(bytes: Buffer, where: string): { name?: string; size?: number } {
  const read: { name?: string; size?: number } = {}
  for (let from = 0; from < bytes.length;) {
    const space = bytes.indexOf(0x20, from)
    const length = Number(bytes.toString('latin1', from, space))
    if (!Number.isInteger(length) || length <= 0 || from + length > bytes.length)
      throw broken(where, 'a damaged header')
    const [, key, value] = /^([^=]*)=([^]*)\n$/.exec(bytes.toString('utf8', space + 1, from + length)) ?? []
    if (key === 'path') read.name = value
    if (key === 'size') read.size = /^\d{1,15}$/.test(value) ? Number(value) : Number.NaN
    from += length
  }
  if (Number.isNaN(read.size ?? 0)) throw broken(where, 'a damaged header')
  return read
}

export const broken = (where: string, received: string, cause?: unknown): FormatError =>
  new FormatError({
    where,
    expected: 'a backup of a studio, as attune studio backup writes it',
    received,
    remedy: 'copy it again from where it was made, or take another one',
    cause,
  })
