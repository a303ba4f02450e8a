/**
 * A backup of a studio: one archive (tar, gzip) with its judgments and everything else of its database as JSON, which SQLite
 * and PostgreSQL read alike, and the files of its workspace. The database is as it was at one moment; files are copied
 * after that, so all that it names is there.
 */
import { createHash, randomUUID } from 'node:crypto'
import { createWriteStream, lstatSync, readdirSync, realpathSync, renameSync, rmSync, statSync } from 'node:fs'
import { open, readFile } from 'node:fs/promises'
import { isAbsolute, join, relative, sep } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGzip } from 'node:zlib'
import { version } from '../../../scripts/setup/places.mjs'
import { FileError, FormatError } from '../../errors.ts'
import { isDatabaseUrl } from '../../feedback/store/database.ts'
import { imageFolders } from '../../feedback/store/image-folders.ts'
import { imageOf } from '../../feedback/store/rows.ts'
import { partialName, placeInside, sync, writing } from '../../files.ts'
import { getOrAdd } from '../../get-or-add.ts'
import { lockName } from '../../run-lock.ts'
import { modelsName, workspaceFolders, type Workspace } from '../workspace.ts'
import { snapshotOf, type KeptTable, type Row } from './tables.ts'
import { padding, tarEnd, tarHeader } from './tar.ts'

export const backupVersion = 1
export const [aboutName, sumsName] = ['backup.json', 'SHA256SUMS']
/** Where rows, and files, lie in an archive. */
export const [databaseFolder, filesFolder] = ['database', 'workspace']

export interface BackupOptions {
  readonly workspace: Workspace
  /** A SQLite file, or `postgres://…`. */
  readonly database: string
  /** Weights of runs, by which policies draw and rewards score. */
  readonly weights: boolean
}

/** Of a part of a table, before it is written, characters. */
const partLength = 4e6
/** Files up to this size are read at once: what grows while it is read is as it was when it was looked at. */
const smallBytes = 4e6
/** In the workspace: what a server that runs holds, and what a backup has in another form. */
const passing = /^(address\.json|studio\.sqlite(-wal|-shm|\..*)?|uploads)$/
/** Folders of the workspace that may be links to another disk; models that lie there are no part of it. */
const followed: ReadonlySet<string> = new Set(workspaceFolders.filter((name) => name !== modelsName))
const weightNames = /\.(safetensors|bin|pt|pth|ckpt)$/

/** The archive, a piece at a time; few are in memory at once. It holds files open until it has ended or is destroyed. */
export function backupPieces(options: BackupOptions): Readable {
  const gzip = createGzip({ level: 1 })
  pipeline(Readable.from(tarPieces(options), { objectMode: true, highWaterMark: 4 }), gzip).catch(() => undefined)
  return gzip
}

/** Writes an archive whole or not at all. @throws {FileError} it cannot be written, or a file of the workspace not read */
export async function writeBackup(file: string, options: BackupOptions): Promise<void> {
  const partial = `${file}.${randomUUID().slice(0, 8)}.partial`
  try {
    await pipeline(backupPieces(options), createWriteStream(partial, { mode: 0o600, flags: 'wx' }))
    sync(partial)
    writing(file, () => renameSync(partial, file))
  } catch (error) {
    rmSync(partial, { force: true })
    throw writing(file, () => {
      throw error
    })
  }
}

