/** The queue of a studio: it follows the store, and begins anew where what is asked about changes as a whole. */
import { isSameGold, readGold } from '../feedback/queue/gold.ts'
import type { QueueBasis } from '../feedback/queue/open-tasks.ts'
import { Queue, type NextTasks, type QueueRequest, type TaskMode } from '../feedback/queue/queue.ts'
import { ThirdBook } from '../feedback/queue/third-book.ts'
import { readThirdOpinions } from '../feedback/queue/third-opinions.ts'
import { Reservations } from '../feedback/queue/reservations.ts'
import { readSettings } from '../feedback/store/settings.ts'
import { readUntaught } from '../feedback/training-judgments.ts'
import type { SettledKind } from '../feedback/agreement/disagreed-labels.ts'
import type { FeedbackStore } from '../feedback/store/store.ts'
import type { RoundBook } from './round-book.ts'
import type { RunLibrary } from './runs.ts'

export class Asking {
  readonly #store: FeedbackStore
  readonly #rounds: RoundBook
  readonly #runs: RunLibrary
  /** One for each way of asking: what is judged in one may be judged in another. */
  readonly #reservations: Readonly<Record<TaskMode, Reservations>>
  readonly #third = new ThirdBook()
  /** Questions on their way to a rater who is to settle them. */
  readonly #thirdKept: Reservations
  #current: { readonly basis: QueueBasis; readonly queue: Queue; followed: number } | undefined

  /** @param now milliseconds, for how long images stay on their way to a rater */
  constructor(store: FeedbackStore, rounds: RoundBook, runs: RunLibrary, now?: () => number) {
    this.#store = store
    this.#rounds = rounds
    this.#runs = runs
    this.#reservations = {
      'good-bad': new Reservations(now),
      pair: new Reservations(now),
      rating: new Reservations(now),
    }
    this.#thirdKept = new Reservations(now)
  }

  /** The next tasks of a rater; nobody else is asked about their images for a while. */
  async next(request: Omit<QueueRequest, 'goldShare' | 'reserved' | 'third'>): Promise<NextTasks> {
    const [images, changes, gold, opinions, { seed, overlapShare, goldShare, byUncertainty }] = await Promise.all([
      this.#rounds.asked(),
      this.#store.changes(),
      readGold(this.#store.database),
      readThirdOpinions(this.#store.database),
      readSettings(this.#store.database),
    ])
    const uncertainties = byUncertainty ? this.#runs.uncertainties() : undefined
    const basis = { images, gold, uncertainties, seed, overlapShare }
    if (this.#current === undefined || !isSame(this.#current.basis, basis)) {
      this.#current = { basis, queue: new Queue(basis), followed: 0 }
    }
    const current = this.#current
    for (; current.followed < changes.length; current.followed++) current.queue.change(changes[current.followed])
    const { mode, rater, without = new Set() } = request
    const reservations = this.#reservations[mode]
    this.#third.follow(opinions, changes)
    const excluded = opinions.length === 0 ? new Set<string>() : (await readUntaught(this.#store.database)).excluded
    const withOthers = this.#thirdKept.ofOthers(rater)
    const open = this.#third.openFor(rater, settledBy[mode], excluded)
    const third = open.filter(({ question }) => !withOthers.has(question))
    const found = current.queue.next({ ...request, third, goldShare, reserved: reservations.ofOthers(rater) })
    const handed = found.tasks.flatMap((task) => task.images)
    reservations.hand(rater, handed, without)
    const isIn = (images: readonly string[], all: readonly string[]) => images.every((image) => all.includes(image))
    const given = found.tasks.filter(({ settles }) => settles === true)
    this.#thirdKept.hand(
      rater,
      third.flatMap((one) => (given.some((task) => isIn(one.images, task.images)) ? [one.question] : [])),
      new Set(third.flatMap((one) => (isIn(one.images, [...without]) ? [one.question] : []))),
    )
    return found
  }

  /** These were answered by a rater, if only by a skip. */
  answered(rater: string, images: readonly string[]): void {
    for (const reservations of Object.values(this.#reservations)) reservations.release(rater, images)
    this.#thirdKept.release(rater, this.#third.questionsAbout(images))
  }
}

const settledBy = { 'good-bad': 'good-bad-skip', pair: 'pair', rating: 'rating' } as const satisfies Record<
  TaskMode,
  SettledKind
>

function isSame(a: QueueBasis, b: QueueBasis): boolean {
  return (
    a.images === b.images &&
    a.uncertainties === b.uncertainties &&
    a.seed === b.seed &&
    a.overlapShare === b.overlapShare &&
    isSameGold(a.gold ?? new Map(), b.gold ?? new Map())
  )
}
