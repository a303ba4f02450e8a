/** Judgments as rows of the database: what all kinds have in columns, the rest as JSON. */
import type { Insertable, Selectable, Transaction } from 'kysely'
import type { Judgment } from '../../records.ts'
import { chunks } from './chunks.ts'
import type { FeedbackDatabase } from './database.ts'
import type { FeedbackTables } from './tables.ts'

export function rowOf(judgment: Judgment): Insertable<FeedbackTables['judgments']> {
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

/** A row was checked when it was written and has not been changed since, which the database sees to. */
export function judgmentOf(row: Selectable<FeedbackTables['judgments']>): Judgment {
  return {
    id: row.id,
    kind: row.kind,
    images: JSON.parse(row.images) as string[],
    answer: row.answer,
    rater: row.rater,
    raterKind: row.rater_kind,
    at: row.at,
    ...(row.duration_ms !== null && { durationMs: row.duration_ms }),
    ...(row.undoes !== null && { undoes: row.undoes }),
    ...(row.details !== '{}' && (JSON.parse(row.details) as object)),
  } as Judgment
}

/** Those of the ids that a table has. */
export async function knownIds(
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

/** Who has given the judgments of these ids; those that are not there are left out. */
export async function ratersOfJudgments(
  database: FeedbackDatabase,
  ids: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  const raters = new Map<string, string>()
  for (const chunk of chunks([...new Set(ids)])) {
    const rows = await database.selectFrom('judgments').select(['id', 'rater']).where('id', 'in', chunk).execute()
    for (const { id, rater } of rows) raters.set(id, rater)
  }
  return raters
}
