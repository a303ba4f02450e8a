/** How images and judgments get into the database: checked, each once, many submissions in one transaction. */
import type { Transaction } from 'kysely'
import { FormatError, UnknownRecordError } from '../../errors.ts'
import { grouped } from '../../grouped.ts'
import { wordsOf } from '../../prompts/words.ts'
import { Judgment } from '../../records.ts'
import type { Append } from './append.ts'
import { chunks } from './chunks.ts'
import type { FeedbackDatabase } from './database.ts'
import type { ImageFolders } from './image-folders.ts'
import { writeImages, type ImagesOfFolder } from './image-writes.ts'
import { complaintOf } from '../issue-complaint.ts'
import type { Read } from './known-rows.ts'
import { imageOf, isStorable, judgmentOf, knownIds, rowOf } from './rows.ts'
import { expectNotAhead, isAhead } from './judgment-times.ts'
import { isPlainJudgment } from './plain-judgment.ts'
import type { FeedbackTables } from './tables.ts'

/** What goes into a store together, or not at all. */
export interface Addition {
  readonly images?: readonly ImagesOfFolder[]
  readonly judgments?: readonly Judgment[]
}

interface Added {
  readonly images: number
  readonly judgments: number
}

/** What has become of an addition, told when all of its group are on the disk. @throws {AttuneError} it was refused */
type Outcome = () => Added

interface Writing {
  readonly database: FeedbackDatabase
  readonly folders: ImageFolders
  readonly append: Append
  readonly read: Read
}

/** What is to be added while something is written goes together into the next transaction: one flush of the disk for all. */
export function groupedWrites({ database, folders, append, read }: Writing): (addition: Addition) => Promise<Added> {
  const carefully = (group: readonly Addition[]) =>
    database.transaction().execute(async (transaction) => {
      const known = await knownOf(transaction, group)
      const outcomes: Outcome[] = []
      for (const addition of group) outcomes.push(await outcomeOf(transaction, addition, folders, known))
      const rows = known.fresh.map(rowOf)
      for (const chunk of chunks(rows)) await transaction.insertInto('judgments').values(chunk).execute()
      return outcomes
    })
  const write = grouped(async (group: readonly Addition[]) =>
    (await appended(group, append, read)) ? group.map(acceptance) : await carefully(group),
  )
  return async (addition) => (await write(addition))()
}

/**
 * The short way of a group in which nothing is unusual, as far as this process has read the store.
 *
 * @returns false where nothing was written: what stands in the way has to be looked for
 */
async function appended(group: readonly Addition[], append: Append, { images, standing }: Read): Promise<boolean> {
  const ids = new Set<string>()
  const isUsual = (judgment: Judgment): boolean => {
    const { id, at, undoes } = judgment
    const isNew = !ids.has(id) && standing.row(id) === undefined
    ids.add(id)
    return (
      isNew &&
      isPlainJudgment(judgment) &&
      judgment.images.every((image) => images.has(image)) &&
      (undoes === undefined || standing.row(undoes) !== undefined) &&
      !isAhead(at)
    )
  }
  const judgments = group.flatMap(({ judgments: given = [] }) => given)
  if (judgments.length === 0 || group.some(({ images: lists = [] }) => lists.length > 0)) return false
  return judgments.every(isUsual) && (await append.rows(judgments.map(rowOf)))
}

/** Of an addition all of which was new. */
const acceptance =
  ({ judgments = [] }: Addition): Outcome =>
  () => ({ images: 0, judgments: judgments.length })

/** What is there of all that a group of submissions names, with what the group has added so far. */
interface Known {
  readonly images: Set<string>
  readonly judgments: Map<string, Judgment>
  /** To be written when all of the group are looked at. */
  readonly fresh: Judgment[]
}

/** Asked once for all of a group: it holds up every other writer meanwhile. */
async function knownOf(transaction: Transaction<FeedbackTables>, group: readonly Addition[]): Promise<Known> {
  const given = group.flatMap(({ judgments = [] }) => judgments)
  const images = await knownIds(
    transaction,
    'images',
    given.flatMap((judgment) => judgment.images),
  )
  const ids = new Set(given.flatMap(({ id, undoes = id }) => [id, undoes]))
  const judgments = new Map<string, Judgment>()
  for (const chunk of chunks([...ids].filter(isStorable))) {
    const rows = await transaction.selectFrom('judgments').selectAll().where('id', 'in', chunk).execute()
    for (const row of rows) judgments.set(row.id, judgmentOf(row))
  }
  return { images, judgments, fresh: [] }
}

