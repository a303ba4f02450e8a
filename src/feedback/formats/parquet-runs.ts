/** Small whole numbers as parquet packs them: runs and bits (RLE / bit-packed hybrid), and differences (delta). */
import { refuseParquet, type ParquetBytes } from './parquet-bytes.ts'

/**
 * Runs of equal numbers and packed bits.
 *
 * @param width bits of a number, 0 to 32
 * @param count of numbers that there are
 * @throws {FormatError} a run that is longer than what is left, or fewer bytes than it needs
 */
export function readRuns(bytes: ParquetBytes, width: number, count: number): Uint32Array {
  if (width > 32) refuseParquet(bytes.where, 'numbers of at most 32 bits', `${width}`)
  const numbers = new Uint32Array(count)
  for (let done = 0; done < count;) {
    const head = bytes.varint()
    const length = head >>> 1
    if ((head & 1) === 0) {
      if (length > count - done) {
        refuseParquet(bytes.where, `a run of at most ${count - done} values`, `one of ${length}`)
      }
      let value = 0
      for (let i = 0; i < Math.ceil(width / 8); i++) value += bytes.byte() * 256 ** i
      numbers.fill(value, done, done + length)
      done += length
      continue
    }
    // In groups of eight; the last ones may be more than there are values, or cut off where they stand for none.
    const here = Math.min(8 * length, count - done)
    const packed = bytes.take(Math.min(length * width, Math.max(bytes.left, Math.ceil((here * width) / 8))))
    for (let i = 0; i < here; i++) numbers[done + i] = bitsAt(packed, i * width, width)
    done += here
  }
  return numbers
}

/** At most 32 bits from a place on; the lowest come first. */
function bitsAt(packed: Uint8Array, from: number, width: number): number {
  let value = 0
  for (let got = 0; got < width;) {
    const place = from + got
    const take = Math.min(8 - (place & 7), width - got)
    value += ((packed[place >>> 3] >>> (place & 7)) & ((1 << take) - 1)) * 2 ** got
    got += take
  }
  return value
}

/**
 * Differences in blocks (DELTA_BINARY_PACKED).
 *
 * @param bits  of the numbers, beyond which they wrap
 * @param count of numbers that there are
 * @throws {FormatError} another count, blocks that the format does not know, or fewer bytes than they need
 */
export function readDeltas(bytes: ParquetBytes, bits: 32 | 64, count: number): bigint[] {
  const [block, parts, stated] = [bytes.varint(), bytes.varint(), bytes.varint()]
  const each = block / parts
  if (stated !== count) refuseParquet(bytes.where, `${count} numbers`, `${stated}`)
  if (block > 2 ** 20 || !Number.isInteger(each) || each === 0 || each % 8 !== 0) {
    refuseParquet(bytes.where, 'blocks of 128 numbers, or a multiple', `${block} in ${parts}`)
  }
  let value = bytes.zigzag()
  const numbers = count === 0 ? [] : [value]
  while (numbers.length < count) {
    const least = bytes.zigzag()
    for (const width of bytes.take(parts)) {
      if (numbers.length >= count) break
      if (width > 64) refuseParquet(bytes.where, 'differences of at most 64 bits', `${width}`)
      const here = Math.min(each, count - numbers.length)
      const packed = bytes.take(Math.min((each * width) / 8, Math.max(bytes.left, Math.ceil((here * width) / 8))))
      for (let i = 0; i < here; i++) {
        const low = BigInt(bitsAt(packed, i * width, Math.min(32, width)))
        const high = width > 32 ? BigInt(bitsAt(packed, i * width + 32, width - 32)) << 32n : 0n
        value = BigInt.asIntN(bits, value + least + low + high)
        numbers.push(value)
      }
    }
  }
  return numbers
}
