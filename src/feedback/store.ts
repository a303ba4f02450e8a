/**
 * The feedback store: images that can be judged, and judgments, which are only ever added. Everything else, who has
 * judged what and which judgment counts, is computed from the rows.
 */
import { dirname, resolve } from 'node:path'
import type { ImageRecord, Judgment } from '../records.ts'
import { chunks } from './chunks.ts'
import { isDatabaseUrl, openDatabase, type FeedbackDatabase } from './database.ts'
import { imageFolders, type ImageFolders } from './image-folders.ts'
import { knownIds } from './judgment-rows.ts'
import { groupedWrites } from './judgment-writes.ts'
import { knownRows } from './known-rows.ts'
import type { StandingChange } from './standing.ts'

/** An image and the absolute folder that its `file` is relative to. */
export interface StoredImage {
  readonly record: ImageRecord
  readonly folder: string
}

/** `rows` counts all judgments that were ever added; everything else counts those that stand. */
export interface FeedbackCounts {
  readonly images: number
  /** Images with at least one answer that is no skip and no vote. */
  readonly judged: number
  readonly judgments: number
  readonly good: number
  readonly bad: number
  /** Of any kind. */
  readonly skip: number
  readonly pairs: number
  readonly ratings: number
  readonly rankings: number
  readonly votes: number
  readonly raters: number
  readonly rows: number
}

/** What is read is kept: of a later call only what is new is fetched, whichever process has added it. */
export interface FeedbackStore extends AsyncDisposable {
  /** For the tables of raters, rounds and so on, which have functions of their own. */
  readonly database: FeedbackDatabase
  /**
   * Makes images known; of an image that already is, the place and the record are brought up to date.
   *
   * @returns how many were new
   */
  addImages(records: readonly ImageRecord[], folder: string): Promise<number>
  /**
   * Adds judgments: all, or none where one of them is refused. When the promise is fulfilled, they are on the disk. A
   * judgment whose id is already there is left out, so that a repeated submission counts once. Calls at the same time
   * share one transaction.
   *
   * @returns how many were new
   * @throws {UnknownRecordError} an image, or the judgment that one undoes, is not there
   * @throws {FormatError} no judgment, or its id belongs to another one
   */
  addJudgments(judgments: readonly Judgment[]): Promise<number>
  /** The judgments that stand, in order of arrival: see `StandingJudgments`. The same list until one changes. */
  judgments(): Promise<readonly Judgment[]>
  /** How the judgments that stand came to: see `StandingJudgments`. The list grows. */
  changes(): Promise<readonly StandingChange[]>
  /** Every judgment ever added, in order of arrival. */
  allRows(): Promise<readonly Judgment[]>
  /** All images, in order of their ids. The same list until one changes. */
  images(): Promise<readonly StoredImage[]>
  counts(): Promise<FeedbackCounts>
  close(): Promise<void>
}

/**
 * Opens the store in a SQLite file, which is made where there is none, or in a PostgreSQL database (`postgres://…`).
 * Several processes may have it open.
 *
 * @throws {FileError} the file or the database cannot be opened
 * @throws {UnreachableError} the server does not answer
 * @throws {FormatError} it is no feedback database, is damaged, or is of a later version
 */
export async function openFeedback(fileOrUrl: string): Promise<FeedbackStore> {
  const place = isDatabaseUrl(fileOrUrl) ? undefined : dirname(resolve(fileOrUrl))
  return feedbackStore(await openDatabase(fileOrUrl), imageFolders(place))
}

/** The store over any database that has the tables; nothing in here is particular to one. */
function feedbackStore(database: FeedbackDatabase, folders: ImageFolders): FeedbackStore {
  const known = knownRows(database, folders)
  const add = groupedWrites(database)
  const store: FeedbackStore = {
    database,

    addImages: (records, folder) =>
      database.transaction().execute(async (transaction) => {
        const ids = records.map(({ id }) => id)
        const before = await knownIds(transaction, 'images', ids)
        const { revision } = await transaction
          .selectFrom('images')
          .select((row) => row.fn.max('revision').as('revision'))
          .executeTakeFirstOrThrow()
        const rows = new Map(
          records.map((record) => [
            record.id,
            {
              id: record.id,
              folder: folders.stored(folder),
              record: JSON.stringify(record),
              revision: (revision ?? 0) + 1,
            },
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
                revision: row.ref('excluded.revision'),
              })),
            )
            .execute()
        }
        return rows.size - before.size
      }),

    addJudgments: add,
    judgments: async () => (await known()).standing.all(),
    changes: async () => (await known()).standing.changes,
    allRows: async () => [...(await known()).rows],
    images: async () => (await known()).images,

    async counts() {
      const { images, rows, standing } = await known()
      const judgments = standing.all()
      const answered = (wanted: Judgment['answer']) => judgments.filter(({ answer }) => answer === wanted).length
      const asked = (wanted: Judgment['kind']) => judgments.filter(({ kind }) => kind === wanted).length
      const telling = judgments.filter(({ kind, answer }) => kind !== 'vote' && answer !== 'skip')
      return {
        images: images.length,
        judged: new Set(telling.flatMap((judgment) => judgment.images)).size,
        judgments: judgments.length,
        good: answered('good'),
        bad: answered('bad'),
        skip: answered('skip'),
        pairs: asked('pair'),
        ratings: asked('rating'),
        rankings: asked('ranking'),
        votes: asked('vote'),
        raters: new Set(judgments.map(({ rater }) => rater)).size,
        rows: rows.length,
      }
    },

    close: () => database.destroy(),
    [Symbol.asyncDispose]: () => store.close(),
  }
  return store
}