/** Takes one addition in, or refuses it without having written anything. */
async function outcomeOf(
  transaction: Transaction<FeedbackTables>,
  { images: lists = [], judgments = [] }: Addition,
  folders: ImageFolders,
  known: Known,
): Promise<Outcome> {
  let fresh: Judgment[]
  try {
    const brought = new Map(lists.flatMap(({ records }) => records.map(({ id, text }) => [id, text])))
    fresh = await freshJudgments(transaction, judgments, brought, known)
  } catch (error) {
    if (error instanceof FormatError || error instanceof UnknownRecordError) {
      return () => {
        throw error
      }
    }
    throw error
  }
  const images = await writeImages(transaction, lists, folders)
  for (const { records } of lists) for (const { id } of records) known.images.add(id)
  for (const judgment of fresh) known.judgments.set(judgment.id, judgment)
  known.fresh.push(...fresh)
  return () => ({ images, judgments: fresh.length })
}

/**
 * The judgments that are not there yet, after all have been checked.
 *
 * @param brought the prompts of images that come with them, by their ids
 */
async function freshJudgments(
  transaction: Transaction<FeedbackTables>,
  given: readonly Judgment[],
  brought: ReadonlyMap<string, string>,
  known: Omit<Known, 'fresh'>,
): Promise<Judgment[]> {
  const judgments = given.map((judgment) => {
    const { error, data } = Judgment.safeParse(judgment)
    if (error === undefined) return data
    const [issue] = error.issues
    throw new FormatError({
      where: `judgment ${judgment.id} ${issue.path.join('.')}`.trim(),
      ...complaintOf(issue, judgment),
      remedy: 'correct the field',
    })
  })
  const seen = new Map(known.judgments)
  const fresh: Judgment[] = []
  for (const judgment of judgments) {
    const missing = judgment.images.find((image) => !known.images.has(image) && !brought.has(image))
    if (missing !== undefined) throw unknownRecord(judgment, 'image', missing)
    if (judgment.undoes !== undefined && !seen.has(judgment.undoes)) {
      throw unknownRecord(judgment, 'judgment', judgment.undoes)
    }
    const there = seen.get(judgment.id)
    if (there === undefined) {
      expectNotAhead(judgment.at, `judgment ${judgment.id} at`)
      await expectOwnWords(transaction, judgment, brought)
      fresh.push(judgment)
      seen.set(judgment.id, judgment)
    } else if (contentOf(there) !== contentOf(judgment)) {
      throw new FormatError({
        where: `judgment ${judgment.id}`,
        expected: 'an id of its own',
        received: `the id of another judgment (${there.answer} by ${there.rater})`,
        remedy: 'judgments are never changed: give the new one a new id',
      })
    }
  }
  return fresh
}

/**
 * The words that a judgment marks are words of its prompt.
 *
 * @throws {FormatError}
 */
async function expectOwnWords(
  transaction: Transaction<FeedbackTables>,
  judgment: Judgment,
  brought: ReadonlyMap<string, string>,
): Promise<void> {
  if (judgment.kind === 'vote' || judgment.misread === undefined) return
  const textOf = async (image: string) => brought.get(image) ?? (await storedPrompt(transaction, image))
  for (const place of new Set(judgment.misread.map(({ image }) => image))) {
    const count = wordsOf(await textOf(judgment.images[place])).length
    const beyond = judgment.misread.find(({ image, word }) => image === place && word >= count)
    if (beyond === undefined) continue
    throw new FormatError({
      where: `judgment ${judgment.id} misread`,
      expected: `places of words of the prompt, which has ${count}, counted from 0`,
      received: String(beyond.word),
      remedy: 'correct the field, or leave it out',
    })
  }
}

async function storedPrompt(transaction: Transaction<FeedbackTables>, image: string): Promise<string> {
  const row = await transaction
    .selectFrom('images')
    .select(['id', 'record'])
    .where('id', '=', image)
    .executeTakeFirstOrThrow()
  return imageOf(row).text
}

/** What makes two submissions under one id the same; the time of a repetition may be another. */
export function contentOf({ at: _at, durationMs: _durationMs, ...judgment }: Judgment): string {
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
