/** Tables of the feedback store, and how an older file gets them. Add steps at the end; never change one. */
import { sql, type ColumnType, type Generated, type Kysely, type Transaction } from 'kysely'
import { FormatError } from '../errors.ts'

export interface FeedbackTables {
  migrations: { name: string }
  images: {
    id: string
    /** Absolute; the record's `file` is relative to it. */
    folder: string
    /** ImageRecord as JSON. */
    record: string
  }
  judgments: {
    /** Order of arrival. */
    sequence: Generated<number>
    id: ColumnType<string, string, never>
    kind: ColumnType<string, string, never>
    /** Image ids in the order shown, as JSON. */
    images: ColumnType<string, string, never>
    answer: ColumnType<string, string, never>
    rater: ColumnType<string, string, never>
    rater_kind: ColumnType<string, string, never>
    at: ColumnType<string, string, never>
    duration_ms: ColumnType<number | null, number | null, never>
    undoes: ColumnType<string | null, string | null, never>
  }
}

type Step = (transaction: Transaction<FeedbackTables>) => Promise<void>

const steps: Readonly<Record<string, Step>> = {
  async '1-images-and-judgments'(transaction) {
    await transaction.schema
      .createTable('images')
      .addColumn('id', 'text', (column) => column.primaryKey())
      .addColumn('folder', 'text', (column) => column.notNull())
      .addColumn('record', 'text', (column) => column.notNull())
      .execute()
    await transaction.schema
      .createTable('judgments')
      .addColumn('sequence', 'integer', (column) => column.primaryKey().autoIncrement())
      .addColumn('id', 'text', (column) => column.notNull().unique())
      .addColumn('kind', 'text', (column) => column.notNull())
      .addColumn('images', 'text', (column) => column.notNull())
      .addColumn('answer', 'text', (column) => column.notNull())
      .addColumn('rater', 'text', (column) => column.notNull())
      .addColumn('rater_kind', 'text', (column) => column.notNull())
      .addColumn('at', 'text', (column) => column.notNull())
      .addColumn('duration_ms', 'double precision')
      .addColumn('undoes', 'text', (column) => column.references('judgments.id'))
      .execute()
    for (const change of ['UPDATE', 'DELETE']) {
      await sql
        .raw(
          `CREATE TRIGGER judgments_refuse_${change.toLowerCase()} BEFORE ${change} ON judgments
           BEGIN SELECT RAISE(ABORT, 'judgments are append-only'); END`,
        )
        .execute(transaction)
    }
  },
}

/**
 * Brings a database to the newest tables, in one transaction.
 *
 * @throws {FormatError} it has tables of a later version of the program
 */
export async function migrate(database: Kysely<FeedbackTables>, file: string): Promise<void> {
  await database.transaction().execute(async (transaction) => {
    await transaction.schema
      .createTable('migrations')
      .ifNotExists()
      .addColumn('name', 'text', (column) => column.primaryKey())
      .execute()
    const rows = await transaction.selectFrom('migrations').select('name').execute()
    const done = new Set(rows.map((row) => row.name))
    for (const name of done) {
      if (name in steps) continue
      throw new FormatError({
        where: file,
        expected: `a feedback database with the steps ${Object.keys(steps).join(', ')} at most`,
        received: `one with the step ${name}`,
        remedy: 'use the newer version of the program that made it',
      })
    }
    for (const [name, step] of Object.entries(steps)) {
      if (done.has(name)) continue
      await step(transaction)
      await transaction.insertInto('migrations').values({ name }).execute()
    }
  })
}
