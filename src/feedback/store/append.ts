/** The short way of judgments into the database, for those against which nothing is known. */
import type { Insertable } from 'kysely'
import type { FeedbackTables } from './tables.ts'

export type JudgmentRow = Insertable<FeedbackTables['judgments']>

export interface Append {
  /**
   * Adds rows, all or none, without a look at what is there. When the promise is fulfilled with true, they are on the disk.
   *
   * @returns false where the id of one is taken, what it undoes is not there, or the connection was lost: then one has to look
   */
  rows(rows: readonly JudgmentRow[]): Promise<boolean>
  close(): Promise<void>
}
