/** What raters are told. Every version is kept: the time of a judgment says which one it was made under. */
import { z } from 'zod'
import type { Selectable } from 'kysely'
import type { FeedbackDatabase } from './store/database.ts'
import type { FeedbackTables } from './store/tables.ts'

const Reasons = z.array(z.object({ code: z.string(), label: z.string() }))
const Examples = z.array(z.object({ image: z.string(), answer: z.enum(['good', 'bad']), note: z.string() }))

export interface Guidelines {
  /** From 1. */
  readonly version: number
  readonly text: string
  /** What a rater may pick; the code goes into the judgment. */
  readonly reasons: z.infer<typeof Reasons>
  /** What raters agree to; part of every export. */
  readonly consent: string
  /** Ids of images, what they are, and why. They may have been deleted since. */
  readonly examples: z.infer<typeof Examples>
  /** Who wrote it. */
  readonly author: string | null
  readonly createdAt: string
}

type NewGuidelines = Omit<Guidelines, 'version' | 'examples'> & Partial<Pick<Guidelines, 'examples'>>

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

/** Ids of all images that raters were shown as examples in one version or another. */
export const readExamples = async (database: FeedbackDatabase): Promise<ReadonlySet<string>> =>
  new Set((await readGuidelines(database)).flatMap(({ examples }) => examples.map(({ image }) => image)))

/** @returns the version that they are now */
export async function addGuidelines(
  database: FeedbackDatabase,
  { text, reasons, consent, examples = [], author, createdAt }: NewGuidelines,
): Promise<number> {
  const { version } = await database
    .insertInto('guidelines')
    .values({
      text,
      reasons: JSON.stringify(reasons),
      consent,
      examples: JSON.stringify(examples),
      author,
      created_at: createdAt,
    })
    .returning('version')
    .executeTakeFirstOrThrow()
  return version
}

function guidelinesOf({ reasons, examples, created_at, ...row }: Selectable<FeedbackTables['guidelines']>): Guidelines {
  return {
    ...row,
    reasons: Reasons.parse(JSON.parse(reasons)),
    examples: Examples.parse(JSON.parse(examples)),
    createdAt: created_at,
  }
}
