/** The queue of a studio: it follows the store, and begins anew where what is asked about changes as a whole. */
import { AgainBook, readAskedAgain } from '../feedback/queue/asked-again.ts'
import { isSameGold, readGold } from '../feedback/queue/gold.ts'
import type { QueueBasis } from '../feedback/queue/open-tasks.ts'
import { Queue, type NextTasks, type QueueRequest, type TaskMode } from '../feedback/queue/queue.ts'
import { ThirdBook } from '../feedback/queue/third-book.ts'
import { readThirdOpinions, type ThirdOpinion } from '../feedback/queue/third-opinions.ts'
import { reservationsOf, type Reservations } from '../feedback/queue/reservations.ts'
import { readSettings } from '../feedback/store/settings.ts'
import { readUntaught } from '../feedback/training-judgments.ts'
import type { StandingChange } from '../feedback/raters/standing.ts'
import type { SettledKind } from '../feedback/agreement/disagreed-labels.ts'
import type { FeedbackStore } from '../feedback/store/store.ts'
import type { RoundBook } from './round-book.ts'
import type { RunLibrary } from './runs.ts'

export class Asking {
  readonly #store: FeedbackStore
  readonly #rounds: RoundBook
  readonly #runs: RunLibrary
  readonly #reservations: Reservations
  readonly #third = new ThirdBook()
  readonly #again = new AgainBook()
  #current: { readonly basis: QueueBasis; readonly queue: Queue; followed: number } | undefined

  /** @param now milliseconds, for how long images stay on their way to a rater */
  constructor(store: FeedbackStore, rounds: RoundBook, runs: RunLibrary, now?: () => number) {
    this.#store = store
    this.#rounds = rounds
    this.#runs = runs
    this.#reservations = reservationsOf(store, now)
  }

  /** The next tasks of a rater; nobody else is asked about their images for a while. */
  async next(request: Asked): Promise<NextTasks> {
    for (let attempt = 1; ; attempt++) {
      const { found, lost } = await this.#choose(request)
      if (lost.size === 0) return found
      // Others take what is left as fast as it is chosen: there is little, and these have it.
      if (attempt === mostAttempts) {
        return { ...found, tasks: found.tasks.filter(({ images }) => !images.some((image) => lost.has(image))) }
      }
    }
  }

  /** Chooses tasks, and takes their images; `lost` are those that another process has handed out in this moment. */
  async #choose(request: Asked): Promise<{ readonly found: NextTasks; readonly lost: ReadonlySet<string> }> {
    const { mode, rater, without = new Set() } = request
    const reservations = this.#reservations
    const [all, images, examples, changes, newest, gold, opinions, askedAgain, settings, { excluded }] =
      await Promise.all([
        reservations.all(),
        this.#rounds.asked(),
        this.#rounds.examples(),
        this.#store.changes(),
        this.#store.newest(),
        this.#store.kept(readGold, 'gold'),
        this.#store.kept(readThirdOpinions, 'third_opinions'),
        this.#store.kept(readAskedAgain, 'asked_again'),
        this.#store.kept(readSettings, 'settings'),
        this.#store.kept(readUntaught, 'gold', 'raters', 'decisions', 'images'),
      ])
    const { seed, overlapShare, goldShare, byUncertainty } = settings
    const uncertainties = byUncertainty ? this.#runs.uncertainties() : undefined
    const queue = this.#follow({ images, gold, uncertainties, seed, overlapShare }, changes)
    this.#third.follow(opinions, changes)
    this.#again.follow(askedAgain, changes)
    const isOpen = ({ images: about }: { readonly images: readonly string[] }) =>
      !about.some((image) => examples.has(image))
    const again = this.#again.openFor(rater, settledBy[mode]).filter(isOpen)
    const thirdKind = `third ${mode}` as const
    const withOthers = reservations.ofOthers(thirdKind, rater, all)
    const open = this.#third.openFor(rater, settledBy[mode], excluded).filter(isOpen)
    const third = open.filter(({ question }) => !withOthers.has(question))
    const reserved = reservations.ofOthers(mode, rater, all)
    const found = queue.next({ ...request, again, third, goldShare, reserved })
    const given = found.tasks.filter(({ settles }) => settles === true)
    const settled = third.filter((one) => given.some((task) => isIn(one.images, task.images)))
    const held = third.filter((one) => isIn(one.images, [...without]))
    // Gold items, and the winner that meets a new image, are shown to several at once.
    const isShared = (id: string) => (mode === 'good-bad' && gold.has(id)) || reserved.has(id)
    const fresh = found.tasks.flatMap((task) => task.images).filter((id) => !isShared(id))
    const [lost, lostQuestions] = await Promise.all([
      reservations.hand({ kind: mode, rater, fresh, held: without, newest, all }),
      reservations.hand({ kind: thirdKind, rater, fresh: questionsOf(settled), held: new Set(questionsOf(held)), newest, all }), // prettier-ignore
    ])
    const unsettled = settled.filter(({ question }) => lostQuestions.includes(question))
    return { found, lost: new Set([...lost, ...unsettled.flatMap((one) => one.images)]) }
  }

  #follow(basis: QueueBasis, changes: readonly StandingChange[]): Queue {
    if (this.#current === undefined || !isSame(this.#current.basis, basis)) {
      this.#current = { basis, queue: new Queue(basis), followed: 0 }
    }
    const current = this.#current
    for (; current.followed < changes.length; current.followed++) current.queue.change(changes[current.followed])
    return current.queue
  }

  /** These were answered by a rater, if only by a skip. */
  async answered(rater: string, images: readonly string[]): Promise<void> {
    await this.#reservations.release(rater, [...images, ...this.#third.questionsAbout(images)])
  }
}

type Asked = Omit<QueueRequest, 'goldShare' | 'reserved' | 'third' | 'again'>

/** Another process takes one of the images that were chosen: seldom, and hardly ever twice. */
const mostAttempts = 20

const questionsOf = (opinions: readonly ThirdOpinion[]) => opinions.map(({ question }) => question)
const isIn = (images: readonly string[], all: readonly string[]) => images.every((image) => all.includes(image))

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
