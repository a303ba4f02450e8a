/**
 * What a rater is asked next. A pure function of what is known: the same images, judgments, rater and seed give the same
 * tasks. Nothing in a task tells which policy drew its images.
 */
import { createHash } from 'node:crypto'
import { getOrAdd } from '../../get-or-add.ts'
import { random, seedOf, type Random } from '../../random.ts'
import type { Judgment } from '../../records.ts'
import { queueStreams } from '../../streams.ts'
import type { ImageState } from './fresh-order.ts'
import { GoodBadIndex } from './good-bad-index.ts'
import type { ModeIndex, OpenTasks, QueueBasis } from './open-tasks.ts'
import { PairIndex } from './pair-index.ts'
import { RatingIndex } from './rating-index.ts'
import type { SecondShare } from './second-share.ts'
import { thirdGroups } from './third-book.ts'
import type { ThirdOpinion } from './third-opinions.ts'
import type { StandingChange } from '../raters/standing.ts'

export type TaskMode = 'good-bad' | 'pair' | 'rating'

export interface QueueRequest {
  readonly mode: TaskMode
  readonly rater: string
  /** Tasks wanted; fewer where there are no more. */
  readonly count: number
  /** Share of the good-bad tasks with an image whose answer is known. */
  readonly goldShare: number
  /** Images of tasks that this rater holds unanswered. */
  readonly without?: ReadonlySet<string> | undefined
  /** Labels about which others differ, and that this rater is to settle: they come first. */
  readonly third?: readonly ThirdOpinion[] | undefined
  /** Questions that this rater has answered and is asked once more: they come before all others. */
  readonly again?: readonly Pick<ThirdOpinion, 'kind' | 'images'>[] | undefined
  /** Images on their way to other raters: they are not asked about now, gold items apart. */
  readonly reserved?: ReadonlySet<string> | undefined
}

/** Images of one prompt, in the random order in which they are to be shown. */
export interface QueueTask {
  readonly id: string
  readonly mode: TaskMode
  readonly prompt: string
  /**
   * good-bad: one to three. pair: two to four; the first two are shown, and the winner meets the next one; the first may
   * be the winner of this rater's last pair. rating: one to four, all to be rated, and then ranked where they are several.
   */
  readonly images: readonly string[]
  /** rating: overall ratings that this rater gave before the task was broken off; only the others are asked for. */
  readonly rated: Readonly<Record<string, number>>
  /** Others differ about it, and this answer settles it. */
  readonly settles?: true
  /** This rater has answered it before. */
  readonly again?: true
}

export interface NextTasks {
  readonly tasks: readonly QueueTask[]
  /** Images (or pairs) that this rater has answered, and how many there will be when nothing is left to ask. */
  readonly progress: { readonly done: number; readonly total: number }
}

const modes = {
  'good-bad': { number: 0, Index: GoodBadIndex },
  pair: { number: 1, Index: PairIndex },
  rating: { number: 2, Index: RatingIndex },
} as const satisfies Record<TaskMode, { number: number; Index: new (basis: QueueBasis) => ModeIndex }>

/**
 * The queue of all raters. It is told each judgment that comes to stand, or no longer does; a request then costs little
 * however many judgments there are. What is asked depends on which judgments stand, not on how they came to.
 *
 * Images that nobody has judged come in the order of `FreshOrder`: by coverage, and of a new prompt by uncertainty. In between, at the
 * set shares and at random places, stand images that one other rater has judged, and gold items. Labels that are to be settled come
 * before all of it. A rater is never asked
 * the same twice; a skip is an answer of this rater only, and others are still asked.
 */
export class Queue {
  readonly #basis: QueueBasis
  /** Made when a mode is first asked for. */
  readonly #indices = new Map<TaskMode, ModeIndex>()
  readonly #changes: StandingChange[] = []
  #textsOfImages: ReadonlyMap<string, string> | undefined

  constructor(basis: QueueBasis) {
    this.#basis = basis
  }

