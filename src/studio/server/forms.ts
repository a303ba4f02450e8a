/** Forms with files: what comes is written to the disk as it comes, and goes again when the request has been answered. */
import { randomUUID } from 'node:crypto'
import { mkdirSync, rmSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { writing } from '../../files.ts'
import { roomAt } from '../disk.ts'
import type { Workspace } from '../workspace.ts'
import { piecesOf, sizeOf, tooLarge, type Reading } from './bodies.ts'
import { refuse } from './failures.ts'
import { boundaryOf, partsOf, type Part } from './multipart.ts'

export interface ReceivedFile {
  /** Of the form. */
  readonly field: string
  /** As it was sent, which may be a path: nothing of ours is named by it. */
  readonly name: string
  readonly path: string
  readonly bytes: number
}

export interface ReceivedForm {
  readonly fields: Readonly<Record<string, string>>
  /** In the order in which they came. */
  readonly files: readonly ReceivedFile[]
  /** Of this request alone, and removed after it; the files lie in it. */
  readonly folder: string
}

const mostParts = 1000
/** Of all fields that are no files; they are kept in memory. */
const mostFieldBytes = 5_000_000

/** What is smaller is taken whatever the disk has left. */
const smallUpload = 100e6
/** Of the disk, for answers and all else that is written meanwhile. */
const reserved = 1e9

/** Where uploads lie while they are looked at. */
export const uploadsName = 'uploads'

/**
 * Receives a form and works on it.
 *
 * @throws {StudioError} no form, too large, too slow, broken off
 * @throws {FileError} a full disk
 */
export async function withForm<T>(
  { at }: Workspace,
  request: Pick<Request, 'body' | 'headers'>,
  reading: Reading,
  work: (form: ReceivedForm) => Promise<T>,
): Promise<T> {
  const boundary = boundaryOf(request.headers.get('content-type'))
  await expectRoom(at(uploadsName), Number(request.headers.get('content-length') ?? 0))
  const folder = at(uploadsName, randomUUID())
  writing(folder, () => mkdirSync(folder))
  const pieces = piecesOf(request, reading)
  try {
    return await work(await receive(folder, partsOf(pieces, boundary)))
  } finally {
    // Where it was not read to its end, nothing more of it is.
    await pieces.return(undefined)
    rmSync(folder, { recursive: true, force: true })
  }
}

/** @throws {StudioError} nothing else could be written beside it */
async function expectRoom(folder: string, bytes: number): Promise<void> {
  if (bytes <= smallUpload) return
  const { freeBytes } = await roomAt(folder)
  if (bytes + reserved <= freeBytes) return
  throw refuse(413, 'too-large', {
    where: 'body',
    expected: `at most ${sizeOf(Math.max(0, freeBytes - reserved))}, for which there is room on the disk`,
    received: sizeOf(bytes),
    remedy: 'make room on the disk of the workspace',
  })
}

async function receive(folder: string, parts: AsyncIterable<Part>): Promise<ReceivedForm> {
  const fields = new Map<string, string>()
  const files: ReceivedFile[] = []
  let fieldBytes = 0
  let count = 0
  for await (const { name, file, content } of parts) {
    if (++count > mostParts) throw tooManyParts()
    if (file !== undefined) {
      const path = join(folder, String(files.length))
      files.push({ field: name, name: file, path, bytes: await writeFile(path, content) })
      continue
    }
    const pieces: Uint8Array[] = []
    for await (const piece of content) {
      fieldBytes += piece.length
      if (fieldBytes > mostFieldBytes) throw tooLarge(mostFieldBytes)
      pieces.push(piece)
    }
    fields.set(name, Buffer.concat(pieces).toString('utf8'))
  }
  return { fields: Object.fromEntries(fields), files, folder }
}

async function writeFile(path: string, content: AsyncIterable<Uint8Array>): Promise<number> {
  let bytes = 0
  const handle = await open(path, 'wx')
  try {
    for await (const piece of content) {
      await handle.write(piece).catch((cause: Error) =>
        writing(path, () => {
          throw cause
        }),
      )
      bytes += piece.length
    }
  } finally {
    await handle.close()
  }
  return bytes
}

const tooManyParts = () =>
  refuse(413, 'too-large', {
    where: 'form',
    expected: `at most ${mostParts} fields and files`,
    received: 'more',
    remedy: 'send fewer at once',
  })
