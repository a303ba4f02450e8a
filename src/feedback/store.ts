/**
 * The feedback store: images that can be judged, and judgments, which are only ever added. Everything else, who has
 * judged what and which judgment counts, is computed from the rows.
 */
import { resolve } from 'node:path'
import { Kysely, type Insertable, type Selectable, type Transaction } from 'kysely'
import { FormatError, UnknownRecordError } from '../errors.ts'
import { ImageRecord, Judgment } from '../records.ts'
import { migrate, type FeedbackTables } from './migrations.ts'
import { nodeSqliteDialect } from './sqlite-dialect.ts'
import { standing } from './standing.ts'

/** An image and the absolute folder that its `file` is relative to. */
export interface StoredImage {
  readonly record: ImageRecord
  readonly folder: string
}

/** `judged` and the answers count the judgments that stand; `rows` counts all that were ever added. */
export interface FeedbackCounts {
  readonly images: number
  /** Images with at least one good or bad. */
  readonly judged: number
  readonly good: number
  readonly bad: number
  readonly skip: number
  readonly raters: number
  readonly rows: number
}

export interface FeedbackStore extends AsyncDisposable {
  /**
   * Makes images known; of an image that already is, the place and the record are brought up to date.
   *
   * @returns how many were new
   */
  addImages(records: readonly ImageRecord[], folder: string): Promise<number>
  /**
   * Adds judgments: all, or none where one of them is refused. When the promise is fulfilled, they are on the disk. A
   * judgment whose id is already there is left out, so that a repeated submission counts once.
   *
   * @returns how many were new
   * @throws {UnknownRecordError} an image, or the judgment that one undoes, is not there
   * @throws {FormatError} no judgment, or its id belongs to another one
   */
  addJudgments(judgments: readonly Judgment[]): Promise<number>
  /** The judgments that stand: see {@link standing}. */
  judgments(): Promise<Judgment[]>
  /** Every judgment ever added, in order of arrival. */
  allRows(): Promise<Judgment[]>
  /** All images, in order of their ids. */
  images(): Promise<StoredImage[]>
  counts(): Promise<FeedbackCounts>
  close(): Promise<void>
}

/**
 * Opens the store in a SQLite file, which is made where there is none. Several processes may have it open.
 *
 * @throws {FileError} the file cannot be opened
 * @throws {FormatError} it is no feedback database, is damaged, or is of a later version
 */
export async function openFeedback(file: string): Promise<FeedbackStore> {
  const database = new Kysely<FeedbackTables>({ dialect: nodeSqliteDialect(file) })
  try {
    await migrate(database, file)
  } catch (error) {
    await database.destroy()
    throw error
  }
  return feedbackStore(database)
}

/** Rows a statement: databases limit the number of bound values. */
const chunkSize = 500

/** The store over any database that has the tables; nothing in here is particular to SQLite. */
export function feedbackStore(database: Kysely<FeedbackTables>): FeedbackStore {
  const store: FeedbackStore = {
    addImages: (records, folder) =>
      database.transaction().execute(async (transaction) => {
        const known = await knownIds(
          transaction,
          'images',
          records.map((record) => record.id),
        )
        const rows = new Map(
          records.map((record) => [
            record.id,
            { id: record.id, folder: resolve(folder), record: JSON.stringify(record) },
          ]),
        )
        for (const chunk of chunks([...rows.values()])) {
          await transaction
            .insertInto('images')
            .values(chunk)
            .onConflict((conflict) =>
              conflict.column('id').doUpdateSet((row) => ({
                folder: row.ref('excluded.folder'),
                record: row.ref('excluded.record'),
              })),
            )
            .execute()
        }
        return rows.size - known.size
      }),

    addJudgments: (judgments) =>
      database.transaction().execute(async (transaction) => {
        const fresh = await freshJudgments(transaction, judgments)
        for (const chunk of chunks(fresh.map(rowOf))) {
          await transaction.insertInto('judgments').values(chunk).execute()
        }
        return fresh.length
      }),

    async allRows() {
      const rows = await database.selectFrom('judgments').selectAll().orderBy('sequence').execute()
      return rows.map(judgmentOf)
    },

    judgments: async () => standing(await store.allRows()),

    async images() {
      const rows = await database.selectFrom('images').selectAll().orderBy('id').execute()
      return rows.map(({ folder, record }) => ({ folder, record: ImageRecord.parse(JSON.parse(record)) }))
    },

    async counts() {
      const { images } = await database
        .selectFrom('images')
        .select((row) => row.fn.countAll().as('images'))
        .executeTakeFirstOrThrow()
      const rows = await store.allRows()
      const judgments = standing(rows)
      const answered = (answer: Judgment['answer']): number =>
        judgments.filter((judgment) => judgment.answer === answer).length
      return {
        images: Number(images),
        judged: new Set(judgments.flatMap(({ answer, images: shown }) => (answer === 'skip' ? [] : shown))).size,
        good: answered('good'),
        bad: answered('bad'),
        skip: answered('skip'),
        raters: new Set(judgments.map((judgment) => judgment.rater)).size,
        rows: rows.length,
      }
    },

    close: () => database.destroy(),
    [Symbol.asyncDispose]: () => store.close(),
  }
  return store
}

