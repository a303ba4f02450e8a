/** How an empty or older database gets the tables of tables.ts. Add steps at the end; never change one. */
import { sql, type CreateTableBuilder, type Kysely, type Transaction } from 'kysely'
import { FormatError } from '../../errors.ts'
import type { FeedbackTables } from './tables.ts'

type DatabaseKind = 'sqlite' | 'postgres'
type Step = (transaction: Transaction<FeedbackTables>, kind: DatabaseKind) => Promise<void>

const steps: Readonly<Record<string, Step>> = {
  async '1-images-and-judgments'(transaction, kind) {
    await transaction.schema
      .createTable('images')
      .addColumn('id', 'text', (column) => column.primaryKey())
      .addColumn('folder', 'text', (column) => column.notNull())
      .addColumn('record', 'text', (column) => column.notNull())
      .execute()
    await counted(transaction, 'judgments', 'sequence', kind)
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
    await refuseChanges(transaction, kind, 'judgments')
  },

  async '2-studio'(transaction, kind) {
    await transaction.schema
      .alterTable('judgments')
      .addColumn('details', 'text', (column) => column.notNull().defaultTo('{}'))
      .execute()
    await transaction.schema
      .alterTable('images')
      .addColumn('revision', 'integer', (column) => column.notNull().defaultTo(0))
      .execute()
    await transaction.schema.createIndex('images_revision').on('images').column('revision').execute()
    await textTable(transaction, 'raters', ['name'], ['display_name', 'role', 'created_at'])
      .addColumn('excluded', 'integer', (column) => column.notNull())
      .execute()
    const invitation = ['token_hash', 'name', 'role', 'created_at', 'expires_at']
    await textTable(transaction, 'invitations', ['id'], invitation)
      .addColumn('accepted_at', 'text')
      .addUniqueConstraint('invitations_token', ['token_hash'])
      .execute()
    await textTable(transaction, 'sessions', ['token_hash'], ['rater', 'created_at', 'expires_at']).execute()
    await counted(transaction, 'guidelines', 'version', kind)
      .addColumn('text', 'text', (column) => column.notNull())
      .addColumn('reasons', 'text', (column) => column.notNull())
      .addColumn('consent', 'text', (column) => column.notNull())
      .addColumn('author', 'text')
      .addColumn('created_at', 'text', (column) => column.notNull())
      .execute()
    await refuseChanges(transaction, kind, 'guidelines')
    await textTable(transaction, 'gold', ['image'], ['answer'])
      .addForeignKeyConstraint('gold_image', ['image'], 'images', ['id'])
      .execute()
    await textTable(transaction, 'rounds', ['name'], ['policy', 'purpose', 'created_at']).execute()
    await textTable(transaction, 'round_images', ['round', 'image'], [])
      .addForeignKeyConstraint('round_images_round', ['round'], 'rounds', ['name'])
      .addForeignKeyConstraint('round_images_image', ['image'], 'images', ['id'])
      .execute()
    await textTable(transaction, 'settings', ['key'], ['value']).execute()
  },

  async '3-archived-images'(transaction) {
    await transaction.schema.alterTable('images').addColumn('archived_at', 'text').execute()
  },

  async '4-third-opinions'(transaction) {
    const columns = ['kind', 'images', 'raters', 'asked_by', 'asked_at']
    await textTable(transaction, 'third_opinions', ['question'], columns).execute()
  },

  async passwords(transaction) {
    await textTable(transaction, 'passwords', ['name'], ['hash', 'changed_at']).execute()
    await transaction.schema
      .alterTable('sessions')
      .addColumn('begun_by', 'text', (column) => column.notNull().defaultTo('link'))
      .execute()
  },

  async 'versions-and-reservations'(transaction, kind) {
    await transaction.schema
      .createTable('versions')
      .addColumn('name', 'text', (column) => column.primaryKey())
      .addColumn('value', 'integer', (column) => column.notNull())
      .execute()
    const tables = ['images', 'raters', 'invitations', 'sessions', 'guidelines', 'gold', 'rounds', 'round_images', 'settings', 'third_opinions'] // prettier-ignore
    await transaction
      .insertInto('versions')
      .values(tables.map((name) => ({ name, value: 1 })))
      .execute()
    if (kind === 'postgres') {
      await sql
        .raw(
          `CREATE FUNCTION count_version() RETURNS trigger LANGUAGE plpgsql AS
          $$ BEGIN UPDATE versions SET value = value + 1 WHERE name = TG_TABLE_NAME; RETURN NULL; END $$`,
        )
        .execute(transaction)
      await textTable(transaction, 'reservations', ['item', 'mode'], ['rater'])
        .addColumn('until', 'double precision', (column) => column.notNull())
        .addColumn('released', 'integer')
        .execute()
    }
    for (const table of tables) await countVersions(transaction, kind, table)
  },

  async 'opened-comparisons'(transaction) {
    await textTable(transaction, 'opened_comparisons', ['comparison', 'rater'], ['opened_at']).execute()
    const link = ['token_hash', 'kind', 'name', 'created_by', 'created_at']
    await textTable(transaction, 'shared_links', ['id'], link)
      .addUniqueConstraint('shared_links_token', ['token_hash'])
      .execute()
  },

  async comments(transaction) {
    await textTable(transaction, 'comments', ['rater', 'id'], ['image', 'text', 'at'])
      .addColumn('removed_at', 'text')
      .addForeignKeyConstraint('comments_image', ['image'], 'images', ['id'])
      .execute()
    await transaction.schema.createIndex('comments_of_image').on('comments').column('image').execute()
  },

  async 'flagged-answers'(transaction, kind) {
    await textTable(transaction, 'decisions', ['judgment'], ['decision', 'decided_by', 'decided_at']).execute()
    const asked = ['kind', 'images', 'judgment', 'asked_by', 'asked_at']
    await textTable(transaction, 'asked_again', ['rater', 'question'], asked).execute()
    for (const name of ['decisions', 'asked_again']) {
      await transaction.insertInto('versions').values({ name, value: 1 }).execute()
      await countVersions(transaction, kind, name)
    }
  },

  async 'keys-and-log'(transaction, kind) {
    const key = ['token_hash', 'name', 'owner', 'role', 'created_at', 'expires_at']
    await textTable(transaction, 'api_keys', ['id'], key)
      .addColumn('last_used_at', 'text')
      .addUniqueConstraint('api_keys_token', ['token_hash'])
      .execute()
    const texts = ['at', 'who', 'what', 'address', 'asked', 'before', 'after', 'outcome']
    let log = counted(transaction, 'admin_log', 'sequence', kind).addColumn('api_key', 'text')
    for (const column of texts) log = log.addColumn(column, 'text', (built) => built.notNull())
    await log.execute()
    await refuseChanges(transaction, kind, 'admin_log')
  },

  async 'guideline-examples'(transaction) {
    await transaction.schema
      .alterTable('guidelines')
      .addColumn('examples', 'text', (column) => column.notNull().defaultTo('[]'))
      .execute()
  },
}

