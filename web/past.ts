/**
 * The way back: the last answers of each person, with what was on the screen. It lies in the browser beside the answers that
 * are on their way, so that it outlives a reload, other pages and a server that is away.
 */
import { pastPrefix } from './outbox.ts'
import { browserStore, readStored, writeStored, type TextStore } from './stored.ts'

/** An answer that can be taken back. */
export interface Given {
  /** Where it was asked: a way of asking, or the form and the question of a vote. */
  readonly place: string
  /** What was asked, and the state of its page before this answer. */
  readonly task: unknown
  readonly state: unknown
  /** What was sent; it has an id of its own. */
  readonly answer: { readonly id: string; readonly at: string }
  /** Things done by it. */
  readonly counts: number
  /** Answers that were given at once have the same. */
  readonly group: string
  /** Given so long ago, or so far away, that only the server knew of it. */
  readonly isOld?: boolean
}

const most = 60
/** Prompts may be long, and answers on their way need the room more. */
const mostCharacters = 200_000

export class Past {
  readonly #store: TextStore | null
  readonly #key: string
  readonly #listeners = new Set<() => void>()
  #list: readonly Given[] | undefined

  /** @param name of whose answers these are, and to what */
  constructor(name: string, store: TextStore | null) {
    this.#store = store
    this.#key = `${pastPrefix}${name}`
  }

  /** Oldest first. */
  all(): readonly Given[] {
    this.#list ??= this.#read()
    return this.#list
  }

  last(): Given | undefined {
    return this.all().at(-1)
  }

  add(...given: readonly Given[]): void {
    this.#keep([...this.#fresh(), ...given])
  }

  /** The last is taken off. */
  take(): Given | undefined {
    const list = this.#fresh()
    this.#keep(list.slice(0, -1))
    return list.at(-1)
  }

  /** Something else was sent in its place. */
  amend(id: string, answer: Given['answer']): void {
    this.#keep(this.#fresh().map((one) => (one.answer.id === id ? { ...one, answer } : one)))
  }

  /** @param made from what is there, and oldest first as well */
  replace(made: (list: readonly Given[]) => readonly Given[]): void {
    this.#keep(made(this.#list ?? this.#read()))
  }

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  /** As another page may have left it. */
  #fresh(): readonly Given[] {
    return readStored(this.#key, this.#store) === null ? (this.#list ?? []) : this.#read()
  }

  #read(): readonly Given[] {
    try {
      const list: unknown = JSON.parse(readStored(this.#key, this.#store) ?? '[]')
      return Array.isArray(list) ? (list as Given[]) : []
    } catch {
      return []
    }
  }

  #keep(list: readonly Given[]): void {
    this.#list = list.slice(-most)
    let texts = this.#list.map((one) => JSON.stringify(one))
    while (texts.reduce((sum, text) => sum + text.length, 0) > mostCharacters) texts = texts.slice(1)
    writeStored(this.#key, `[${texts.join(',')}]`, this.#store)
    for (const listener of this.#listeners) listener()
  }
}

const pasts = new Map<string, Past>()

/** One of each name, for all pages. */
export function pastOf(name: string): Past {
  const known = pasts.get(name)
  if (known !== undefined) return known
  const past = new Past(name, browserStore())
  pasts.set(name, past)
  return past
}
