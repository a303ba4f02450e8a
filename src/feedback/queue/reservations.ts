/**
 * What is on its way to a rater: nobody else is asked about it for a while, so that raters at the same time judge different
 * images, whichever process of the studio asks them.
 */
import { PostgresAdapter, sql } from 'kysely'
import { getOrAdd } from '../../get-or-add.ts'
import { grouped } from '../../grouped.ts'
import type { FeedbackStore } from '../store/store.ts'
import { sharedReading } from '../store/shared-reading.ts'
import type { TaskMode } from './queue.ts'

/** A page asks anew long before, and with that keeps what it holds. */
const keptMs = 5 * 60_000
/** Of one rater: more than a page holds, and too few to keep the others from working. */
const mostEach = 300
/** Longer than a request takes. */
const ownMs = 3000
/** Rows that mean nothing any more are removed so often. */
const cleanEveryMs = 60_000
/** Between items: none holds a line break. */
const separator = '\n'

/** What is judged in one way of asking may be judged in another. `third`: questions of it that a rater is to settle. */
type Kind = TaskMode | `third ${TaskMode}`
/** Items of a kind by who holds them, the first that were handed out before the others. */
type Held = ReadonlyMap<string, ReadonlyMap<string, readonly string[]>>

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

export interface Reservations {
  /** What is on its way, as far as it is not known without asking. */
  all(): Promise<Held>
  /** Items that are on their way to others. */
  ofOthers(kind: Kind, rater: string, all: Held): ReadonlySet<string>
  /**
   * Hands items to a rater; of what the rater had, what is not held any more is for the others.
   *
   * @returns those that somebody else holds, or has answered about, of which this process had not heard: choose anew
   */
  hand(handing: Handing): Promise<readonly string[]>
  /** An answer was given: a skipped image is for the others, once they know of it. */
  release(rater: string, answered: readonly string[]): Promise<void>
}

/** With SQLite one process serves a store, and reservations go with it; with PostgreSQL they are in the database. */
export function reservationsOf(
  { database }: Pick<FeedbackStore, 'database'>,
  now: () => number = Date.now,
): Reservations {
  const isServer = database.getExecutor().adapter instanceof PostgresAdapter
  return isServer ? new SharedReservations(database, now) : new OwnReservations(now)
}

/** What a rater keeps of what was handed out before, and gets: too much is cut, the oldest first. */
const handedOf = (mine: Iterable<string>, { held, fresh }: Handing): string[] =>
  [...new Set([...[...mine].filter((item) => held.has(item)), ...fresh])].slice(-mostEach)

/** Of one process. */
class OwnReservations implements Reservations {
  /** Until when, by kind, rater and item; the oldest first. */
  readonly #kept = new Map<Kind, Map<string, Map<string, number>>>()
  readonly #now: () => number

  constructor(now: () => number) {
    this.#now = now
  }

  all(): Promise<Held> {
    return Promise.resolve(new Map())
  }

  ofOthers(kind: Kind, rater: string): ReadonlySet<string> {
    const now = this.#now()
    const others = new Set<string>()
    for (const [name, items] of this.#kept.get(kind) ?? []) {
      for (const [item, until] of items) {
        if (until <= now) items.delete(item)
        else if (name !== rater) others.add(item)
      }
    }
    return others
  }

