/** SHA-256 of what results depend on, as 64 hex digits. */
import { createHash } from 'node:crypto'
import { closeSync, openSync, readdirSync, readSync, statSync } from 'node:fs'
import { join } from 'node:path'

export function sha256(...parts: readonly (string | Uint8Array)[]): string {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(part)
  return hash.digest('hex')
}

const piece = 2 ** 22

/** Of a file's bytes, which are never in memory as a whole. */
export function sha256OfFile(file: string): string {
  const hash = createHash('sha256')
  const buffer = new Uint8Array(piece)
  const descriptor = openSync(file, 'r')
  try {
    for (;;) {
      const count = readSync(descriptor, buffer)
      if (count === 0) return hash.digest('hex')
      hash.update(buffer.subarray(0, count))
    }
  } finally {
    closeSync(descriptor)
  }
}

/** Of a file, or of the weights at the top of a folder with their names: a policy or a reward, however it is given. */
export function sha256OfWeights(place: string): string {
  if (statSync(place).isFile()) return sha256OfFile(place)
  const names = readdirSync(place).filter((name) => name.endsWith('.safetensors'))
  return sha256(...names.sort().map((name) => `${name} ${sha256OfFile(join(place, name))}\n`))
}
