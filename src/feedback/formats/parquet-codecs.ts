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
  6: bounded(zstdDecompressSync),
}

/**
 * @param codec  as the format numbers them
 * @param length that it has to have unpacked, bytes
 * @throws {FormatError} another length, broken, or packed otherwise
 */
export function unpackPage(codec: number, packed: Uint8Array, length: number, where: string): Uint8Array {
  const unpack = Object.hasOwn(codecs, codec)
    ? codecs[codec]
    : refuseParquet(where, 'pages as they are, or packed with snappy, gzip, brotli or zstd', `codec ${codec}`)
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
