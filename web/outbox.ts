/**
 * Answers on their way to the server. Each is kept in the browser until the server has said that it is on its disk, and is
 * sent again, with the same id, after any failure: going offline, a reload or a killed server lose none, and count none
 * twice. An answer goes out under the name of who gave it, and waits while somebody else is signed in.
 */
import { useSyncExternalStore } from 'react'
import { StudioError } from '../src/errors.ts'
import type { StudioClient } from '../src/studio/client.ts'
import type { NewVotes } from '../src/studio/schemas/comparing.ts'
import type { NewJudgment } from '../src/studio/schemas/labelling.ts'
import { clientOf, raterName } from './api.ts'
import { browserStore, readStored, storedKeys, writeStored, type TextStore } from './stored.ts'

export type NewVote = NewVotes['votes'][number]
type Letter =
  | { readonly order: number; readonly rater: string | null; readonly judgment: NewJudgment }
  | { readonly order: number; readonly rater: string | null; readonly vote: NewVote }

interface OutboxState {
  /** Answers that the server has not acknowledged. */
  readonly waiting: number
  /** Of those, the ones of somebody who is not signed in here now. */
  readonly ofOthers: number
  /** Being sent, kept until the server answers again, or everything is on its disk. */
  readonly status: 'saved' | 'saving' | 'offline' | 'signed-out'
  /** An answer that the server will never take; it is kept out of the way. */
  readonly refused: unknown
}

interface OutboxParts {
  /** Null: answers are kept while the page is open, and no longer. */
  readonly store: TextStore | null
  /** The server, as one rater sees it. */
  readonly clientOf: (rater: string | null) => Pick<StudioClient, 'judge' | 'vote'>
  readonly firstRetryMs?: number
}

/** Where the names of answers begin in the store. */
export const letterPrefix = 'attune.answer.'
/** What a full store gives up first: the way back is worth less than an answer. */
export const pastPrefix = 'attune.past.'
const most = 100
const lastRetryMs = 5000

export class Outbox {
  readonly #store: TextStore | null
  readonly #clientOf: OutboxParts['clientOf']
  readonly #firstRetryMs: number
  readonly #letters = new Map<string, Letter>()
  readonly #listeners = new Set<() => void>()
  #state: OutboxState = { waiting: 0, ofOthers: 0, status: 'saved', refused: undefined }
  /** Of who is signed in; undefined where nobody has to. */
  #account: string | null | undefined
  #sending: Promise<void> | undefined
  #retryMs: number
  #timer: ReturnType<typeof setTimeout> | undefined
  #lastOrder = 0
  #isClosed = false

  constructor({ store, clientOf: by, firstRetryMs = 500 }: OutboxParts) {
    this.#store = store
    this.#clientOf = by
    this.#firstRetryMs = firstRetryMs
    this.#retryMs = firstRetryMs
  }

