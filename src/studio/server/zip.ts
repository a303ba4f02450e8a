/** A ZIP archive without compression, which pictures would not gain from (PKWARE's APPNOTE 6.3, §4.3). */
import { createReadStream } from 'node:fs'
import { crc32 } from 'node:zlib'

export interface ZipEntry {
  /** With `/` between folders. */
  readonly name: string
  /** Its content, on the disk. */
  readonly file: string
}

/** What the format without its later additions holds: files, and bytes of all of them with what is told of them. */
export const mostZipEntries = 65_535
export const mostZipBytes = 2 ** 32 - 1

/** 1 January 1980, the first day that the format knows: equal files make equal archives. */
const date = 0x21
const isUtf8 = 0x800

const piece = 2 ** 20

/** What stands in front of a file's bytes tells of all of them: they are read twice. */
async function contentOf(file: string): Promise<{ readonly crc: number; readonly length: number }> {
  let [crc, length] = [0, 0]
  for await (const bytes of createReadStream(file, { highWaterMark: piece }) as AsyncIterable<Buffer>) {
    crc = crc32(bytes, crc)
    length += bytes.length
  }
  return { crc, length }
}

/** An archive in pieces, which are read as they are taken; of {@link mostZipEntries} at most. */
export async function* zipPieces(entries: readonly ZipEntry[]): AsyncGenerator<Uint8Array> {
  const directory: Uint8Array[] = []
  let offset = 0
  for (const { name, file } of entries) {
    const { crc, length } = await contentOf(file)
    const encoded = Buffer.from(name)
    const fields = Buffer.alloc(26)
    fields.writeUInt16LE(20, 0)
    fields.writeUInt16LE(isUtf8, 2)
    fields.writeUInt16LE(date, 8)
    fields.writeUInt32LE(crc, 10)
    fields.writeUInt32LE(length, 14)
    fields.writeUInt32LE(length, 18)
    fields.writeUInt16LE(encoded.length, 22)
    const place = Buffer.alloc(14)
    place.writeUInt32LE(offset, 10)
    yield Buffer.concat([Buffer.from('PK\x03\x04', 'latin1'), fields, encoded])
    yield* createReadStream(file, { highWaterMark: piece }) as AsyncIterable<Buffer>
    directory.push(Buffer.from('PK\x01\x02\x14\x00', 'latin1'), fields, place, encoded)
    offset += 30 + encoded.length + length
  }
  const listed = Buffer.concat(directory)
  const end = Buffer.alloc(22)
  end.write('PK\x05\x06', 'latin1')
  end.writeUInt16LE(entries.length, 8)
  end.writeUInt16LE(entries.length, 10)
  end.writeUInt32LE(listed.length, 12)
  end.writeUInt32LE(offset, 16)
  yield listed
  yield end
}
