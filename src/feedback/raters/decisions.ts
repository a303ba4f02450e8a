/** What admins have decided about single judgments: left out of training, or kept whatever speaks against them. */
import { z } from 'zod'
import { chunks } from '../store/chunks.ts'
import type { FeedbackDatabase } from '../store/database.ts'

const Decision = z.enum(['left-out', 'kept'])
export type Decision = z.infer<typeof Decision>

interface Decided {
  readonly decision: Decision
  readonly by: string
  /** ISO 8601, UTC. */
  readonly at: string
}

/** By the ids of the judgments, the last decision first. */
export type Decisions = ReadonlyMap<string, Decided>

export async function readDecisions(database: FeedbackDatabase): Promise<Decisions> {
  const rows = await database
    .selectFrom('decisions')
    .selectAll()
    .orderBy('decided_at', 'desc')
    .orderBy('judgment')
    .execute()
  return new Map(
    rows.map(({ judgment, decision, decided_by, decided_at }) => [
      judgment,
      { decision: Decision.parse(decision), by: decided_by, at: decided_at },
    ]),
  )
}

/** @param decision null: none any more */
export async function decide(
  database: FeedbackDatabase,
  judgments: readonly string[],
  { decision, by, at }: { readonly decision: Decision | null; readonly by: string; readonly at: string },
): Promise<void> {
  await database.transaction().execute(async (transaction) => {
    for (const chunk of chunks([...new Set(judgments)])) {
      await transaction.deleteFrom('decisions').where('judgment', 'in', chunk).execute()
      if (decision === null) continue
      const rows = chunk.map((judgment) => ({ judgment, decision, decided_by: by, decided_at: at }))
      await transaction.insertInto('decisions').values(rows).execute()
    }
  })
}

/** Ids of the judgments that are left out of training. */
export async function readLeftOut(database: FeedbackDatabase): Promise<ReadonlySet<string>> {
  const rows = await database.selectFrom('decisions').select('judgment').where('decision', '=', 'left-out').execute()
  return new Set(rows.map(({ judgment }) => judgment))
}
