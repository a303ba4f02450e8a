/** Files that are there whole or not at all. */
import { randomUUID } from 'node:crypto'
import { rename, rm, writeFile } from 'node:fs/promises'
import { FileError } from '../errors.ts'

/**
 * Writes a file beside its place, flushes it to the disk and moves it there, so that a reader, or a crash, never meets
 * half of it. An older file of the name is replaced.
 *
 * @throws {FileError} the file cannot be written; nothing new stays
 */
export async function writeWhole(file: string, content: string | Uint8Array): Promise<void> {
  const temporary = `${file}.${randomUUID()}.tmp`
  try {
    await writeFile(temporary, content, { flush: true })
    await rename(temporary, file)
  } catch (cause) {
    await rm(temporary, { force: true }).catch(() => undefined)
    throw new FileError({
      where: file,
      expected: 'a file that can be written',
      received: cause instanceof Error ? cause.message : String(cause),
      remedy: 'check the folder, the permissions and the space on the disk',
      cause,
    })
  }
}
