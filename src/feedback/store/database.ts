/** Where the feedback lies: one SQLite file, or a PostgreSQL database. */
import { Kysely } from 'kysely'
import { migrate } from './migrations.ts'
import { addressOf, postgresDialect } from './postgres-dialect.ts'
import { copySqlite, nodeSqliteDialect } from './sqlite-dialect.ts'
import type { FeedbackTables } from './tables.ts'

export type FeedbackDatabase = Kysely<FeedbackTables>

/** `postgres://…` is an address, everything else a file. */
export const isDatabaseUrl = (fileOrUrl: string): boolean => /^postgres(ql)?:\/\//.test(fileOrUrl)

/**
 * Opens a database with the newest tables. Before an older SQLite file is changed, a copy of it is laid beside it:
 * `studio.sqlite.1-images-and-judgments.2026-01-31T10-20-30.456Z.backup`, with the last step that it had. (Copies of a
 * server are its keeper's task.)
 *
 * @throws {FileError} the file or the database cannot be opened
 * @throws {UnreachableError} the server does not answer
 * @throws {FormatError} it is no feedback database, is damaged, or is of a later version
 */
export async function openDatabase(fileOrUrl: string): Promise<FeedbackDatabase> {
  const onServer = isDatabaseUrl(fileOrUrl)
  const database = new Kysely<FeedbackTables>({
    dialect: onServer ? postgresDialect(fileOrUrl) : nodeSqliteDialect(fileOrUrl),
  })
  try {
    await migrate(database, {
      kind: onServer ? 'postgres' : 'sqlite',
      where: onServer ? addressOf(fileOrUrl) : fileOrUrl,
      backUp(lastStep) {
        const time = new Date().toISOString().replaceAll(':', '-')
        if (!onServer) copySqlite(fileOrUrl, `${fileOrUrl}.${lastStep}.${time}.backup`)
      },
    })
  } catch (error) {
    await database.destroy()
    throw error
  }
  return database
}
