/**
 * Restores a backup into a workspace that is new, and where it is named into a database that is empty. All of it is read
 * and checked beside that place first, and comes there by one renaming: until then nothing of it is seen.
 */
import { createHash, randomUUID } from 'node:crypto'
import { createWriteStream, existsSync, globSync, lstatSync, mkdirSync, readdirSync, renameSync, rmSync, statfsSync, writeFileSync } from 'node:fs' // prettier-ignore
import { basename, dirname, join, resolve } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { sql, type Transaction } from 'kysely'
import { z } from 'zod'
import { AttuneError, FileError, FormatError } from '../../errors.ts'
import { chunks } from '../../feedback/store/chunks.ts'
import { openDatabase } from '../../feedback/store/database.ts'
import { imageFolders } from '../../feedback/store/image-folders.ts'
import { imageOf, judgmentOf } from '../../feedback/store/rows.ts'
import type { FeedbackTables } from '../../feedback/store/tables.ts'
import { placeInside, sync, writing } from '../../files.ts'
import { isAlive, lockName, readOwner, takeLock } from '../../run-lock.ts'
import { databaseName } from '../open-studio.ts'
import { asideOf, putBack } from './put-back.ts'
import { keptTables, numbered, type KeptTable, type Row } from './tables.ts'
import { broken, readTar, type TarFile } from './tar.ts'
import { unpacked } from './unpacked.ts'
import { aboutName, backupVersion, databaseFolder, filesFolder, sumsName } from './write-backup.ts'

export interface RestoreOptions {
  /** Folder to make. */
  readonly workspace: string
  /** `postgres://…`; a SQLite file in the workspace without it. */
  readonly database: string | null
  /** What is there is put aside, and what the database holds goes. */
  readonly replace: boolean
}

/** Of what is read at once, bytes. */
const largestText = 64e6
const mostFiles = 2_000_000
const About = z.object({
  attune: z.literal('backup'),
  version: z.int(),
  program: z.string().max(100),
  steps: z.array(z.string().max(200)).max(1000),
})
const Rows = z.record(z.string(), z.union([z.string(), z.number(), z.null()]))

/**
 * @returns where what was there has been put, where something was
 * @throws {FileError} the place, or the database, is not empty
 * @throws {FormatError} no whole backup, or a hostile one
 * @throws {RunInUseError} a studio runs there
 */
export async function restoreBackup(
  file: string,
  { workspace, database, replace }: RestoreOptions,
): Promise<string | null> {
  const place = resolve(workspace)
  putBack(place)
  const isThere = existsSync(place) && !(lstatSync(place).isDirectory() && readdirSync(place).length === 0)
  if (isThere && !replace) throw notEmpty(place, 'a folder that is new, or empty')
  writing(place, () => mkdirSync(dirname(place), { recursive: true }))
  removeLeft(place)
  const partial = `${place}.${randomUUID().slice(0, 8)}.partial`
  writing(partial, () => mkdirSync(partial, { mode: 0o700 }))
  const placed: { aside: string | null; isThere: boolean } = { aside: null, isThere: false }
  const put = () => {
    placed.aside = putInPlace(partial, place, isThere)
    placed.isThere = true
  }
  let isLocked = false
  try {
    takeLock(partial)
    if (isThere) takeLock(place)
    isLocked = isThere
    const store = await openDatabase(database ?? join(partial, databaseName))
    try {
      const { found, stored } = imageFolders(database === null ? partial : undefined)
      // Of a database server they are absolute: of the place to be, not of the one beside it.
      const folderOf = (name: string) => (database === null ? stored(found(name)) : join(place, name))
      await store.transaction().execute(async (transaction) => {
        const tables = await expectEmpty(transaction, database, replace)
        const done = await transaction.selectFrom('migrations').select('name').execute()
        const steps = new Set(done.map(({ name }) => name))
        await readAll(file, partial, { transaction, tables, steps, folderOf })
        if (database === null) return
        await setNumbers(transaction)
        put()
      })
    } finally {
      await store.destroy()
    }
    if (database === null) put()
    return placed.aside
  } catch (error) {
    rmSync(placed.isThere ? place : partial, { recursive: true, force: true })
    if (placed.aside !== null) renameSync(placed.aside, place)
    if (isLocked) rmSync(join(place, lockName), { force: true })
    throw error
  }
}

/** What a restore left that was killed. */
function removeLeft(place: string): void {
  for (const name of globSync('*.partial', { cwd: dirname(place) })) {
    if (!/^\.[0-9a-f]{8}\.partial$/.test(name.slice(basename(place).length)) || !name.startsWith(basename(place)))
      continue
    const left = join(dirname(place), name)
    const owner = readOwner(join(left, lockName))
    if (owner !== undefined && !isAlive(owner)) rmSync(left, { recursive: true, force: true })
  }
}

