/** Judgments as rows of the database: what all kinds have in columns, the rest as JSON; and images as they were stored. */
import type { Insertable, Selectable, Transaction } from 'kysely'
import type { z } from 'zod'
import { FormatError, shownText } from '../../errors.ts'
import { ImageRecord, Judgment } from '../../records.ts'
import { complaintOf } from '../issue-complaint.ts'
import { chunks } from './chunks.ts'
import type { FeedbackDatabase } from './database.ts'
import { isPlainJudgment } from './plain-judgment.ts'
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

/** Fields come in the order in which the schema has them. @throws {FormatError} the row is none */
export function judgmentOf(row: Selectable<FeedbackTables['judgments']>): Judgment {
  const judgment: Record<string, unknown> = { id: row.id, rater: row.rater, raterKind: row.rater_kind, at: row.at }
  if (row.duration_ms !== null) judgment.durationMs = row.duration_ms
  if (row.undoes !== null) judgment.undoes = row.undoes
  const { reasons, shown, ...own } = (row.details === '{}' ? {} : Object(parsed(row.details))) as typeof judgment
  if (reasons !== undefined) judgment.reasons = reasons
  if (shown !== undefined) judgment.shown = shown
  judgment.kind = row.kind
  judgment.images = parsed(row.images)
  judgment.answer = row.answer
  Object.assign(judgment, own)
  return isPlainJudgment(judgment)
    ? judgment
    : checked(Judgment, () => `judgment ${shownText(String(row.id), 60)}`, judgment)
}

/** @throws {FormatError} the row is none */
export const imageOf = ({ id, record }: Pick<Selectable<FeedbackTables['images']>, 'id' | 'record'>): ImageRecord =>
  checked(ImageRecord, () => `image ${shownText(String(id), 60)}`, parsed(record))

/** A database may come from elsewhere, and any program can write to it. */
function checked<T>(schema: z.ZodType<T>, what: () => string, value: unknown): T {
  const { data, error } = schema.safeParse(value)
  if (error === undefined) return data
  const [issue] = error.issues
  throw new FormatError({
    where: ['feedback database,', what(), ...issue.path].join(' '),
    ...complaintOf(issue, value),
    remedy: 'another program has written it: go back to a copy from before',
  })
}

/** Undefined of what is no JSON. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** A zero byte is in no row: PostgreSQL cannot even be asked about it. */
export const isStorable = (text: string): boolean => !text.includes('\0')

/** Those of the ids that a table has. */
export async function knownIds(
  transaction: Transaction<FeedbackTables>,
  table: 'images' | 'judgments',
  ids: readonly string[],
): Promise<Set<string>> {
  const known = new Set<string>()
  for (const chunk of chunks([...new Set(ids)].filter(isStorable))) {
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
