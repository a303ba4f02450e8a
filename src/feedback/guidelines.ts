/** What raters are told. Every version is kept: the time of a judgment says which one it was made under. */
import { z } from 'zod'
import type { FeedbackDatabase } from './store/database.ts'

const Reasons = z.array(z.object({ code: z.string(), label: z.string() }))

export interface Guidelines {
  /** From 1. */
  readonly version: number
  readonly text: string
  /** What a rater may pick; the code goes into the judgment. */
  readonly reasons: z.infer<typeof Reasons>
  /** What raters agree to; part of every export. */
  readonly consent: string
  /** Who wrote it. */
  readonly author: string | null
  readonly createdAt: string
}

/** Oldest first. */
export async function readGuidelines(database: FeedbackDatabase): Promise<Guidelines[]> {
  const rows = await database.selectFrom('guidelines').selectAll().orderBy('version').execute()
  return rows.map(guidelinesOf)
}

/** @returns undefined where none were ever written */
export async function latestGuidelines(database: FeedbackDatabase): Promise<Guidelines | undefined> {
  const newest = database.selectFrom('guidelines').selectAll().orderBy('version', 'desc').limit(1)
  const row = await newest.executeTakeFirst()
  return row && guidelinesOf(row)
}

/** @returns the version that they are now */
export async function addGuidelines(
  database: FeedbackDatabase,
  { text, reasons, consent, author, createdAt }: Omit<Guidelines, 'version'>,
): Promise<number> {
  const { version } = await database
    .insertInto('guidelines')
    .values({ text, reasons: JSON.stringify(reasons), consent, author, created_at: createdAt })
    .returning('version')
    .executeTakeFirstOrThrow()
  return version
}

interface Row {
  version: number
  text: string
  reasons: string
  consent: string
  author: string | null
  created_at: string
}

function guidelinesOf({ version, text, reasons, consent, author, created_at }: Row): Guidelines {
  return { version, text, reasons: Reasons.parse(JSON.parse(reasons)), consent, author, createdAt: created_at }
}
