/**
 * The feedback store: images that can be judged, and judgments, which are only ever added. Everything else, who has
 * judged what and which judgment counts, is computed from the rows.
 */
import { resolve } from 'node:path'
import type { Insertable, Selectable, Transaction } from 'kysely'
import { FormatError, UnknownRecordError } from '../errors.ts'
import { ImageRecord, Judgment } from '../records.ts'
import { chunks } from './chunks.ts'
import { openDatabase, type FeedbackDatabase } from './database.ts'
import { StandingJudgments } from './standing.ts'
import type { FeedbackTables } from './tables.ts'

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
  /** The judgments that stand, in order of arrival: see {@link StandingJudgments}. The same list until one changes. */
  judgments(): Promise<readonly Judgment[]>
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
 * @throws {FileError} the file or the server cannot be opened
 * @throws {FormatError} it is no feedback database, is damaged, or is of a later version
 */
export async function openFeedback(fileOrUrl: string): Promise<FeedbackStore> {
  return feedbackStore(await openDatabase(fileOrUrl))
}

/** The store over any database that has the tables; nothing in here is particular to one. */
function feedbackStore(database: FeedbackDatabase): FeedbackStore {
  const known = knownRows(database)
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
            { id: record.id, folder: resolve(folder), record: JSON.stringify(record), revision: (revision ?? 0) + 1 },
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

interface Known {
  readonly rows: Judgment[]
  readonly standing: StandingJudgments
  images: readonly StoredImage[]
}

/** Reads what is new; calls that come while it is being read share the next reading, which sees all that they know of. */
function knownRows(database: FeedbackDatabase): () => Promise<Known> {
  const known: Known = { rows: [], standing: new StandingJudgments(), images: [] }
  const images = new Map<string, StoredImage>()
  let sequence = 0
  let revision = -1
  let current: Promise<Known> | undefined
  let next: Promise<Known> | undefined

  async function read(): Promise<Known> {
    const changed = await database.selectFrom('images').selectAll().where('revision', '>', revision).execute()
    for (const row of changed) {
      images.set(row.id, { folder: row.folder, record: ImageRecord.parse(JSON.parse(row.record)) })
      revision = Math.max(revision, row.revision)
    }
    if (changed.length > 0) {
      known.images = [...images.values()].sort((a, b) => (a.record.id < b.record.id ? -1 : 1))
    }
    const added = database.selectFrom('judgments').selectAll().where('sequence', '>', sequence).orderBy('sequence')
    for (const row of await added.execute()) {
      const judgment = judgmentOf(row)
      known.rows.push(judgment)
      known.standing.add(judgment)
      sequence = row.sequence
    }
    return known
  }

  const start = (): Promise<Known> => {
    current = read().finally(() => (current = undefined))
    return current
  }
  return () => {
    if (current === undefined) return start()
    const follow = () => {
      next = undefined
      return start()
    }
    next ??= current.then(follow, follow)
    return next
  }
}

interface Submission {
  readonly judgments: readonly Judgment[]
  readonly resolve: (added: number) => void
  readonly reject: (error: unknown) => void
}

/** Submissions that arrive while one is written go together into the next transaction: one flush of the disk for all. */
function groupedWrites(database: FeedbackDatabase): FeedbackStore['addJudgments'] {
  let waiting: Submission[] = []
  let isWriting = false

  async function write(): Promise<void> {
    isWriting = true
    while (waiting.length > 0) {
      const group = waiting
      waiting = []
      try {
        const outcomes = await database.transaction().execute(async (transaction) => {
          const done: (() => void)[] = []
          for (const submission of group) done.push(await outcomeOf(transaction, submission))
          return done
        })
        for (const tell of outcomes) tell()
      } catch (error) {
        for (const { reject } of group) reject(error)
      }
    }
    isWriting = false
  }

  return (judgments) =>
    new Promise((resolve, reject) => {
      waiting.push({ judgments, resolve, reject })
      if (!isWriting) void write()
    })
}

/** Writes one submission, or refuses it without having written anything; to be told when the transaction is on the disk. */
async function outcomeOf(
  transaction: Transaction<FeedbackTables>,
  { judgments, resolve, reject }: Submission,
): Promise<() => void> {
  let fresh: Judgment[]
  try {
    fresh = await freshJudgments(transaction, judgments)
  } catch (error) {
    if (error instanceof FormatError || error instanceof UnknownRecordError) return () => reject(error)
    throw error
  }
  for (const chunk of chunks(fresh.map(rowOf))) await transaction.insertInto('judgments').values(chunk).execute()
  return () => resolve(fresh.length)
}

/** The judgments that are not there yet, after all have been checked. */
async function freshJudgments(
  transaction: Transaction<FeedbackTables>,
  given: readonly Judgment[],
): Promise<Judgment[]> {
  const judgments = given.map((judgment) => {
    const { error, data } = Judgment.safeParse(judgment)
    if (error === undefined) return data
    throw new FormatError({
      where: `judgment ${judgment.id} ${error.issues[0].path.join('.')}`,
      expected: 'a complete judgment',
      received: error.issues[0].message,
      remedy: 'correct the field',
    })
  })
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
function contentOf({ at: _at, durationMs: _durationMs, ...judgment }: Judgment): string {
  return JSON.stringify(Object.entries(judgment).sort(([a], [b]) => (a < b ? -1 : 1)))
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

function rowOf(judgment: Judgment): Insertable<FeedbackTables['judgments']> {
  const { id, kind, images, answer, rater, raterKind, at, durationMs, undoes, ...details } = judgment
  return {
    id,
    kind,
    images: JSON.stringify(images),
    answer,
    rater,
    rater_kind: raterKind,
    at,
    duration_ms: durationMs ?? null,
    undoes: undoes ?? null,
    details: JSON.stringify(details),
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
    ...(JSON.parse(row.details) as object),
  })
}
