/** The bytes of a gzip file, as long as it is not meant to fill a disk. */
import { createReadStream } from 'node:fs'
import { pipeline } from 'node:stream/promises'
import { createGunzip } from 'node:zlib'
import { broken } from './tar.ts'

/** Expanded to more than this share, what is small in an archive is meant to fill a disk. */
const mostExpansion = 200

/**
 * @param plenty  bytes up to which it may grow as it likes
 * @throws {FormatError} it grows more than any backup does
 */
export async function* unpacked(file: string, plenty = 1e9): AsyncGenerator<Uint8Array> {
  const source = createReadStream(file)
  const gunzip = createGunzip()
  pipeline(source, gunzip).catch(() => undefined)
  let bytes = 0
  for await (const piece of gunzip) {
    bytes += (piece as Buffer).length
    if (bytes > plenty && bytes > mostExpansion * source.bytesRead) {
      throw broken(file, 'one that grows more than any backup does')
    }
    yield piece as Buffer
  }
}