  change(change: StandingChange): void {
    this.#changes.push(change)
    for (const index of this.#indices.values()) index.change(change)
  }

  /** The next tasks of a rater. */
  next({
    mode,
    rater,
    count,
    goldShare,
    without = new Set(),
    reserved = new Set(),
    third = [],
    again = [],
  }: QueueRequest): NextTasks {
    const raterSeed = seedOf(...queueStreams.rater(this.#basis.seed, numberOf(rater)))
    const textOf = (image: string) => this.#texts().get(image)
    const groups = [
      ...thirdGroups(again, textOf, without).map((images) => ({ images, why: { again: true } as const })),
      ...thirdGroups(third, textOf, without).map((images) => ({ images, why: { settles: true } as const })),
    ].slice(0, count)
    const closed = groups.length === 0 ? without : new Set([...without, ...groups.flatMap(({ images }) => images)])
    const open = this.#index(mode).open({ rater, raterSeed, without: closed, reserved })
    const tasks: QueueTask[] = []
    for (let place = open.done + without.size; tasks.length < count; place++) {
      const stream = random(...queueStreams.task(raterSeed, modes[mode].number, place))
      const group = groups.shift()
      if (group !== undefined) {
        const images = stream.shuffle(group.images)
        const prompt = textOf(images[0])!
        tasks.push({ id: idOf(mode, rater, images), mode, prompt, images, rated: {}, ...group.why })
        continue
      }
      const images = nextImages(open, stream, goldShare, this.#basis.overlapShare)
      if (images === undefined) break
      open.walk.cover(images)
      const ids = images.map(({ id }) => id)
      const rated = images.flatMap((image): [string, number][] => {
        const rating = open.rated.get(image)
        return rating === undefined ? [] : [[image.id, rating]]
      })
      const prompt = images[0].prompt.text
      tasks.push({
        id: idOf(mode, rater, ids),
        mode,
        prompt,
        images: ids,
        rated: Object.fromEntries(rated),
      })
    }
    return { tasks, progress: { done: open.done, total: open.done + open.left + third.length + again.length } }
  }

  #texts(): ReadonlyMap<string, string> {
    return (this.#textsOfImages ??= new Map(this.#basis.images.map(({ id, text }) => [id, text])))
  }

  #index(mode: TaskMode): ModeIndex {
    return getOrAdd(this.#indices, mode, () => {
      const index = new modes[mode].Index(this.#basis)
      for (const change of this.#changes) index.change(change)
      return index
    })
  }
}

/** What the queue looks at. */
export interface QueueState extends Omit<QueueBasis, keyof SecondShare> {
  /** Those that stand, of all raters, in order of arrival. */
  readonly judgments: readonly Judgment[]
}

export interface QueueOptions extends QueueRequest, SecondShare {}

/** The next tasks of a rater, from a queue that is made for this one question. */
export function nextTasks(state: QueueState, options: QueueOptions): NextTasks {
  const queue = new Queue({ ...state, ...options })
  for (const [place, judgment] of state.judgments.entries()) queue.change({ judgment, place, stands: true })
  return queue.next(options)
}

/** Broken-off tasks first; then, by the draw, a gold item, a second opinion or something fresh; then whatever is left. */
function nextImages(
  open: OpenTasks,
  stream: Random,
  goldShare: number,
  overlapShare: number,
): readonly ImageState[] | undefined {
  const draw = stream.uniform()
  // where the share s of the images is asked twice, s/(1 + s) of all answers are second ones
  const secondShare = overlapShare / (1 + overlapShare)
  return (
    open.broken() ??
    (draw < goldShare ? open.gold(stream) : undefined) ??
    (draw >= 1 - secondShare ? open.second(stream) : undefined) ??
    open.fresh(stream) ??
    open.second(stream) ??
    open.gold(stream)
  )
}

/** Equal texts, equal numbers: for the path of a random stream. */
function numberOf(text: string): number {
  return createHash('sha256').update(text).digest().readUIntBE(0, 6)
}

function idOf(...parts: readonly unknown[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 16)
}