function putInPlace(partial: string, place: string, isThere: boolean): string | null {
  const aside = isThere ? asideOf(place) : null
  writing(place, () => {
    if (aside !== null) renameSync(place, aside)
    try {
      renameSync(partial, place)
    } catch (error) {
      if (aside !== null) renameSync(aside, place)
      throw error
    }
  })
  for (const folder of [place, aside]) if (folder !== null) rmSync(join(folder, lockName), { force: true })
  sync(dirname(place))
  return aside
}

interface Into {
  readonly transaction: Transaction<FeedbackTables>
  /** The columns of each table. */
  readonly tables: ReadonlyMap<string, ReadonlySet<string>>
  /** By which this version has made them. */
  readonly steps: ReadonlySet<string>
  /** Of images, as the database is to have it. */
  readonly folderOf: (name: string) => string
}

async function readAll(file: string, partial: string, into: Into): Promise<void> {
  const sums = new Map<string, string>()
  let about: z.infer<typeof About> | undefined
  let isWhole = false
  try {
    for await (const entry of readTar(unpacked(file), file)) {
      if (isWhole || sums.size > mostFiles || sums.has(entry.name)) throw broken(file, 'one with more than it tells of')
      if (about === undefined && entry.name !== aboutName) throw broken(file, 'an archive of something else')
      if (entry.name === sumsName) {
        expectSums(file, await textOf(entry, file, mostFiles * 200), sums)
        isWhole = true
        continue
      }
      const hash = createHash('sha256')
      const heard: TarFile = { ...entry, pieces: () => hashed(entry, hash) }
      if (entry.name === aboutName) about = aboutOf(file, await textOf(heard, file, largestText), into.steps)
      else if (entry.name.startsWith(`${databaseFolder}/`)) await readRows(heard, file, partial, into)
      else if (entry.name.startsWith(`${filesFolder}/`)) await writeFile(heard, file, partial)
      else throw broken(file, `${entry.name.slice(0, 200)}, which no backup holds`)
      sums.set(entry.name, hash.digest('hex'))
    }
  } catch (cause) {
    if (cause instanceof AttuneError) throw cause
    const { code = '' } = cause as NodeJS.ErrnoException
    if (code === 'ENOENT') throw new FileError({ where: file, expected: 'a backup', received: 'no such file', remedy: 'check the path' }) // prettier-ignore
    if (code.startsWith('Z_') || code === 'EISDIR') throw broken(file, (cause as Error).message, cause)
    throw writing(partial, () => {
      throw cause
    })
  }
  if (!isWhole) throw broken(file, 'a part of one: its end is missing')
}

async function* hashed(entry: TarFile, hash: ReturnType<typeof createHash>): AsyncGenerator<Uint8Array> {
  for await (const piece of entry.pieces()) {
    hash.update(piece)
    yield piece
  }
}

function aboutOf(file: string, text: string, steps: ReadonlySet<string>): z.infer<typeof About> {
  let told: unknown
  try {
    told = JSON.parse(text)
  } catch {
    told = undefined
  }
  const { data } = About.safeParse(told)
  if (data === undefined) throw broken(file, 'an archive of something else')
  const later = data.steps.find((step) => !steps.has(step))
  if (later !== undefined && data.version === backupVersion) {
    throw new FormatError({
      where: file,
      expected: 'a backup of this version of Attune, or of an older one',
      received: `one whose database has the step ${later}`,
      remedy: `restore it with the version of Attune that made it, ${data.program}, or a newer one`,
    })
  }
  if (data.version === backupVersion) return data
  throw new FormatError({
    where: file,
    expected: `a backup of format ${backupVersion}`,
    received: `one of format ${data.version}`,
    remedy: `restore it with the version of Attune that made it, ${data.program}`,
  })
}

function expectSums(file: string, text: string, sums: ReadonlyMap<string, string>): void {
  const told = new Map(text.split('\n').filter(Boolean).map((line) => [line.slice(66), line.slice(0, 64)])) // prettier-ignore
  const wrong = [...sums].find(([name, sum]) => told.get(name) !== sum) ?? [...told].find(([name]) => !sums.has(name))
  if (wrong !== undefined) throw broken(file, `a damaged one: ${wrong[0].slice(0, 200)} is not what was written`)
}

async function textOf(entry: TarFile, file: string, most: number): Promise<string> {
  if (!(entry.size <= most)) throw broken(file, `${entry.name.slice(0, 200)}, which is too large`)
  const pieces: Uint8Array[] = []
  for await (const piece of entry.pieces()) pieces.push(piece)
  return Buffer.concat(pieces).toString('utf8')
}