  hand(handing: Handing): Promise<readonly string[]> {
    const raters = getOrAdd(this.#kept, handing.kind, () => new Map<string, Map<string, number>>())
    const until = this.#now() + keptMs
    const handed = handedOf(raters.get(handing.rater)?.keys() ?? [], handing)
    if (handed.length === 0) raters.delete(handing.rater)
    else raters.set(handing.rater, new Map(handed.map((item) => [item, until])))
    return Promise.resolve([])
  }

  release(rater: string, answered: readonly string[]): Promise<void> {
    for (const raters of this.#kept.values()) for (const item of answered) raters.get(rater)?.delete(item)
    return Promise.resolve()
  }
}

/** Items that a rater is to get, chosen by what was known of the newest judgment. */
interface Wish extends Pick<Handing, 'rater' | 'newest'> {
  readonly mode: Kind
  readonly items: readonly string[]
}

/**
 * Of several processes, as rows of the database: of two that hand out one item at once, one has to choose another. What
 * this one has just handed out it knows by itself, since what it has read may be older.
 */
class SharedReservations implements Reservations {
  readonly #database: FeedbackStore['database']
  readonly #now: () => number
  /** Nothing waits for the disk: a server whose machine fails may ask something twice, which is no harm. */
  readonly #unwaited = sql`set_config('synchronous_commit', 'off', true)`.as('unwaited')
  /** What this process hands out, or has in the last seconds. */
  readonly #own = new Set<{ readonly handing: Handing; readonly forgottenAt: number }>()
  #cleanedAt = 0

  readonly all: () => Promise<Held>

  constructor(database: FeedbackStore['database'], now: () => number) {
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

  ofOthers(kind: Kind, rater: string, all: Held): ReadonlySet<string> {
    const now = this.#now()
    const others = new Set<string>()
    for (const [name, items] of all.get(kind) ?? []) if (name !== rater) for (const item of items) others.add(item)
    for (const own of this.#own) {
      if (own.forgottenAt <= now) this.#own.delete(own)
      else if (own.handing.kind === kind && own.handing.rater !== rater) for (const item of own.handing.fresh) others.add(item) // prettier-ignore
    }
    return others
  }

  async hand(handing: Handing): Promise<readonly string[]> {
    const { kind, rater, newest, all } = handing
    const mine = all.get(kind)?.get(rater) ?? []
    const handed = handedOf(mine, handing)
    const left = mine.filter((item) => !handed.includes(item))
    if (handing.fresh.length > 0) this.#own.add({ handing, forgottenAt: this.#now() + ownMs })
    if (left.length > 0) await this.#forget(kind, rater, left)
    const got = handed.length === 0 ? new Set() : await this.#insert({ mode: kind, rater, items: handed, newest })
    return handed.filter((item) => !got.has(item))
  }

  async release(rater: string, answered: readonly string[]): Promise<void> {
    for (const own of this.#own) if (own.handing.rater === rater) this.#own.delete(own)
    await this.#clean()
    await this.#released({ rater, items: answered })
  }

  readonly #released = grouped(
    async (answers: readonly { readonly rater: string; readonly items: readonly string[] }[]) => {
      const rows = answers.flatMap(({ rater, items }) => items.map((item) => ({ rater, item })))
      await again(() =>
        sql`
        update reservations set released = (select coalesce(max(sequence), 0) from judgments)
        from unnest(${rows.map(({ rater }) => rater)}::text[], ${rows.map(({ item }) => item)}::text[]) as answered(rater, item)
        where reservations.rater = answered.rater and reservations.item = answered.item
        returning ${this.#unwaited}`.execute(this.#database),
      )
      return answers
    },
  )

  /** @returns those that were to be had */
  readonly #insert = grouped(async (wishes: readonly Wish[]): Promise<ReadonlySet<string>[]> => {
    const now = this.#now()
    const until = now + keptMs
    // Of two wishes for one item the first counts. In one order, so that no two processes wait for each other.
    const byKey = new Map(wishes.toReversed().flatMap((wish) => wish.items.map((item) => [`${wish.mode} ${item}`, { item, ...wish }]))) // prettier-ignore
    const rows = [...byKey.keys()].sort().map((key) => byKey.get(key)!)
    const newest = Math.min(...wishes.map((wish) => wish.newest))
    const given = await again(() =>
      sql<{ mode: string; item: string; rater: string }>`
        insert into reservations (mode, item, rater, until, released)
        select wish.*, ${until}::double precision, null::integer from unnest(
          ${rows.map(({ mode }) => mode)}::text[], ${rows.map(({ item }) => item)}::text[], ${rows.map(({ rater }) => rater)}::text[]
        ) as wish
        on conflict (item, mode) do update set rater = excluded.rater, until = excluded.until, released = null
        where reservations.rater = excluded.rater or reservations.until <= ${now} or reservations.released <= ${newest}
        returning mode, item, rater, ${this.#unwaited}`.execute(this.#database),
    )
    return wishes.map(
      ({ mode, rater }) =>
        new Set(given.rows.filter((row) => row.mode === mode && row.rater === rater).map(({ item }) => item)),
    )
  })

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
