/**
 * What is on its way to a rater: nobody else is asked about it for a while, so that raters at the same time judge different
 * images, whichever process of the studio asks them. Reservations are rows of the database: of two processes that hand out
 * one image at once, one has to choose another. With SQLite, which one process serves, they go with that process.
 */
import { sql } from 'kysely'
import { getOrAdd } from '../../get-or-add.ts'
import type { FeedbackStore } from '../store/store.ts'
import { sharedReading } from '../store/shared-reading.ts'
import type { TaskMode } from './queue.ts'

/** A page asks anew long before, and with that keeps what it holds. */
const keptMs = 5 * 60_000
/** Of one rater: more than a page holds, and too few to keep the others from working. */
const mostEach = 300
/** Rows that mean nothing any more are removed so often. */
const cleanEveryMs = 60_000
/** Between items: none holds a line break. */
const separator = '\n'

/** What is judged in one way of asking may be judged in another. `third`: questions that a rater is to settle. */
type Kind = TaskMode | 'third'
/** Items of a kind by who holds them, the first that were handed out before the others. */
export type Held = ReadonlyMap<string, ReadonlyMap<string, readonly string[]>>

/** What a rater is given. */
interface Handing {
  readonly kind: Kind
  readonly rater: string
  readonly fresh: readonly string[]
  /** Of those that were handed out before, the ones that the rater holds. */
  readonly held: ReadonlySet<string>
  /** What it was chosen by: the newest judgment (see `FeedbackStore.newest`), and {@link Reservations.all}. */
  readonly newest: number
  readonly all: Held
}

export class Reservations {
  readonly #database: FeedbackStore['database']
  readonly #now: () => number
  /** What this process is just handing out: other requests leave it alone before it is in the database. */
  readonly #handing = new Set<Handing>()
  #cleanedAt = 0

  /** What is on its way. */
  readonly all: () => Promise<Held>

  constructor({ database }: Pick<FeedbackStore, 'database'>, now: () => number = Date.now) {
    this.#database = database
    this.#now = now
    this.all = sharedReading(async () => {
      const rows = await database
        .selectFrom('reservations')
        .select(['mode', 'rater', sql<string>`string_agg(item, ${sql.lit(separator)} order by until)`.as('items')])
        .where('until', '>', now())
        .where('released', 'is', null)
        .groupBy(['mode', 'rater'])
        .execute()
      const held = new Map<string, Map<string, readonly string[]>>()
      for (const { mode, rater, items } of rows) {
        getOrAdd(held, mode, () => new Map<string, readonly string[]>()).set(rater, items.split(separator))
      }
      return held
    })
  }

  /** Items that are on their way to others. */
  ofOthers(kind: Kind, rater: string, all: Held): ReadonlySet<string> {
    const others = new Set<string>()
    for (const [name, items] of all.get(kind) ?? []) if (name !== rater) for (const item of items) others.add(item)
    for (const one of this.#handing) {
      if (one.kind === kind && one.rater !== rater) for (const item of one.fresh) others.add(item)
    }
    return others
  }

  /**
   * Hands items to a rater; of what the rater had, what is not held any more is for the others.
   *
   * @returns those that somebody else holds, or has answered about, of which this process had not heard: choose anew
   */
  async hand(handing: Handing): Promise<readonly string[]> {
    const { kind, rater, fresh, held, newest, all } = handing
    const mine = all.get(kind)?.get(rater) ?? []
    const handed = [...new Set([...mine.filter((item) => held.has(item)), ...fresh])].slice(-mostEach)
    const left = mine.filter((item) => !handed.includes(item))
    this.#handing.add(handing)
    try {
      if (left.length > 0) await this.#forget(kind, rater, left)
      const got = handed.length === 0 ? new Set() : await this.#insert(kind, rater, handed, newest)
      return handed.filter((item) => !got.has(item))
    } finally {
      this.#handing.delete(handing)
    }
  }

  /** An answer was given: a skipped image is for the others, once they know of it. */
  async release(rater: string, answered: readonly string[]): Promise<void> {
    await this.#clean()
    await again(() =>
      this.#database
        .updateTable('reservations')
        .set((row) => ({
          released: row
            .selectFrom('judgments')
            .select((judgment) => judgment.fn.coalesce(judgment.fn.max('sequence'), sql.lit(0)).as('newest')),
        }))
        .where('rater', '=', rater)
        .where('item', 'in', [...answered])
        .execute(),
    )
  }

  /** @returns those that were to be had */
  async #insert(mode: Kind, rater: string, items: readonly string[], newest: number): Promise<ReadonlySet<string>> {
    const until = this.#now() + keptMs
    // In one order, so that no two processes wait for each other.
    const rows = items.toSorted().map((item) => ({ mode, item, rater, until, released: null }))
    const given = await again(() =>
      this.#database
        .insertInto('reservations')
        .values(rows)
        .onConflict((conflict) =>
          conflict
            .columns(['item', 'mode'])
            .doUpdateSet({ rater, until, released: null })
            .where((row) =>
              row.or([
                row('reservations.rater', '=', rater),
                row('reservations.until', '<=', this.#now()),
                row('reservations.released', '<=', newest),
              ]),
            ),
        )
        .returning('item')
        .execute(),
    )
    return new Set(given.map(({ item }) => item))
  }

  #forget(mode: Kind, rater: string, items: readonly string[]) {
    return again(() =>
      this.#database
        .deleteFrom('reservations')
        .where('mode', '=', mode)
        .where('rater', '=', rater)
        .where('item', 'in', [...items])
        .execute(),
    )
  }

  async #clean(): Promise<void> {
    const now = this.#now()
    if (now - this.#cleanedAt < cleanEveryMs) return
    this.#cleanedAt = now
    await again(() =>
      this.#database
        .deleteFrom('reservations')
        .where('until', '<=', now - cleanEveryMs)
        .execute(),
    )
  }
}

/** PostgreSQL ends one of two statements that wait for each other's rows; nothing of it has happened then. */
async function again<T>(statement: () => Promise<T>): Promise<T> {
  try {
    return await statement()
  } catch (error) {
    if ((error as { code?: unknown }).code !== '40P01') throw error
    return await statement()
  }
}