async function* tarPieces({ workspace, database, weights }: BackupOptions): AsyncGenerator<Uint8Array> {
  const sums: string[] = []
  async function* entry(name: string, size: number, content: AsyncIterable<Uint8Array> | Iterable<Uint8Array>) {
    const hash = createHash('sha256')
    yield tarHeader(name, size)
    for await (const piece of content) {
      hash.update(piece)
      yield piece
    }
    yield padding(size)
    sums.push(`${hash.digest('hex')}  ${name}\n`)
  }
  const small = (name: string, bytes: Uint8Array) => entry(name, bytes.length, [bytes])

  const places = imagePlaces(workspace, database)
  let text = ''
  let [of, number]: [KeptTable | undefined, number] = [undefined, 0]
  const flush = () => small(`${databaseFolder}/${of}/${String(++number).padStart(6, '0')}.jsonl`, Buffer.from(text))
  for await (const part of snapshotOf(database)) {
    if ('steps' in part) {
      const about = { attune: 'backup', version: backupVersion, program: version, createdAt: new Date().toISOString(), weights, steps: part.steps } // prettier-ignore
      yield* small(aboutName, Buffer.from(`${JSON.stringify(about, null, 2)}\n`))
      continue
    }
    if (of !== part.table || text.length > partLength) {
      if (text !== '') yield* flush()
      if (of !== part.table) number = 0
      ;[of, text] = [part.table, '']
    }
    for (const row of part.rows) {
      text += `${JSON.stringify(part.table === 'images' ? { ...row, folder: places.folderOf(row) } : row)}\n`
    }
  }
  if (text !== '') yield* flush()

  for (const file of [...filesBelow(workspace, weights), ...places.outside.values()]) {
    const name = `${filesFolder}/${file.name}`
    const stat = lstatSync(file.path, { throwIfNoEntry: false })
    // Gone since: a run that is being made replaces its files.
    if (stat === undefined || !stat.isFile()) continue
    if (stat.size <= smallBytes) {
      const bytes = await readFile(file.path).catch(unlessGone(name))
      if (bytes !== undefined) yield* small(name, bytes)
      continue
    }
    // What is replaced meanwhile stays as it was for who has it open.
    const handle = await open(file.path).catch(unlessGone(name))
    if (handle === undefined) continue
    await using _closing = { [Symbol.asyncDispose]: () => handle.close() }
    const { size } = await handle.stat()
    yield* entry(name, size, handle.createReadStream({ start: 0, end: size - 1, autoClose: false }))
  }
  const listed = Buffer.from(sums.join(''))
  yield tarHeader(sumsName, listed.length)
  yield listed
  yield padding(listed.length)
  yield tarEnd
}

/** Of what is gone since nothing is wanted; what cannot be read would be missed when it is needed. */
const unlessGone = (name: string) => (cause: unknown) => {
  const { code, message } = cause as NodeJS.ErrnoException
  if (code === 'ENOENT') return undefined
  const remedy = 'let it be read by whoever makes the backup, or remove it'
  throw new FileError({ where: name, expected: 'a file that can be read', received: message, remedy, cause })
}

interface FoundFile {
  /** In the workspace that is restored, with `/`. */
  readonly name: string
  readonly path: string
}

/** Where images lie in the workspace that is restored: those of elsewhere come along. */
function imagePlaces({ folder }: Workspace, database: string) {
  const { found } = imageFolders(isDatabaseUrl(database) ? undefined : folder)
  const numbers = new Map<string, number>()
  const outside = new Map<string, FoundFile>()
  const isInside = (place: string, way: string) => {
    if (way.startsWith('..')) return false
    const [first, ...rest] = way.split(sep)
    try {
      const own = followed.has(first) ? realpathSync(join(folder, first)) : join(realpathSync(folder), first)
      return realpathSync(place) === join(own, ...rest)
    } catch {
      return true
    }
  }
  return {
    outside,
    folderOf(row: Row): string {
      const place = found(String(row.folder))
      const way = relative(folder, place)
      if (way !== '' && !isAbsolute(way) && isInside(place, way)) return way.split(sep).join('/')
      const number = getOrAdd(numbers, place, () => numbers.size + 1)
      const kept = `images/from-elsewhere-${number}`
      const { file } = imageOf(row as never)
      try {
        outside.set(`${kept}/${file}`, { name: `${kept}/${file}`, path: placeInside(place, file, place) })
      } catch (error) {
        // The studio does not show it either.
        if (!(error instanceof FormatError)) throw error
      }
      return kept
    },
  }
}

function* filesBelow({ at }: Workspace, weights: boolean, within: readonly string[] = []): Generator<FoundFile> {
  for (const entry of readdirSync(at(...within), { withFileTypes: true })) {
    const { name } = entry
    if (name.startsWith(lockName) || partialName.test(name) || (within.length === 0 && passing.test(name))) continue
    const names = [...within, name]
    const isLink = within.length === 0 && entry.isSymbolicLink() && followed.has(name)
    const isFolder = isLink ? statSync(at(name), { throwIfNoEntry: false })?.isDirectory() : entry.isDirectory()
    if (isFolder === true) yield* filesBelow({ at } as Workspace, weights, names)
    else if (entry.isFile() && (weights || within[0] !== 'runs' || !weightNames.test(name))) {
      yield { name: names.join('/'), path: at(...names) }
    }
  }
}
