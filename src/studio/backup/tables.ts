/** What of the database a backup holds, and how it is read as it is at one moment while people go on labelling. */
import { DatabaseSync } from 'node:sqlite'
import { Client } from 'pg'
import { isDatabaseUrl } from '../../feedback/store/database.ts'
import type { FeedbackTables } from '../../feedback/store/tables.ts'

/** The keys of the tables by which rows are in order, each table after those that it refers to; null: not in a backup. */
const keys: Readonly<Record<keyof FeedbackTables, readonly string[] | null>> = {
  images: ['id'],
  judgments: ['sequence'],
  raters: ['name'],
  invitations: ['id'],
  sessions: ['token_hash'],
  passwords: ['name'],
  guidelines: ['version'],
  gold: ['image'],
  rounds: ['name'],
  round_images: ['round', 'image'],
  settings: ['key'],
  third_opinions: ['question'],
  comments: ['rater', 'id'],
  opened_comparisons: ['comparison', 'rater'],
  shared_links: ['id'],
  decisions: ['judgment'],
  asked_again: ['rater', 'question'],
  api_keys: ['id'],
  admin_log: ['sequence'],
  migrations: null,
  versions: null,
  reservations: null,
}

export type KeptTable = keyof FeedbackTables
export const keptTables = Object.entries(keys).flatMap(([name, key]) => (key === null ? [] : [name as KeptTable]))
/** Columns that number rows, in PostgreSQL by a sequence, of the tables to which rows are only added. */
export const numbered = { judgments: 'sequence', guidelines: 'version', admin_log: 'sequence' } as const

/** As JSON has it: the databases hold texts and numbers. */
export type Row = Record<string, string | number | null>
const rowsAtOnce = 500

/** A list of rows of a table, or the names of the migrations that the database has. */
export type Part = { readonly table: KeptTable; readonly rows: Row[] } | { readonly steps: readonly string[] }

/** First the migrations, then all rows, as they were when the reading began: nobody who writes waits for it. */
export async function* snapshotOf(fileOrUrl: string): AsyncGenerator<Part> {
  yield* isDatabaseUrl(fileOrUrl) ? postgresSnapshot(fileOrUrl) : sqliteSnapshot(fileOrUrl)
}

const selectOf = (table: KeptTable) => `SELECT * FROM ${table} ORDER BY ${keys[table]!.join(', ')}`
const stepsQuery = 'SELECT name FROM migrations ORDER BY name'

async function* sqliteSnapshot(file: string): AsyncGenerator<Part> {
  const database = new DatabaseSync(file, { readOnly: true, timeout: 10_000 })
  try {
    database.exec('BEGIN')
    yield {
      steps: database
        .prepare(stepsQuery)
        .all()
        .map(({ name }) => String(name)),
    }
    for (const table of keptTables) {
      let rows: Row[] = []
      for (const row of database.prepare(selectOf(table)).iterate()) {
        rows.push({ ...row } as Row)
        if (rows.length < rowsAtOnce) continue
        yield { table, rows }
        rows = []
        // Others have their turn.
        await new Promise(setImmediate)
      }
      if (rows.length > 0) yield { table, rows }
    }
  } finally {
    database.close()
  }
}

async function* postgresSnapshot(url: string): AsyncGenerator<Part> {
  const client = new Client({ connectionString: url })
  // What is asked next fails, and says why.
  client.on('error', () => undefined)
  await client.connect()
  try {
    await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY')
    const { rows: steps } = await client.query<{ name: string }>(stepsQuery)
    yield { steps: steps.map(({ name }) => name) }
    for (const table of keptTables) {
      await client.query(`DECLARE rows_of_${table} NO SCROLL CURSOR FOR ${selectOf(table)}`)
      for (;;) {
        const { rows } = await client.query<Row>(`FETCH ${rowsAtOnce} FROM rows_of_${table}`)
        if (rows.length === 0) break
        yield { table, rows }
      }
      await client.query(`CLOSE rows_of_${table}`)
    }
  } finally {
    await client.end()
  }
}
