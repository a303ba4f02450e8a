/** How images get into the database: each once, with the place where it lay last. */
import type { Transaction } from 'kysely'
import type { ImageRecord } from '../../records.ts'
import { chunks } from './chunks.ts'
import type { FeedbackDatabase } from './database.ts'
import type { ImageFolders } from './image-folders.ts'
import { knownIds } from './rows.ts'
import type { FeedbackTables } from './tables.ts'

/** Images and the folder that their files are relative to. */
export interface ImagesOfFolder {
  readonly records: readonly ImageRecord[]
  readonly folder: string
}

/** @returns how many were new; of the others the place and the record are brought up to date */
export async function writeImages(
  transaction: Transaction<FeedbackTables>,
  lists: readonly ImagesOfFolder[],
  folders: ImageFolders,
): Promise<number> {
  const ids = lists.flatMap(({ records }) => records.map(({ id }) => id))
  if (ids.length === 0) return 0
  const before = await knownIds(transaction, 'images', ids)
  const revision = await nextRevision(transaction)
  const rows = new Map(
    lists.flatMap(({ records, folder }) =>
      records.map((record) => [
        record.id,
        {
          id: record.id,
          folder: folders.stored(folder),
          record: JSON.stringify(record),
          revision,
        },
      ]),
    ),
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
}

/**
 * Archives images, or takes them back: nobody is asked about what is archived, and nothing of it goes. Those that are unknown,
 * or are as wanted already, stay as they are.
 *
 * @returns how many changed
 */
export async function archiveImages(
  database: FeedbackDatabase,
  ids: readonly string[],
  isArchived: boolean,
): Promise<number> {
  // prettier-ignore
  return await database.transaction().execute(async (transaction) => {
    const change = { archived_at: isArchived ? new Date().toISOString() : null, revision: await nextRevision(transaction) } // prettier-ignore
    let changed = 0
    for (const chunk of chunks([...new Set(ids)])) {
      const { numUpdatedRows } = await transaction
        .updateTable('images')
        .set(change)
        .where('id', 'in', chunk)
        .where('archived_at', isArchived ? 'is' : 'is not', null)
        .executeTakeFirstOrThrow()
      changed += Number(numUpdatedRows)
    }
    return changed
  })
}

/** In place of the folder of images whose files were deleted: no folder has this name. */
const goneFolder = '(deleted)'

/** Notes of images that their files were deleted; where such an image is added once more, it is there again. */
export async function noteGone(database: FeedbackDatabase, ids: readonly string[]): Promise<void> {
  await database.transaction().execute(async (transaction) => {
    const change = { folder: goneFolder, revision: await nextRevision(transaction) }
    for (const chunk of chunks([...new Set(ids)])) {
      await transaction.updateTable('images').set(change).where('id', 'in', chunk).execute()
    }
  })
}

export async function imagesThatAreGone(database: FeedbackDatabase): Promise<ReadonlySet<string>> {
  const rows = await database.selectFrom('images').select('id').where('folder', '=', goneFolder).execute()
  return new Set(rows.map(({ id }) => id))
}

async function nextRevision(transaction: Transaction<FeedbackTables>): Promise<number> {
  const { revision } = await transaction
    .selectFrom('images')
    .select((row) => row.fn.max('revision').as('revision'))
    .executeTakeFirstOrThrow()
  return (revision ?? 0) + 1
}
