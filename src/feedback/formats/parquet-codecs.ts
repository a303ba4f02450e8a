/** Packed pages of parquet. What comes out is never longer than what the page's header states, which was checked before. */
import { brotliDecompressSync, gunzipSync, zstdDecompressSync } from 'node:zlib'
import { ParquetBytes, refuseParquet } from './parquet-bytes.ts'

type Unpack = (packed: Uint8Array, length: number, where: string) => Uint8Array

/** With the limit that Node's unpackers keep; it may not be 0 there. */
const bounded =
  (unpack: (packed: Uint8Array, options: { maxOutputLength: number }) => Buffer): Unpack =>
  (packed, length) => {
    const bytes = unpack(packed, { maxOutputLength: Math.max(1, length) })
    // Without the frame of Node's pool, which holds other bytes too.
    return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length)
  }

/** By the format's numbers. */
const codecs: Readonly<Record<number, Unpack>> = {
  0: (packed) => packed,
  1: unpackSnappy,
  2: bounded(gunzipSync),
  4: bounded(brotliDecompressSync),
  5: unpackFramedLz4,
  6: bounded(zstdDecompressSync),
  7: unpackLz4,
}

/**
 * @param codec  as the format numbers them
 * @param length that it has to have unpacked, bytes
 * @throws {FormatError} another length, broken, or packed otherwise
 */
export function unpackPage(codec: number, packed: Uint8Array, length: number, where: string): Uint8Array {
  const unpack = Object.hasOwn(codecs, codec)
    ? codecs[codec]
    : refuseParquet(where, 'pages as they are, or packed with snappy, gzip, brotli, zstd or lz4', `codec ${codec}`)
  const page = unpack(packed, length, where)
  return page.length === length ? page : refuseParquet(where, `a page of ${length} bytes`, `${page.length}`)
}

/** No element of it makes more than 64 bytes out of three. */
const snappyGain = 22

/**
 * Snappy's raw form (github.com/google/snappy, format_description.txt): literals, and copies of what came before.
 *
 * @throws {FormatError}
 */
function unpackSnappy(packed: Uint8Array, length: number, where: string): Uint8Array {
  const input = new ParquetBytes(packed, where)
  const stated = input.varint()
  if (stated !== length || length > snappyGain * packed.length) {
    refuseParquet(where, `${packed.length} packed bytes of ${length}`, `${stated}`)
  }
  const output = new Uint8Array(length)
  let end = 0
  while (input.left > 0) {
    const tag = input.byte()
    const kind = tag & 3
    if (kind === 0) {
      const short = tag >> 2
      const count = (short < 60 ? short : littleEndian(input, short - 59)) + 1
      const literal = input.take(count)
      if (count > length - end) refuseParquet(where, `${length} bytes`, 'more')
      output.set(literal, end)
      end += count
      continue
    }
    const count = kind === 1 ? ((tag >> 2) & 7) + 4 : (tag >> 2) + 1
    const back = kind === 1 ? ((tag >> 5) << 8) + input.byte() : littleEndian(input, kind === 2 ? 2 : 4)
    if (back === 0 || back > end) refuseParquet(where, 'a copy of what came before', `one from ${back} bytes back`)
    if (count > length - end) refuseParquet(where, `${length} bytes`, 'more')
    if (back >= count) output.copyWithin(end, end - back, end - back + count)
    // What is copied may reach into what the copy makes.
    else for (let i = 0; i < count; i++) output[end + i] = output[end + i - back]
    end += count
  }
  return end === length ? output : refuseParquet(where, `${length} bytes`, `${end}`)
}

function littleEndian(input: ParquetBytes, count: number): number {
  let value = 0
  for (let i = 0; i < count; i++) value += input.byte() * 256 ** i
  return value
}

/** No byte of a block stands for more. */
const lz4Gain = 255

/**
 * A block of LZ4 (github.com/lz4/lz4, doc/lz4_Block_format.md): literals, each followed by a copy of what came before.
 *
 * @throws {FormatError}
 */
function unpackLz4(packed: Uint8Array, length: number, where: string): Uint8Array {
  const input = new ParquetBytes(packed, where)
  if (length > lz4Gain * packed.length) {
    refuseParquet(where, `at most ${lz4Gain * packed.length} bytes out of ${packed.length}`, `${length}`)
  }
  const output = new Uint8Array(length)
  const longer = (short: number) => {
    let count = short
    for (let more = short === 15 ? 255 : 0; more === 255; count += more) more = input.byte()
    return count
  }
  let end = 0
  while (input.left > 0) {
    const tag = input.byte()
    const literal = input.take(longer(tag >> 4))
    if (literal.length > length - end) refuseParquet(where, `a page of ${length} bytes`, 'more')
    output.set(literal, end)
    end += literal.length
    if (input.left === 0) break
    const back = littleEndian(input, 2)
    const count = longer(tag & 15) + 4
    if (back === 0 || back > end) refuseParquet(where, `a copy of one of ${end} bytes`, `of ${back} before`)
    if (count > length - end) refuseParquet(where, `a page of ${length} bytes`, 'more')
    for (let i = 0; i < count; i++, end++) output[end] = output[end - back]
  }
  return end === length ? output : refuseParquet(where, `a page of ${length} bytes`, `${end}`)
}

/** Blocks with their lengths before them, unpacked and packed, as Hadoop writes them; some programs leave those out. */
function unpackFramedLz4(packed: Uint8Array, length: number, where: string): Uint8Array {
  const view = new DataView(packed.buffer, packed.byteOffset, packed.length)
  const blocks: Uint8Array[] = []
  for (let at = 0, done = 0; at < packed.length;) {
    const [whole, part] = at + 8 <= packed.length ? [view.getUint32(at), view.getUint32(at + 4)] : [0, 0]
    if (whole === 0 || done + whole > length || at + 8 + part > packed.length) return unpackLz4(packed, length, where)
    blocks.push(unpackLz4(packed.subarray(at + 8, at + 8 + part), whole, where))
    at += 8 + part
    done += whole
  }
  return new Uint8Array(Buffer.concat(blocks))
}
