/** What has been read of the database already: of a later reading only what is new is fetched. */
import type { ImageRecord } from '../../records.ts'
import { type Judgment } from '../../records.ts'
import type { FeedbackDatabase } from './database.ts'
import type { ImageFolders } from './image-folders.ts'
import { imageOf, judgmentOf } from './rows.ts'
import { StandingJudgments } from '../raters/standing.ts'

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
}

/** Reads what is new; calls that come while it is being read share the next reading, which sees all that they know of. */
export function knownRows(database: FeedbackDatabase, folders: ImageFolders): () => Promise<Known> {
  const known: Known = { rows: [], standing: new StandingJudgments(), images: [] }
  const images = new Map<string, StoredImage>()
  let sequence = 0
  let revision = -1
  let current: Promise<Known> | undefined
  let next: Promise<Known> | undefined

  async function read(): Promise<Known> {
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
