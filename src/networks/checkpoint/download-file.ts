/** One file from the hub into the cache: continued after a break, and checked before it counts. */
import { createHash, type Hash } from 'node:crypto'
import {
  closeSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs'
import { AttuneError, DownloadError, FileError } from '../../errors.ts'
import { writing } from '../../files.ts'
import { again, reasonOf, type Hub, type HubFile } from './hub.ts'

/** Where a file stands while it is not whole. */
const partialOf = (blob: string) => `${blob}.incomplete`

/** How many bytes of a file are there, whole or not. */
export function bytesHere(blob: string, file: HubFile): number {
  const whole = statSync(blob, { throwIfNoEntry: false })?.size
  if (whole === file.bytes) return whole
  return Math.min(statSync(partialOf(blob), { throwIfNoEntry: false })?.size ?? 0, file.bytes)
}

/**
 * Downloads a file into `blob`, unless it is there. A partial file is continued; a connection that breaks is made again as
 * long as every one brings something.
 *
 * @param url      of the file
 * @param blob     where it goes; until it is whole and checked it stands beside, as `.incomplete`
 * @param advance  receives the bytes that came; negative where some have to come again
 * @throws {DownloadError} refused, broken off, or not what was announced; the last removes the partial file
 * @throws {FileError} the disk is full or cannot be written; the partial file stays
 */
export async function downloadFile(
  hub: Hub,
  url: string,
  file: HubFile,
  blob: string,
  advance: (bytes: number) => void,
): Promise<void> {
  if (statSync(blob, { throwIfNoEntry: false })?.size === file.bytes) return
  const partial = partialOf(blob)
  const descriptor = writing(partial, () => openSync(partial, 'a+'))
  try {
    let { hash, done } = resumed(descriptor, file)
    while (done < file.bytes) {
      const before = done
      // Bytes are counted, so they must not be compressed on the way; with a range fetch itself says so.
      const headers = done > 0 ? { range: `bytes=${done}-` } : { 'accept-encoding': 'identity' }
      const response = await hub.fetch(url, { headers: new Headers(headers) })
      if (done > 0 && response.status !== 206) {
        advance(-done)
        ;({ hash, done } = emptied(descriptor, file))
      }
      try {
        for await (const chunk of response.body ?? []) {
          done += chunk.length
          if (done > file.bytes) throw mismatch(file, `${file.bytes} bytes`, 'more', partial)
          write(descriptor, chunk, partial)
          hash.update(chunk)
          advance(chunk.length)
        }
      } catch (cause) {
        if (cause instanceof AttuneError) throw cause
        if (done <= before) throw brokenOff(file, done, reasonOf(cause), cause)
      }
      if (done <= before) throw brokenOff(file, done, `the end after ${done}`)
    }
    const received = hash.digest('hex')
    if (received !== file.hash) throw mismatch(file, `the hash ${file.hash}`, received, partial)
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
  writing(blob, () => renameSync(partial, blob))
}

/** The hash of what an earlier download left. */
function resumed(descriptor: number, file: HubFile): { hash: Hash; done: number } {
  const { size } = fstatSync(descriptor)
  if (size > file.bytes) return emptied(descriptor, file)
  const hash = hashOf(file)
  const chunk = new Uint8Array(2 ** 20)
  let done = 0
  while (done < size) {
    const count = readSync(descriptor, chunk, 0, chunk.length, done)
    hash.update(chunk.subarray(0, count))
    done += count
  }
  return { hash, done }
}

function emptied(descriptor: number, file: HubFile): { hash: Hash; done: number } {
  ftruncateSync(descriptor)
  return { hash: hashOf(file), done: 0 }
}

/** Large files are known by their SHA-256, small ones as git knows them. */
function hashOf(file: HubFile): Hash {
  return file.hash.length === 64 ? createHash('sha256') : createHash('sha1').update(`blob ${file.bytes}\0`)
}

function write(descriptor: number, chunk: Uint8Array, partial: string): void {
  try {
    for (let done = 0; done < chunk.length;) done += writeSync(descriptor, chunk, done)
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException
    const received = code === 'ENOSPC' || code === 'EDQUOT' ? 'a full disk' : message
    const remedy = 'free some space and run it again: it goes on where it stopped'
    throw new FileError({ where: partial, expected: 'a place that can be written', received, remedy, cause })
  }
}

function brokenOff({ path, bytes }: HubFile, done: number, received: string, cause?: unknown): DownloadError {
  const expected = `${bytes - done} more of ${bytes} bytes`
  return new DownloadError({ where: path, expected, received, remedy: again, cause })
}

function mismatch({ path }: HubFile, expected: string, received: string, partial: string): DownloadError {
  rmSync(partial, { force: true })
  const remedy = 'what came was removed; run it again, and check that no proxy changes files'
  return new DownloadError({ where: path, expected, received, remedy })
}
