/**
 * Judgments into a SQLite file by a connection of their own. A transaction begins and ends in one go, so that nothing of
 * this process waits for it; what it has written to the write-ahead log is then brought to the disk beside all else that
 * the process does. SQLite itself would stand still meanwhile, and the process with it.
 */
import { closeSync, fdatasync, openSync, realpathSync } from 'node:fs'
import { promisify } from 'node:util'
import { FileError } from '../../errors.ts'
import type { Append, JudgmentRow } from './append.ts'
import { sharedReading } from './shared-reading.ts'
import { openSqlite, translated, whenFree } from './sqlite-dialect.ts'

/** Of the write-ahead log, before it is taken into the file, for which the process stands still: seldom, since pages are written anew again and again. */
const mostPages = 4000

const columns = ['id', 'kind', 'images', 'answer', 'rater', 'rater_kind', 'at', 'duration_ms', 'undoes', 'details'] as const satisfies (keyof JudgmentRow)[] // prettier-ignore

export function sqliteAppend(file: string): Append {
  let opened: ReturnType<typeof open> | undefined
  let isClosed = false
  let last: Promise<unknown> = Promise.resolve()
  return {
    async rows(rows) {
      if (isClosed) return false
      opened ??= open(file)
      const { insert, flush } = opened
      const isAdded = await whenFree(() => insert(rows))
      if (isAdded) await (last = flush())
      return isAdded
    },
    async close() {
      isClosed = true
      await last.catch(() => undefined)
      opened?.close()
    },
  }
}

function open(file: string) {
  const database = translated(file, () => openSqlite(file, 0))
  database.exec(`PRAGMA synchronous = NORMAL; PRAGMA foreign_keys = ON; PRAGMA wal_autocheckpoint = ${mostPages}`)
  const insertOne = database.prepare(`INSERT INTO judgments (${columns.join()}) VALUES (${columns.map(() => '?').join()})`) // prettier-ignore
  let log: number | undefined

  /** @throws {FileError} another connection is writing */
  function insert(rows: readonly JudgmentRow[]): boolean {
    try {
      translated(file, () => {
        database.exec('BEGIN IMMEDIATE')
        for (const row of rows) insertOne.run(...columns.map((column) => row[column] ?? null))
        database.exec('COMMIT')
      })
      return true
    } catch (error) {
      if (database.isTransaction) database.exec('ROLLBACK')
      if (isRefusal(error)) return false
      throw error
    }
  }

  /** Which connection has written to a file does not matter to what brings it to the disk. */
  const flush = sharedReading(async () => {
    try {
      log ??= openSync(`${realpathSync(file)}-wal`, 'r+')
      await promisify(fdatasync)(log)
    } catch (cause) {
      throw new FileError({
        where: file,
        expected: 'a feedback database whose changes reach the disk',
        received: (cause as Error).message,
        remedy: 'check the disk',
        cause,
      })
    }
  })

  function close(): void {
    if (log !== undefined) closeSync(log)
    database.close()
  }

  return { insert, flush, close }
}

/** SQLITE_CONSTRAINT: an id that is taken, a reference to nothing. */
const isRefusal = (error: unknown): boolean =>
  error instanceof Error && 'errcode' in error && (Number(error.errcode) & 0xff) === 19
