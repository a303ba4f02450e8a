/** What has been read of the database already: of a later reading only what is new is fetched. */
import type { ImageRecord, Judgment } from '../../records.ts'
import type { FeedbackDatabase } from './database.ts'
import type { ImageFolders } from './image-folders.ts'
import { imageOf, judgmentOf } from './rows.ts'
import { StandingJudgments } from '../raters/standing.ts'
import { sharedReading } from './shared-reading.ts'

/** An image and the absolute folder that its `file` is relative to. */
export interface StoredImage {
  readonly record: ImageRecord
  readonly folder: string
  /** Nobody is asked about it, until it is taken back. */
  readonly archived?: true
}

interface Known {
  readonly rows: Judgment[]
  readonly standing: StandingJudgments
  images: readonly StoredImage[]
  /** Of the newest row: see `judgments.sequence`. */
  sequence: number
}

/** What this process has read of the store; there may be more. */
export interface Read {
  readonly images: ReadonlyMap<string, unknown>
  readonly standing: Pick<StandingJudgments, 'row'>
}

/** Of one query for judgments. */
const mostRows = 2000

/**
 * `known` reads what is new; calls at the same time share a reading. `read` is what was read, and grows with it.
 *
 * @param versions  how often each table has changed: images are read where that has
 */
export function knownRows(
  database: FeedbackDatabase,
  folders: ImageFolders,
  versions: () => Promise<ReadonlyMap<string, number>>,
): { readonly known: () => Promise<Known>; readonly read: Read } {
  const known: Known = { rows: [], standing: new StandingJudgments(), images: [], sequence: 0 }
  const images = new Map<string, StoredImage>()
  let revision = -1
  let version: number | undefined

  async function readImages(): Promise<void> {
    const now = (await versions()).get('images')
    if (now === version) return
    const changed = await database.selectFrom('images').selectAll().where('revision', '>', revision).execute()
    for (const row of changed) {
      const record = imageOf(row)
      const folder = folders.found(row.folder)
      images.set(row.id, row.archived_at === null ? { record, folder } : { record, folder, archived: true })
      revision = Math.max(revision, row.revision)
    }
    if (changed.length > 0) {
      known.images = [...images.values()].sort((a, b) => (a.record.id < b.record.id ? -1 : 1))
    }
    version = now
  }

  /** Piece by piece: rows are forgotten before there are many. */
  async function readJudgments(): Promise<void> {
    for (;;) {
      const rows = await database
        .selectFrom('judgments')
        .selectAll()
        .where('sequence', '>', known.sequence)
        .orderBy('sequence')
        .limit(mostRows)
        .execute()
      for (const row of rows) {
        const judgment = judgmentOf(row)
        known.rows.push(judgment)
        known.standing.add(judgment)
        known.sequence = row.sequence
      }
      if (rows.length < mostRows) return
    }
  }

  const reading = sharedReading(async () => {
    await Promise.all([readImages(), readJudgments()])
    return known
  })
  return { known: reading, read: { images, standing: known.standing } }
}
