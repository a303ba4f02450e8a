/** What admins did: who, when, what, and how it was before and after. Rows are only ever added, and the database refuses more. */
import type { FeedbackDatabase } from '../store/database.ts'

export interface AdminAct {
  /** Grows with every act. */
  readonly sequence: number
  /** ISO 8601, UTC. */
  readonly at: string
  readonly who: string
  /** Name of the key that a script used; null: in person. */
  readonly key: string | null
  readonly what: string
  /** `put /api/raters/Ada` */
  readonly address: string
  /** What was asked for, as JSON has it. */
  readonly asked: unknown
  /** How it was before and after; null where that is not told. */
  readonly before: unknown
  readonly after: unknown
  /** `done`, or the code of a refusal. */
  readonly outcome: string
}

/** Characters of each part of an act: a longer one is cut, and is then a text. */
const longest = 20_000

export async function addAdminAct(database: FeedbackDatabase, act: Omit<AdminAct, 'sequence'>): Promise<void> {
  const { at, who, key, what, address, asked, before, after, outcome } = act
  const row = { at, who, api_key: key, what, address: address.slice(0, 2000), outcome }
  await database
    .insertInto('admin_log')
    .values({ ...row, asked: written(asked), before: written(before), after: written(after) })
    .execute()
}

function written(part: unknown): string {
  const text = JSON.stringify(part ?? null)
  return text.length <= longest ? text : JSON.stringify(`${text.slice(0, longest)}…`)
}

/** The newest first. */
export async function readAdminActs(
  database: FeedbackDatabase,
  { below, count }: { readonly below?: number | undefined; readonly count: number },
): Promise<AdminAct[]> {
  const rows = database.selectFrom('admin_log').selectAll().orderBy('sequence', 'desc').limit(count)
  const found = await (below === undefined ? rows : rows.where('sequence', '<', below)).execute()
  return found.map(({ api_key, asked, before, after, ...row }) => ({
    ...row,
    key: api_key,
    asked: JSON.parse(asked) as unknown,
    before: JSON.parse(before) as unknown,
    after: JSON.parse(after) as unknown,
  }))
}
