/** One hash for all files of a model. */
import { createHash } from 'node:crypto'
import { closeSync, openSync, readSync } from 'node:fs'
import { basename } from 'node:path'
import { FileError } from '../../errors.ts'
import { cachedSha256 } from './hub-cache.ts'

const chunkBytes = 2 ** 22

/**
 * SHA-256 over the files' own SHA-256s (64 hex digits and a line feed each), in the order of the files' base names and,
 * where these are equal, of the hashes: where a model lies does not change it. Large files of the Hugging Face cache are
 * kept under their SHA-256, which is taken without reading them.
 *
 * @returns 64 hex digits
 * @throws {FileError} a file is missing or cannot be read
 */
export function hashWeights(files: readonly string[]): string {
  const lines = files.map((file) => ({ name: basename(file), sha256: sha256Of(file) }))
  const order = ({ name, sha256 }: { name: string; sha256: string }) => Buffer.from(`${name}\0${sha256}`)
  lines.sort((a, b) => Buffer.compare(order(a), order(b)))
  return createHash('sha256')
    .update(lines.map(({ sha256 }) => `${sha256}\n`).join(''))
    .digest('hex')
}

function sha256Of(file: string): string {
  try {
    return cachedSha256(file) ?? readSha256(file)
  } catch (cause) {
    const { message: received } = cause as Error
    throw new FileError({ where: file, expected: 'a file that can be read', received, remedy: 'check the path', cause })
  }
}

function readSha256(file: string): string {
  const hash = createHash('sha256')
  const chunk = new Uint8Array(chunkBytes)
  const descriptor = openSync(file, 'r')
  try {
    for (let count = -1; count !== 0;) {
      count = readSync(descriptor, chunk)
      hash.update(chunk.subarray(0, count))
    }
  } finally {
    closeSync(descriptor)
  }
  return hash.digest('hex')
}
