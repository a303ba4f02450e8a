/** The queue of a studio: it follows the store, and begins anew where what is asked about changes as a whole. */
import { readGold, type Gold } from '../feedback/gold.ts'
import { Queue, type NextTasks, type QueueBasis, type QueueRequest } from '../feedback/queue.ts'
import { readSettings } from '../feedback/settings.ts'
import type { FeedbackStore } from '../feedback/store.ts'
import type { RoundBook } from './round-book.ts'
import type { RunLibrary } from './runs.ts'

export class Asking {
  readonly #store: FeedbackStore
  readonly #rounds: RoundBook
  readonly #runs: RunLibrary
  #current: { readonly basis: QueueBasis; readonly queue: Queue; followed: number } | undefined

  constructor(store: FeedbackStore, rounds: RoundBook, runs: RunLibrary) {
    this.#store = store
    this.#rounds = rounds
    this.#runs = runs
  }

  /** The next tasks of a rater. */
  async next(request: Omit<QueueRequest, 'goldShare'>): Promise<NextTasks> {
    const [images, changes, gold, { seed, overlapShare, goldShare, byUncertainty }] = await Promise.all([
      this.#rounds.asked(),
      this.#store.changes(),
      readGold(this.#store.database),
      readSettings(this.#store.database),
    ])
    const uncertainties = byUncertainty ? this.#runs.uncertainties() : undefined
    const basis = { images, gold, uncertainties, seed, overlapShare }
    if (this.#current === undefined || !isSame(this.#current.basis, basis)) {
      this.#current = { basis, queue: new Queue(basis), followed: 0 }
    }
    const current = this.#current
    for (; current.followed < changes.length; current.followed++) current.queue.change(changes[current.followed])
    return current.queue.next({ ...request, goldShare })
  }
}

function isSame(a: QueueBasis, b: QueueBasis): boolean {
  return (
    a.images === b.images &&
    a.uncertainties === b.uncertainties &&
    a.seed === b.seed &&
    a.overlapShare === b.overlapShare &&
    isSameGold(a.gold, b.gold)
  )
}

function isSameGold(a: Gold = new Map(), b: Gold = new Map()): boolean {
  return a.size === b.size && [...a].every(([image, answer]) => b.get(image) === answer)
}