async function writeFile(entry: TarFile, file: string, partial: string): Promise<void> {
  const name = entry.name.slice(filesFolder.length + 1)
  const path = placeInside(partial, name, `${file} ${entry.name.slice(0, 200)}`)
  // What a backup never holds, and what a restore has of its own.
  const isOwn = name.split(/[\\/]/).some((step) => step.startsWith(lockName)) || name.startsWith(databaseName)
  if (isOwn || existsSync(path)) throw broken(file, `${entry.name.slice(0, 200)}, which no backup holds`)
  const { bavail, bsize } = statfsSync(partial)
  if (!(entry.size <= bavail * bsize)) {
    throw new FileError({ where: partial, expected: `${Math.ceil(entry.size / 1e6)} MB of free space for ${name.slice(0, 200)}`, received: 'less', remedy: 'free some space, or restore it on another disk' }) // prettier-ignore
  }
  mkdirSync(dirname(path), { recursive: true })
  if (/^jobs\/[^/]+\/job\.json$/.test(name)) {
    writeFileSync(path, stopped(await textOf(entry, file, largestText)), { flag: 'wx' })
  } else await pipeline(entry.pieces(), createWriteStream(path, { flags: 'wx' }))
}

/** A job that waits or runs belongs to the studio that it was ordered in: in this one it begins when somebody resumes it. */
function stopped(text: string): string {
  const job = jsonOf(text) as { state?: unknown; finishedAt?: unknown } | null | undefined
  if (typeof job !== 'object' || job === null || ['done', 'failed', 'stopped'].includes(String(job.state))) return text
  const finishedAt = job.finishedAt ?? new Date().toISOString()
  const change = { state: 'stopped', finishedAt, owner: null, on: [], stopAskedAt: null, error: null }
  return `${JSON.stringify({ ...job, ...change }, null, 2)}\n`
}

async function readRows(entry: TarFile, file: string, partial: string, { transaction, tables, folderOf }: Into) {
  const table = entry.name.split('/')[1] as KeptTable
  const columns = tables.get(table)
  if (columns === undefined || !keptTables.includes(table)) {
    throw new FormatError({ where: `${file} ${entry.name.slice(0, 200)}`, expected: `rows of ${keptTables.join(', ')}`, received: 'those of another table', remedy: 'restore it with the version of Attune that made it, or a newer one' }) // prettier-ignore
  }
  const lines = (await textOf(entry, file, largestText)).split('\n').filter(Boolean)
  for (const chunk of chunks(lines)) {
    const rows = chunk.map((line): Row => {
      const { data: row } = Rows.safeParse(jsonOf(line))
      const where = `${file} ${entry.name}`
      if (row === undefined) throw broken(file, `a row of ${table} that is none`)
      const unknown = Object.keys(row).find((name) => !columns.has(name))
      if (unknown !== undefined) throw broken(file, `a row of ${table} with ${unknown.slice(0, 60)}, which this version does not know`) // prettier-ignore
      if (table === 'judgments') judgmentOf(row as never)
      if (table !== 'images') return row
      const record = imageOf(row as never)
      const folder = String(row.folder)
      placeInside(partial, folder, where)
      placeInside(join(partial, folder), record.file, where)
      return { ...row, folder: folderOf(folder) }
    })
    try {
      await transaction
        .insertInto(table)
        .values(rows as never)
        .execute()
    } catch (cause) {
      if (cause instanceof AttuneError) throw cause
      throw broken(file, `rows of ${table} that do not go together with the others`, cause)
    }
  }
}

function jsonOf(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch {
    return undefined
  }
}

/** @returns the columns of each table */
async function expectEmpty(transaction: Transaction<FeedbackTables>, database: string | null, replace: boolean) {
  const found = await transaction.introspection.getTables()
  const tables = new Map(found.map(({ name, columns }) => [name, new Set(columns.map((column) => column.name))]))
  const isUsed = async (table: KeptTable) =>
    (await transaction.selectFrom(table).select(sql.lit(1).as('one')).limit(1).execute()).length > 0
  const used: KeptTable[] = []
  for (const table of keptTables) if (await isUsed(table)) used.push(table)
  if (used.length === 0 || database === null) return tables
  if (!replace) throw notEmpty('--database', 'an empty database')
  for (const table of Object.keys(numbered)) {
    await sql.raw(`ALTER TABLE ${table} DISABLE TRIGGER ${table}_refuse`).execute(transaction)
  }
  await sql.raw(`TRUNCATE ${[...keptTables, 'reservations'].join(', ')}`).execute(transaction)
  for (const table of Object.keys(numbered)) {
    await sql.raw(`ALTER TABLE ${table} ENABLE TRIGGER ${table}_refuse`).execute(transaction)
  }
  await transaction
    .updateTable('versions')
    .set((row) => ({ value: sql`${row.ref('value')} + 1` }) as never)
    .execute()
  return tables
}

/** Rows that come next are numbered after those that were restored. */
async function setNumbers(transaction: Transaction<FeedbackTables>): Promise<void> {
  for (const [table, column] of Object.entries(numbered)) {
    await sql
      .raw(
        `SELECT setval(pg_get_serial_sequence('${table}', '${column}'), coalesce(max(${column}), 0) + 1, false) FROM ${table}`,
      )
      .execute(transaction)
  }
}

const notEmpty = (where: string, expected: string) =>
  new FileError({
    where,
    expected,
    received: 'one that holds something',
    remedy: 'name another one, or add --replace, which puts the folder aside and empties the database',
  })
