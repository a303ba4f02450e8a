/** What is read of small tables is kept as long as no process changes them: triggers count their changes, see migrations.ts. */
import type { FeedbackDatabase } from './database.ts'
import { sharedReading } from './shared-reading.ts'
import type { FeedbackTables } from './tables.ts'

/** Tables whose changes are counted: by a trigger each. */
type CountedTable = Exclude<
  keyof FeedbackTables,
  'migrations' | 'judgments' | 'versions' | 'reservations' | 'comments' | 'passwords' | 'api_keys' | 'admin_log'
>

/** How often each table has changed; calls at the same time share a query. */
export function tableVersions(database: FeedbackDatabase): () => Promise<ReadonlyMap<string, number>> {
  return sharedReading(async () => {
    const rows = await database.selectFrom('versions').select(['name', 'value']).execute()
    return new Map(rows.map(({ name, value }) => [name, value]))
  })
}

export type KeptReading = <T>(
  read: (database: FeedbackDatabase) => T | Promise<T>,
  ...tables: readonly CountedTable[]
) => Promise<T>

/** What `FeedbackStore.kept` is. */
export function keptReading(
  database: FeedbackDatabase,
  versions: () => Promise<ReadonlyMap<string, number>>,
): KeptReading {
  const kept = new Map<unknown, { readonly of: string; readonly made: Promise<unknown> }>()
  return async <T>(read: (database: FeedbackDatabase) => T | Promise<T>, ...tables: readonly CountedTable[]) => {
    const now = await versions()
    const of = tables.map((table) => now.get(table) ?? 0).join()
    const known = kept.get(read)
    if (known?.of === of) return (await known.made) as T
    const made = Promise.resolve(read(database))
    kept.set(read, { of, made })
    made.catch(() => kept.delete(read))
    return await made
  }
}
