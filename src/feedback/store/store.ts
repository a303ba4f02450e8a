/**
 * The feedback store: images that can be judged, and judgments, which are only ever added. Everything else, who has
 * judged what and which judgment counts, is computed from the rows.
 */
import { dirname, resolve } from 'node:path'
import type { ImageRecord, Judgment } from '../../records.ts'
import { isDatabaseUrl, openDatabase, type FeedbackDatabase } from './database.ts'
import type { Append } from './append.ts'
import { imageFolders, type ImageFolders } from './image-folders.ts'
import { groupedWrites, type Addition } from './judgment-writes.ts'
import { knownRows, type StoredImage } from './known-rows.ts'
import { postgresAppend } from './postgres-append.ts'
import { sqliteAppend } from './sqlite-append.ts'
import { StandingCounts } from './standing-counts.ts'
import { keptReading, tableVersions, type KeptReading } from './versions.ts'
import type { StandingChange } from '../raters/standing.ts'

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
   * Adds images and judgments: all, or none where one is refused. When the promise is fulfilled, they are on the disk. Of
   * an image that is known, the place and the record are brought up to date. A judgment whose id is already there is left
   * out, so that a repeated submission counts once. Calls at the same time share one transaction.
   *
   * @returns how many were new
   * @throws {UnknownRecordError} an image, or the judgment that one undoes, is not there
   * @throws {FormatError} no judgment, one of the future, or its id belongs to another one
   */
  add(addition: Addition): Promise<{ readonly images: number; readonly judgments: number }>
  /** {@link add} of images alone. */
  addImages(records: readonly ImageRecord[], folder: string): Promise<number>
  /** {@link add} of judgments alone. */
  addJudgments(judgments: readonly Judgment[]): Promise<number>
  /** The judgments that stand, in order of arrival: see `StandingJudgments`. The same list until one changes. */
  judgments(): Promise<readonly Judgment[]>
  /** How the judgments that stand came to: see `StandingJudgments`. The list grows. */
  changes(): Promise<readonly StandingChange[]>
  /** Every judgment ever added, in order of arrival. */
  allRows(): Promise<readonly Judgment[]>
  /** A judgment by its id, as far as this process has read them; another one may have added more. */
  row(id: string): Judgment | undefined
  /** All images, in order of their ids. The same list until one changes. */
  images(): Promise<readonly StoredImage[]>
  counts(): Promise<FeedbackCounts>
  /** The number of the newest judgment that {@link changes} has seen; they grow with every judgment. */
  newest(): Promise<number>
  /**
   * What a function reads of some tables: the same object until one of them changes, whichever process changes it.
   *
   * @param read  one function for one reading: what it made is kept by it
   */
  readonly kept: KeptReading
  /** Tells of an image whether it has an answer that is no skip and no vote. */
  judged(): Promise<(image: string) => boolean>
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
  const database = await openDatabase(fileOrUrl)
  const append = place === undefined ? postgresAppend(database) : sqliteAppend(fileOrUrl)
  return feedbackStore(database, append, imageFolders(place))
}

/** The store over any database that has the tables; nothing in here is particular to one. */
function feedbackStore(database: FeedbackDatabase, append: Append, folders: ImageFolders): FeedbackStore {
  const versions = tableVersions(database)
  const { known, read } = knownRows(database, folders, versions)
  const add = groupedWrites({ database, folders, append, read })
  const standingCounts = new StandingCounts()
  const store: FeedbackStore = {
    database,

    add,
    addImages: async (records, folder) => (await add({ images: [{ records, folder }] })).images,
    addJudgments: async (judgments) => (await add({ judgments })).judgments,
    judgments: async () => (await known()).standing.all(),
    changes: async () => (await known()).standing.changes,
    allRows: async () => [...(await known()).rows],
    row: (id) => read.standing.row(id),
    images: async () => (await known()).images,
    newest: async () => (await known()).sequence,
    kept: keptReading(database, versions),

    async counts() {
      const { images, rows, standing } = await known()
      const { counts } = standingCounts.follow(standing.changes)
      return { images: images.length, ...counts, judgments: standing.all().length, rows: rows.length }
    },

    async judged() {
      const { standing } = await known()
      standingCounts.follow(standing.changes)
      return (image) => standingCounts.isJudged(image)
    },

    async close() {
      await append.close()
      await database.destroy()
    },
    [Symbol.asyncDispose]: () => store.close(),
  }
  return store
}
