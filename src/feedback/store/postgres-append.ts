/** Judgments into a PostgreSQL database by one statement, which is a transaction of its own. */
import { sql } from 'kysely'
import { UnreachableError } from '../../errors.ts'
import type { Append, JudgmentRow } from './append.ts'
import type { FeedbackDatabase } from './database.ts'
import { writeLock } from './postgres-dialect.ts'

/** Of class 23, integrity constraint violations: an id that is taken, a reference to nothing. */
const refusals: readonly unknown[] = ['23505', '23503']

export function postgresAppend(database: FeedbackDatabase): Append {
  return {
    async rows(rows) {
      const column = <K extends keyof JudgmentRow>(name: K) => rows.map((row) => row[name] ?? null)
      try {
        // As every transaction that writes, it waits for the others: rows are numbered in the order in which they become visible.
        await sql`
          with locked as materialized (select pg_advisory_xact_lock(${sql.lit(writeLock)}))
          insert into judgments (id, kind, images, answer, rater, rater_kind, at, duration_ms, undoes, details)
          select given.* from locked, unnest(
            ${column('id')}::text[], ${column('kind')}::text[], ${column('images')}::text[], ${column('answer')}::text[],
            ${column('rater')}::text[], ${column('rater_kind')}::text[], ${column('at')}::text[],
            ${column('duration_ms')}::double precision[], ${column('undoes')}::text[], ${column('details')}::text[]
          ) as given`.execute(database)
        return true
      } catch (error) {
        // Of one that was lost in the middle nobody knows; whoever looks finds what it has added.
        if (error instanceof UnreachableError || refusals.includes((error as { code?: unknown }).code)) return false
        throw error
      }
    },
    close: () => Promise.resolve(),
  }
}
