/** Who may judge. Judgments name their rater; a rater without a row here is one that was imported. */
import type { Selectable, Transaction } from 'kysely'
import { z } from 'zod'
import { naturalOrder } from '../../natural-order.ts'
import type { FeedbackDatabase } from '../store/database.ts'
import type { FeedbackTables } from '../store/tables.ts'

export const Role = z.enum(['admin', 'rater'])
export type Role = z.infer<typeof Role>

export interface Rater {
  /** As judgments name the rater. */
  readonly name: string
  readonly displayName: string
  readonly role: Role
  /** Nothing this rater says trains; the judgments stay. */
  readonly excluded: boolean
  readonly createdAt: string
}

/** In order of their names. */
export async function readRaters(database: FeedbackDatabase): Promise<Rater[]> {
  const rows = await database.selectFrom('raters').selectAll().execute()
  return rows.map(raterOf).sort((a, b) => naturalOrder(a.name, b.name))
}

/** @returns undefined where there is none of this name */
export async function findRater(database: FeedbackDatabase, name: string): Promise<Rater | undefined> {
  const row = await database.selectFrom('raters').selectAll().where('name', '=', name).executeTakeFirst()
  return row && raterOf(row)
}

const raterOf = (row: Selectable<FeedbackTables['raters']>): Rater => ({
  name: row.name,
  displayName: row.display_name,
  role: Role.parse(row.role),
  excluded: row.excluded === 1,
  createdAt: row.created_at,
})

/** Adds a rater, or changes what is given of one who is there: by default the name is shown, and the role is `rater`. */
export async function saveRater(
  database: FeedbackDatabase,
  rater: Pick<Rater, 'name'> & Partial<Pick<Rater, 'displayName' | 'role' | 'excluded'>>,
): Promise<void> {
  const { name, displayName, role, excluded } = rater
  const change = {
    ...(displayName !== undefined && { display_name: displayName }),
    ...(role !== undefined && { role }),
    ...(excluded !== undefined && { excluded: excluded ? 1 : 0 }),
  }
  const created_at = new Date().toISOString()
  await database
    .insertInto('raters')
    .values({ name, display_name: name, role: 'rater', excluded: 0, created_at, ...change })
    .onConflict((conflict) => conflict.column('name').doUpdateSet({ name, ...change }))
    .execute()
}

/** The names of those who can come in as admins: who was withdrawn has no accepted invitation any more. */
export async function readAdmins(database: FeedbackDatabase): Promise<string[]> {
  const rows = await database
    .selectFrom('raters')
    .select('name')
    .where('role', '=', 'admin')
    .where('name', 'in', (rows) => rows.selectFrom('invitations').select('name').where('accepted_at', 'is not', null))
    .orderBy('name')
    .execute()
  return rows.map(({ name }) => name)
}

/**
 * Changes the role of a rater, in every session and in links that were not used yet.
 *
 * @returns false, and nothing is changed, where no admin would be left
 */
export async function changeRole(database: FeedbackDatabase, name: string, role: Role): Promise<boolean> {
  return await database.transaction().execute((transaction) => changeRoleIn(transaction, name, role))
}

/** {@link changeRole} in a transaction: they wait for each other, so of two admins at once one stays. */
export async function changeRoleIn(
  transaction: Transaction<FeedbackTables>,
  name: string,
  role: Role,
): Promise<boolean> {
  const admins = await readAdmins(transaction)
  if (role !== 'admin' && admins.length === 1 && admins[0] === name) return false
  await transaction.updateTable('raters').set({ role }).where('name', '=', name).execute()
  await transaction.updateTable('invitations').set({ role }).where('name', '=', name).execute()
  return true
}

/** Leaves out of training what a rater says, or takes it in again; nothing is deleted. */
export async function excludeRater(database: FeedbackDatabase, name: string, excluded: boolean): Promise<void> {
  await saveRater(database, { name, excluded })
}
