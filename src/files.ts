/** Writing files so that nothing half-written stays, and so that what goes wrong is said in Attune's words. */
import { randomUUID } from 'node:crypto'
import { renameSync, rmSync, writeFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { basename } from 'node:path'
import { FileError, FormatError } from './errors.ts'

/**
 * Writes a file whole or not at all: under another name first, renamed when it is on the disk.
 *
 * @throws {FileError} the disk is full, the folder is missing or may not be written
 */
export function writeFileAtomic(file: string, content: Uint8Array | string): void {
  const partial = `${file}.${randomUUID().slice(0, 8)}.partial`
  writing(file, () => {
    try {
      writeFileSync(partial, content, { flush: true })
      renameSync(partial, file)
    } catch (error) {
      rmSync(partial, { force: true })
      throw error
    }
  })
}

const reasons: Readonly<Record<string, readonly [received: string, remedy: string]>> = {
  ENOSPC: ['a full disk', 'free some space and run it again; nothing half-written was left'],
  EDQUOT: ['a used-up disk quota', 'free some space and run it again; nothing half-written was left'],
  EACCES: ['no permission', 'choose another folder, or make this one writable'],
  EPERM: ['no permission', 'choose another folder, or make this one writable'],
  EROFS: ['a read-only file system', 'choose another folder'],
  ENOENT: ['no such folder', 'create the folder, or check the path'],
  ENOTDIR: ['a file where a folder should be', 'choose another folder'],
  EEXIST: ['a file where a folder should be', 'choose another folder'],
  EISDIR: ['a folder where a file should be', 'choose another name'],
  EMFILE: ['too many open files', 'raise the limit with `ulimit -n 4096`'],
}

/**
 * Runs a write to a file and turns what the file system complains about into a FileError; other errors pass.
 *
 * @throws {FileError}
 */
export function writing<T>(file: string, write: () => T): T {
  try {
    return write()
  } catch (cause) {
    const [received, remedy] = reasons[(cause as NodeJS.ErrnoException).code ?? ''] ?? []
    if (received === undefined || remedy === undefined) throw cause
    throw new FileError({ where: file, expected: 'a place that can be written', received, remedy, cause })
  }
}

/**
 * A text file that a user wrote, without the mark that some programs put before the first character.
 *
 * @throws {FileError} it is missing or cannot be read
 * @throws {FormatError} it is no UTF-8
 */
export async function readText(file: string): Promise<string> {
  const bytes = await readBytes(file)
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch (cause) {
    throw new FormatError({
      where: basename(file),
      expected: 'a text in UTF-8 of less than 512 MB',
      received: `${bytes.length} bytes that are none`,
      remedy: 'save it again in this encoding',
      cause,
    })
  }
}

async function readBytes(file: string): Promise<Uint8Array> {
  try {
    return await readFile(file)
  } catch (cause) {
    const missing = (cause as NodeJS.ErrnoException).code === 'ENOENT'
    throw new FileError({
      where: file,
      expected: 'a file that can be read',
      received: missing ? 'no such file' : (cause as Error).message,
      remedy: 'check the path',
      cause,
    })
  }
}
