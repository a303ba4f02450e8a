import { createHash } from 'node:crypto'
import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { project } from './setup/places.mjs'

/**
 * SHA-256 of the names and contents of files, whatever their order; folders do not count.
 *
 * @param {readonly string[]} files relative to the project
 */
export function digestOf(files) {
  const hash = createHash('sha256')
  for (const file of [...files].sort()) {
    if (statSync(join(project, file)).isDirectory()) continue
    hash
      .update(`${file}\0`)
      .update(readFileSync(join(project, file)))
      .update('\0')
  }
  return hash.digest('hex')
}
