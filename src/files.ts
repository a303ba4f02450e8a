/** Writing files so that nothing half-written stays, and so that what goes wrong is said in Attune's words. */
import { isUtf8 } from 'node:buffer'
import { randomUUID } from 'node:crypto'
import {
  closeSync,
  fsyncSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readlinkSync,
  realpathSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { basename, dirname, join, normalize, resolve, sep, win32 } from 'node:path'
import { FileError, FormatError } from './errors.ts'

/** Names under which a file is written before it is whole end like this; what a killed process left has such a name. */
export const partialName = /\.[0-9a-f]{8}\.partial(\.stale)?$/

/**
 * Writes a file whole or not at all: under another name first, renamed when it is on the disk. When it returns, the name is
 * on the disk as well.
 *
 * @throws {FileError} the disk is full, the folder is missing or may not be written
 */
export function writeFileAtomic(file: string, content: Uint8Array | string): void {
  atomically(file, (partial) => writeFileSync(partial, content, { flush: true }))
}

/**
 * {@link writeFileAtomic} of a text in pieces, of which few are in memory at once.
 *
 * @throws {FileError}
 */
export function writePiecesAtomic(file: string, pieces: Iterable<string>): void {
  atomically(file, (partial) => {
    const descriptor = openSync(partial, 'w')
    try {
      for (const piece of pieces) writeFileSync(descriptor, piece)
      fsyncSync(descriptor)
    } finally {
      closeSync(descriptor)
    }
  })
}

function atomically(file: string, write: (partial: string) => void): void {
  const partial = `${file}.${randomUUID().slice(0, 8)}.partial`
  writing(file, () => {
    try {
      write(partial)
      renameSync(partial, file)
      sync(dirname(file))
    } catch (error) {
      rmSync(partial, { force: true })
      throw error
    }
  })
}

/**
 * Writes a folder whole or not at all: under another name first, renamed when all of it is there. One that is there and
 * empty is taken.
 *
 * @param write fills the folder that it is given
 * @throws {FileError} there is something of this name already, or the place cannot be written
 */
export async function writeFolderAtomic(folder: string, write: (partial: string) => Promise<void>): Promise<void> {
  const there = lstatSync(folder, { throwIfNoEntry: false })
  if (there !== undefined && !(there.isDirectory() && readdirSync(folder).length === 0)) {
    throw new FileError({
      where: folder,
      expected: 'a new folder, or an empty one',
      received: there.isDirectory() ? 'one that holds files' : 'something else of this name',
      remedy: 'name another folder, or remove what is there',
    })
  }
  const partial = `${folder}.${randomUUID().slice(0, 8)}.partial`
  try {
    writing(folder, () => mkdirSync(partial))
    await write(partial)
    writing(folder, () => renameSync(partial, folder))
    sync(dirname(folder))
  } catch (error) {
    rmSync(partial, { recursive: true, force: true })
    throw error
  }
}

/**
 * Puts on the disk what was written to a file, or of a folder which names it holds; without it, a loss of power may take
 * back files that were made, renamed or removed. Where a file system cannot do this for folders, nothing happens.
 *
 * @throws {FileError} the disk is full or broken
 */
export function sync(place: string): void {
  writing(place, () => {
    const descriptor = openSync(place, 'r')
    try {
      fsyncSync(descriptor)
    } catch (error) {
      if (!['EINVAL', 'ENOTSUP', 'EPERM', 'EBADF'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error
    } finally {
      closeSync(descriptor)
    }
  })
}

/**
 * Writes many files at once, so that they are on the disk together. A process that is killed meanwhile may leave half a
 * file: what lists the files is written afterwards.
 *
 * @param files their content by their paths
 * @throws {FileError}
 */
export async function writeFiles(files: ReadonlyMap<string, Uint8Array>): Promise<void> {
  const written = await Promise.allSettled([...files].map(([file, bytes]) => writeFile(file, bytes, { flush: true })))
  written.forEach((result, i) => {
    if (result.status === 'fulfilled') return
    writing([...files.keys()][i], () => {
      throw result.reason
    })
  })
  for (const folder of new Set([...files.keys()].map(dirname))) sync(folder)
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
  EFBIG: ['a file larger than is allowed here', 'raise the limit (`ulimit -f`) and run it again'],
  EIO: ['a disk that does not take it', 'look after the disk, or choose another folder'],
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
 * A text file that a user wrote: UTF-8, or UTF-16 with its mark, without the mark.
 *
 * @throws {FileError} it is missing or cannot be read
 * @throws {FormatError} it is in another encoding
 */
export async function readText(file: string): Promise<string> {
  return decodeText(basename(file), await readBytes(file))
}

/**
 * The text of a file's bytes; see {@link readText}. What has no mark is never guessed: a wrong guess would be a wrong text.
 *
 * @throws {FormatError} names the first line that is no UTF-8, with what it would be in Windows-1252
 */
export function decodeText(name: string, bytes: Uint8Array): string {
  const [first, second, third, fourth] = bytes
  const isUtf32 = first === 0xff && second === 0xfe && third === 0 && fourth === 0 && bytes.length % 4 === 0
  const mark = first === 0xff && second === 0xfe ? 'utf-16le' : first === 0xfe && second === 0xff ? 'utf-16be' : 'utf-8'
  const looksWide = mark === 'utf-8' && bytes.length > 1 && (first === 0) !== (second === 0)
  const refuse = (received: string, from: string, cause?: unknown) =>
    new FormatError({
      where: name,
      expected: 'a text in UTF-8 of less than 512 MB, or in UTF-16 with its mark',
      received,
      remedy: `save it again as UTF-8, or convert it: iconv -f ${from} -t UTF-8`,
      cause,
    })
  if (isUtf32) throw refuse('UTF-32', 'UTF-32')
  if (looksWide)
    throw refuse('every other byte zero, as in UTF-16 without its mark', first === 0 ? 'UTF-16BE' : 'UTF-16LE')
  try {
    return new TextDecoder(mark, { fatal: true }).decode(bytes)
  } catch (cause) {
    if (mark !== 'utf-8') throw refuse('broken UTF-16', mark.toUpperCase(), cause)
    if (bytes.subarray(0, 4096).includes(0)) {
      throw new FormatError({
        where: name,
        expected: 'a text',
        received: 'a binary file',
        remedy: 'check that it is the file you mean; an archive is unpacked first',
        cause,
      })
    }
    throw refuse(foreignLine(bytes), 'WINDOWS-1252', cause)
  }
}

/** The first line that is no UTF-8, as it would read in the encoding that most such files have. */
function foreignLine(bytes: Uint8Array): string {
  let line = 1
  for (let from = 0; from < bytes.length; line++) {
    const newline = bytes.indexOf(10, from)
    const to = newline < 0 ? bytes.length : newline
    const part = bytes.subarray(from, to)
    if (!isUtf8(part)) {
      const shown = new TextDecoder('windows-1252').decode(part.subarray(0, 120)).trim()
      return `another encoding in line ${line} (as Windows-1252 or Latin-1 it reads “${shown}”)`
    }
    from = to + 1
  }
  return `${bytes.length} bytes that are none`
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

/**
 * The place of a file or folder that another file names: always below `folder`, whether it is there already or not.
 * Names from files on disk, uploads and archives go through here before anything is read, written or removed.
 *
 * @param name   as it was read: relative to `folder`
 * @param where  what named it, for the complaint: `images.jsonl:3 file`
 * @returns `folder` and `name` joined
 * @throws {FormatError} an empty or absolute name, one with a drive or a zero byte, one that leads out of the folder by
 *   `..` or through a link
 */
export function placeInside(folder: string, name: string, where: string): string {
  const refuse = (received: string) =>
    new FormatError({
      where,
      expected: 'a name below its folder',
      received,
      remedy: 'state its path from that folder, without .., absolute paths and links out of it',
    })
  const portable = name.replaceAll('\\', '/')
  if (name === '' || name.includes('\0')) throw refuse(name === '' ? 'an empty name' : 'a name with a zero byte')
  if (win32.isAbsolute(name) || /^[a-z]:/i.test(name)) throw refuse(`${name}, an absolute path`)
  const steps = normalize(portable).split('/').filter(Boolean)
  if (steps.includes('..') || steps.every((step) => step === '.')) throw refuse(`${name}, which leaves it`)
  const place = join(folder, name)
  let root, real
  try {
    ;[root, real] = [realPlace(folder), realPlace(place)]
  } catch (cause) {
    throw refuse(`${name} (${(cause as Error).message})`)
  }
  if (!real.startsWith(root.endsWith(sep) ? root : root + sep)) throw refuse(`${name}, a link that leaves it`)
  return place
}

/** Where a path leads once links are followed, those to what is not there as well; the rest is taken as it is named. */
function realPlace(path: string): string {
  try {
    return realpathSync(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || dirname(path) === path) throw error
    const link = lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() ? readlinkSync(path) : undefined
    return link === undefined
      ? join(realPlace(dirname(path)), basename(path))
      : realPlace(resolve(realPlace(dirname(path)), link))
  }
}