type Table = CreateTableBuilder<string, string>

/** A table with the column that numbers its rows. */
function counted(transaction: Transaction<FeedbackTables>, name: string, column: string, kind: DatabaseKind): Table {
  const table = transaction.schema.createTable(name)
  const numbered =
    kind === 'sqlite'
      ? table.addColumn(column, 'integer', (built) => built.primaryKey().autoIncrement())
      : table.addColumn(column, 'serial', (built) => built.primaryKey())
  return numbered as Table
}

/** A table whose columns hold text and are never null. */
function textTable(
  transaction: Transaction<FeedbackTables>,
  name: string,
  key: readonly string[],
  others: readonly string[],
): Table {
  let table = transaction.schema.createTable(name) as Table
  for (const column of [...key, ...others]) table = table.addColumn(column, 'text', (built) => built.notNull())
  return table.addPrimaryKeyConstraint(`${name}_key`, [...key])
}

/** Rows of this table can be added and read only. */
async function refuseChanges(
  transaction: Transaction<FeedbackTables>,
  kind: DatabaseKind,
  table: string,
): Promise<void> {
  const run = (text: string) => sql.raw(text).execute(transaction)
  if (kind === 'sqlite') {
    for (const change of ['UPDATE', 'DELETE']) {
      await run(`CREATE TRIGGER ${table}_refuse_${change.toLowerCase()} BEFORE ${change} ON ${table}
        BEGIN SELECT RAISE(ABORT, '${table} are append-only'); END`)
    }
    return
  }
  await run(`CREATE FUNCTION ${table}_refuse() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION '${table} are append-only'; END $$`)
  await run(`CREATE TRIGGER ${table}_refuse BEFORE UPDATE OR DELETE OR TRUNCATE ON ${table}
    FOR EACH STATEMENT EXECUTE FUNCTION ${table}_refuse()`)
}

/** Counts the changes of a table. */
async function countVersions(
  transaction: Transaction<FeedbackTables>,
  kind: DatabaseKind,
  table: string,
): Promise<void> {
  if (kind === 'postgres') {
    await sql
      .raw(
        `CREATE TRIGGER ${table}_version AFTER INSERT OR UPDATE OR DELETE ON ${table}
        FOR EACH STATEMENT EXECUTE FUNCTION count_version()`,
      )
      .execute(transaction)
    return
  }
  for (const change of ['INSERT', 'UPDATE', 'DELETE']) {
    await sql
      .raw(
        `CREATE TRIGGER ${table}_version_${change.toLowerCase()} AFTER ${change} ON ${table}
        BEGIN UPDATE versions SET value = value + 1 WHERE name = '${table}'; END`,
      )
      .execute(transaction)
  }
}

/**
 * Brings a database to the newest tables, in one transaction.
 *
 * @param where   file or address, for errors
 * @param backUp  keeps a copy of a database that is used already; called before its tables are changed
 * @throws {FormatError} it has tables of a later version of the program
 */
export async function migrate(
  database: Kysely<FeedbackTables>,
  { kind, where, backUp }: { kind: DatabaseKind; where: string; backUp: (lastStep: string) => void },
): Promise<void> {
  const before = await database.transaction().execute(async (transaction) => {
    await transaction.schema
      .createTable('migrations')
      .ifNotExists()
      .addColumn('name', 'text', (column) => column.primaryKey())
      .execute()
    return await doneSteps(transaction, where)
  })
  const last = Object.keys(steps).findLast((name) => before.has(name))
  if (Object.keys(steps).every((name) => before.has(name))) return
  if (last !== undefined) backUp(last)
  await database.transaction().execute(async (transaction) => {
    // another process may have done some meanwhile
    const done = await doneSteps(transaction, where)
    for (const [name, step] of Object.entries(steps)) {
      if (done.has(name)) continue
      await step(transaction, kind)
      await transaction.insertInto('migrations').values({ name }).execute()
    }
  })
}

async function doneSteps(database: Kysely<FeedbackTables>, where: string): Promise<Set<string>> {
  const done = new Set((await database.selectFrom('migrations').select('name').execute()).map(({ name }) => name))
  for (const name of done) {
    if (name in steps) continue
    throw new FormatError({
      where,
      expected: `a feedback database with the steps ${Object.keys(steps).join(', ')} at most`,
      received: `one with the step ${name}`,
      remedy: 'use the newer version of the program that made it',
    })
  }
  return done
}
