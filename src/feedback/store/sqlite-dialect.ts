/** Kysely's SQLite dialect over Node's own SQLite, set up so that an acknowledged transaction survives a crash. */
import { resolve } from 'node:path'
import { DatabaseSync, type SQLInputValue } from 'node:sqlite'
import {
  CompiledQuery,
  SqliteDialect,
  SqliteDriver,
  type DatabaseConnection,
  type Driver,
  type SqliteDatabase,
  type SqliteStatement,
} from 'kysely'
import { FileError, FormatError } from '../../errors.ts'

/** How long a statement waits for another process that is writing. */
const busyTimeoutMs = 10_000
/** Kept for the next time; a long list of values makes a statement of its own. */
const mostStatements = 200

/**
 * A dialect over one file: write-ahead log, a disk flush at every commit, foreign keys on. Transactions take the write
 * lock when they begin, so that two processes wait for each other instead of failing half-way.
 *
 * @throws {FileError} the file cannot be opened
 * @throws {FormatError} the file is not a database, or is damaged
 */
export function nodeSqliteDialect(file: string): SqliteDialect {
  const database = translated(file, () => openSqlite(file, busyTimeoutMs))
  try {
    translated(file, () => {
      // REPLACE would pass by the triggers that keep rows from being deleted
      database.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;
        PRAGMA recursive_triggers = ON`)
      const [check] = database.prepare('PRAGMA quick_check(1)').all()
      if (check.quick_check !== 'ok') throw damaged(file, String(check.quick_check))
    })
  } catch (error) {
    database.close()
    throw error
  }
  return new NodeSqliteDialect(file, database)
}

/** A path is a path: to SQLite itself `:memory:` and `file:…` are other things, of which each connection has one of its own. */
export const openSqlite = (file: string, timeout: number): DatabaseSync => new DatabaseSync(resolve(file), { timeout })

/**
 * Writes a copy of a database, as it is after the last transaction.
 *
 * @throws {FileError} the disk is full, or the copy cannot be written
 */
export function copySqlite(file: string, copy: string): void {
  translated(copy, () => {
    const database = openSqlite(file, busyTimeoutMs)
    try {
      database.prepare('VACUUM INTO ?').run(copy)
    } finally {
      database.close()
    }
  })
}

class NodeSqliteDialect extends SqliteDialect {
  readonly #file: string
  readonly #database: DatabaseSync

  constructor(file: string, database: DatabaseSync) {
    super({ database: adapted(file, database) })
    this.#file = file
    this.#database = database
  }

  override createDriver(): Driver {
    return new NodeSqliteDriver(this.#file, this.#database)
  }
}

class NodeSqliteDriver extends SqliteDriver {
  readonly #database: DatabaseSync

  constructor(file: string, database: DatabaseSync) {
    super({ database: adapted(file, database) })
    this.#database = database
  }

  /** Waits for another writer without holding up this process, as SQLite's own waiting would. */
  override async beginTransaction(connection: DatabaseConnection): Promise<void> {
    this.#database.exec('PRAGMA busy_timeout = 0')
    try {
      await whenFree(() => connection.executeQuery(CompiledQuery.raw('begin immediate')))
    } finally {
      this.#database.exec(`PRAGMA busy_timeout = ${busyTimeoutMs}`)
    }
  }

  override async rollbackTransaction(connection: DatabaseConnection): Promise<void> {
    // SQLite has rolled back by itself where the disk was full
    if (this.#database.isTransaction) await super.rollbackTransaction(connection)
  }
}

/** The database with its statements, each prepared once. (Nothing here reads row by row, which would take one for itself.) */
function adapted(file: string, database: DatabaseSync): SqliteDatabase {
  const statements = new Map<string, SqliteStatement>()

  function prepared(sql: string): SqliteStatement {
    const statement = translated(file, () => database.prepare(sql))
    const bound = (parameters: readonly unknown[]): SQLInputValue[] => parameters as SQLInputValue[]
    return {
      reader: statement.columns().length > 0,
      all: (parameters) => translated(file, () => statement.all(...bound(parameters))),
      run: (parameters) => translated(file, () => statement.run(...bound(parameters))),
      iterate: (parameters) => translated(file, () => statement.iterate(...bound(parameters))),
    }
  }

  return {
    close: () => database.close(),
    prepare(sql) {
      const known = statements.get(sql)
      if (known !== undefined) return known
      const statement = prepared(sql)
      if (statements.size >= mostStatements) statements.clear()
      statements.set(sql, statement)
      return statement
    },
  }
}

/**
 * What `begin` makes, once no other connection is writing.
 *
 * @throws {FileError} one writes for too long, or what `begin` throws
 */
export async function whenFree<T>(begin: () => T | Promise<T>): Promise<T> {
  const giveUpAt = Date.now() + busyTimeoutMs
  for (;;) {
    try {
      return await begin()
    } catch (error) {
      if (!isBusy(error) || Date.now() > giveUpAt) throw error
    }
    await new Promise((resolve) => setTimeout(resolve, 2 + 6 * Math.random()))
  }
}

/** Another connection is writing. */
function isBusy(error: unknown): boolean {
  return error instanceof FileError && ((error.cause as { errcode: number }).errcode & 0xff) === 5
}

/** Primary result codes of SQLite that the user can do something about (https://sqlite.org/rescode.html). */
const fileCodes: Readonly<Record<number, string>> = {
  5: 'wait for the other program that is writing it',
  8: 'check the permissions of the file and its folder',
  10: 'check the disk',
  13: 'free some space on the disk',
  14: 'check that the folder exists and can be written',
}
const damageCodes: readonly number[] = [11, 26]

/** What a query gives, with complaints in Attune's words. */
export function translated<T>(file: string, query: () => T): T {
  try {
    return query()
  } catch (cause) {
    if (!(cause instanceof Error) || !('errcode' in cause)) throw cause
    const code = Number(cause.errcode) & 0xff
    if (damageCodes.includes(code)) throw damaged(file, cause.message, cause)
    if (code in fileCodes) {
      throw new FileError({
        where: file,
        expected: 'a feedback database that can be read and written',
        received: cause.message,
        remedy: fileCodes[code],
        cause,
      })
    }
    throw cause
  }
}

function damaged(file: string, received: string, cause?: unknown): FormatError {
  return new FormatError({
    where: file,
    expected: 'an undamaged feedback database',
    received,
    remedy: 'restore a copy, or start a new file and import an export into it',
    cause,
  })
}