  get state(): OutboxState {
    return this.#state
  }

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  /**
   * Takes up what earlier visits have left, and what waits for this person.
   *
   * @param account of who is signed in; undefined where nobody has to
   */
  open(account: string | null | undefined): void {
    this.#account = account
    this.#collect()
    this.#tell()
    if (this.#nextBatch().length > 0) void this.send()
  }

  /** Ends the attempts; what waits is kept in the store. */
  close(): void {
    clearTimeout(this.#timer)
    this.#isClosed = true
  }

  judge(judgment: NewJudgment, rater: string | null): void {
    this.#post(judgment.id, { order: this.#nextOrder(), rater, judgment })
  }

  vote(vote: NewVote, rater: string | null): void {
    this.#post(vote.id, { order: this.#nextOrder(), rater, vote })
  }

  /** Images whose judgments the server may not know yet: it would ask about them again. */
  imagesUnderWay(): string[] {
    return [...this.#letters.values()].flatMap((letter) => ('judgment' in letter ? letter.judgment.images : []))
  }

  /** How many things are done by the judgments of these kinds that are under way, less those that they take back. */
  thingsUnderWay(kinds: readonly NewJudgment['kind'][]): number {
    const own = [...this.#letters.values()].flatMap((letter) => ('judgment' in letter ? letter.judgment : []))
    return own.reduce((sum, { kind, undoes }) => sum + (!kinds.includes(kind) ? 0 : undoes === undefined ? 1 : -1), 0)
  }

  votesUnderWay(): string[] {
    return [...this.#letters.values()].flatMap((letter) => ('vote' in letter ? [letter.vote.task] : []))
  }

  idsUnderWay(): Set<string> {
    return new Set(this.#letters.keys())
  }

  /** Ids of answers that the server may still believe in, though they are taken back. */
  undoneUnderWay(): Set<string> {
    return new Set(
      [...this.#letters.values()].flatMap(
        (letter) => ('judgment' in letter ? letter.judgment : letter.vote).undoes ?? [],
      ),
    )
  }

  forgetRefused(): void {
    this.#tell({ refused: undefined })
  }

  /** Sends all that may go out now; fulfilled when it has arrived, or the server is out of reach. */
  async send(): Promise<void> {
    if (this.#isClosed || (this.#sending === undefined && this.#nextBatch().length === 0)) return
    this.#sending ??= this.#sendAll()
    await this.#sending
  }

  #tell(change: Partial<OutboxState> = {}): void {
    const waiting = this.#letters.size
    const ofOthers = [...this.#letters.values()].filter((letter) => !this.#mayGo(letter)).length
    this.#state = { ...this.#state, ...change, waiting, ofOthers }
    for (const listener of this.#listeners) listener()
  }

  /** Who gave an answer where no account was asked for may be anybody. */
  #mayGo({ rater }: Letter): boolean {
    return this.#account === undefined || rater === null || rater === this.#account
  }

  /** Also the answers that another page, or an earlier one, has left. */
  #collect(): void {
    for (const key of storedKeys(letterPrefix, this.#store)) {
      const id = key.slice(letterPrefix.length)
      const text = this.#letters.has(id) ? null : readStored(key, this.#store)
      if (text === null) continue
      try {
        this.#letters.set(id, JSON.parse(text) as Letter)
      } catch {
        writeStored(key, null, this.#store)
      }
    }
  }

  /** Times alone do not tell the order of two answers in one millisecond. */
  #nextOrder(): number {
    this.#lastOrder = Math.max(Date.now(), this.#lastOrder + 0.001)
    return this.#lastOrder
  }

  #post(id: string, letter: Letter): void {
    this.#letters.set(id, letter)
    const text = JSON.stringify(letter)
    if (!writeStored(`${letterPrefix}${id}`, text, this.#store)) {
      for (const key of storedKeys(pastPrefix, this.#store)) writeStored(key, null, this.#store)
      writeStored(`${letterPrefix}${id}`, text, this.#store)
    }
    this.#tell({ status: this.#state.status === 'offline' ? 'offline' : 'saving' })
    if (this.#state.status !== 'offline') void this.send()
  }

  /** The oldest letters of one rater and one kind. */
  #nextBatch(): [string, Letter][] {
    const inOrder = [...this.#letters]
      .filter(([, letter]) => this.#mayGo(letter))
      .sort(([, a], [, b]) => a.order - b.order)
    const end = inOrder.findIndex(
      ([, letter]) => letter.rater !== inOrder[0][1].rater || 'vote' in letter !== 'vote' in inOrder[0][1],
    )
    return inOrder.slice(0, Math.min(end === -1 ? inOrder.length : end, most))
  }

  async #deliver(batch: readonly [string, Letter][]): Promise<void> {
    const client = this.#clientOf(batch[0][1].rater)
    const all = batch.map(([, letter]) => letter)
    if ('vote' in all[0]) await client.vote({ votes: all.flatMap((letter) => ('vote' in letter ? [letter.vote] : [])) })
    else await client.judge({ judgments: all.flatMap((letter) => ('judgment' in letter ? [letter.judgment] : [])) })
  }

  #drop(batch: readonly [string, Letter][]): void {
    for (const [id] of batch) {
      this.#letters.delete(id)
      writeStored(`${letterPrefix}${id}`, null, this.#store)
    }
  }

  async #sendAll(): Promise<void> {
    clearTimeout(this.#timer)
    try {
      for (let batch = this.#nextBatch(); batch.length > 0; batch = this.#nextBatch()) {
        this.#tell({ status: 'saving' })
        try {
          await this.#deliver(batch)
        } catch (error) {
          if (!(await this.#isFinal(error, batch))) return
        }
        this.#drop(batch)
        this.#retryMs = this.#firstRetryMs
      }
      this.#tell({ status: 'saved' })
    } finally {
      // At once: what is posted in the next moment begins anew.
      this.#sending = undefined
    }
  }

  /** Whether the server will never take it; one bad answer must not hold back the others, so they go one by one then. */
  async #isFinal(error: unknown, batch: readonly [string, Letter][]): Promise<boolean> {
    if (
      !(error instanceof StudioError) ||
      error.isOffline ||
      [401, 429].includes(error.status) ||
      error.status >= 500
    ) {
      const isSignedOut = error instanceof StudioError && error.status === 401
      this.#tell({ status: isSignedOut ? 'signed-out' : 'offline' })
      if (!this.#isClosed) this.#timer = setTimeout(() => void this.send(), this.#retryMs)
      this.#retryMs = Math.min(lastRetryMs, this.#retryMs * 2)
      return false
    }
    if (batch.length === 1) {
      this.#tell({ refused: error })
      return true
    }
    for (const one of batch) {
      try {
        await this.#deliver([one])
      } catch (single) {
        if (!(await this.#isFinal(single, [one]))) return false
      }
      this.#drop([one])
    }
    return true
  }
}

export const outbox = new Outbox({ store: browserStore(), clientOf })

/** Under which name answers go out: that of the account, else the one that was told. */
let author: string | null | undefined
const whoAnswers = (): string | null => (author === undefined ? raterName() : author)

/** @param account of who is signed in; undefined where nobody has to */
export function startSending(account: string | null | undefined): () => void {
  author = account
  outbox.open(account)
  const again = () => void outbox.send()
  addEventListener('online', again)
  return () => removeEventListener('online', again)
}

export const postJudgment = (judgment: NewJudgment): void => outbox.judge(judgment, whoAnswers())
export const postVote = (vote: NewVote): void => outbox.vote(vote, whoAnswers())

export const useOutbox = (): OutboxState =>
  useSyncExternalStore(
    (listener) => outbox.subscribe(listener),
    () => outbox.state,
  )