/** The judgments that are not there yet, after all have been checked. */
async function freshJudgments(
  transaction: Transaction<FeedbackTables>,
  judgments: readonly Judgment[],
): Promise<Judgment[]> {
  for (const judgment of judgments) {
    const { error } = Judgment.safeParse(judgment)
    if (error === undefined) continue
    throw new FormatError({
      where: `judgment ${judgment.id} ${error.issues[0].path.join('.')}`,
      expected: 'a complete judgment',
      received: error.issues[0].message,
      remedy: 'correct the field',
    })
  }
  const shown = judgments.flatMap((judgment) => judgment.images)
  const images = await knownIds(transaction, 'images', shown)
  const undoes = judgments.flatMap((judgment) => judgment.undoes ?? [])
  const earlier = await knownIds(transaction, 'judgments', undoes)
  const seen = new Map<string, Judgment>()
  for (const chunk of chunks(judgments.map((judgment) => judgment.id))) {
    const rows = await transaction.selectFrom('judgments').selectAll().where('id', 'in', chunk).execute()
    for (const row of rows) seen.set(row.id, judgmentOf(row))
  }
  const fresh: Judgment[] = []
  for (const judgment of judgments) {
    const missing = judgment.images.find((image) => !images.has(image))
    if (missing !== undefined) throw unknownRecord(judgment, 'image', missing)
    if (judgment.undoes !== undefined && !earlier.has(judgment.undoes)) {
      throw unknownRecord(judgment, 'judgment', judgment.undoes)
    }
    const known = seen.get(judgment.id)
    if (known === undefined) {
      fresh.push(judgment)
      seen.set(judgment.id, judgment)
      earlier.add(judgment.id)
    } else if (contentOf(known) !== contentOf(judgment)) {
      throw new FormatError({
        where: `judgment ${judgment.id}`,
        expected: 'an id of its own',
        received: `the id of another judgment (${known.answer} by ${known.rater})`,
        remedy: 'judgments are never changed: give the new one a new id',
      })
    }
  }
  return fresh
}

/** What makes two submissions under one id the same; the time of a repetition may be another. */
function contentOf({ kind, images, answer, rater, raterKind, undoes }: Judgment): string {
  return JSON.stringify([kind, images, answer, rater, raterKind, undoes])
}

function unknownRecord(judgment: Judgment, what: 'image' | 'judgment', id: string): UnknownRecordError {
  return new UnknownRecordError({
    where: `judgment ${judgment.id}`,
    expected: what === 'image' ? 'an image of this store' : 'to undo an earlier judgment of this store',
    received: `unknown ${what} ${id}`,
    remedy: what === 'image' ? 'add the images first, or use the store that they are in' : 'add that judgment first',
  })
}

async function knownIds(
  transaction: Transaction<FeedbackTables>,
  table: 'images' | 'judgments',
  ids: readonly string[],
): Promise<Set<string>> {
  const known = new Set<string>()
  for (const chunk of chunks([...new Set(ids)])) {
    const rows = await transaction.selectFrom(table).select('id').where('id', 'in', chunk).execute()
    for (const row of rows) known.add(row.id)
  }
  return known
}

function chunks<T>(all: readonly T[]): T[][] {
  return Array.from({ length: Math.ceil(all.length / chunkSize) }, (_, place) =>
    all.slice(place * chunkSize, (place + 1) * chunkSize),
  )
}

function rowOf(judgment: Judgment): Insertable<FeedbackTables['judgments']> {
  return {
    id: judgment.id,
    kind: judgment.kind,
    images: JSON.stringify(judgment.images),
    answer: judgment.answer,
    rater: judgment.rater,
    rater_kind: judgment.raterKind,
    at: judgment.at,
    duration_ms: judgment.durationMs ?? null,
    undoes: judgment.undoes ?? null,
  }
}

function judgmentOf(row: Selectable<FeedbackTables['judgments']>): Judgment {
  return Judgment.parse({
    id: row.id,
    kind: row.kind,
    images: JSON.parse(row.images),
    answer: row.answer,
    rater: row.rater,
    raterKind: row.rater_kind,
    at: row.at,
    ...(row.duration_ms !== null && { durationMs: row.duration_ms }),
    ...(row.undoes !== null && { undoes: row.undoes }),
  })
}
