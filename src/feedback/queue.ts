/**
 * What a rater is asked next. A pure function of what is known: the same images, judgments, rater and seed give the same
 * tasks. Nothing in a task tells which policy drew its images.
 */
import { createHash } from 'node:crypto'
import { random, seedOf } from '../random.ts'
import type { ImageRecord, Judgment } from '../records.ts'
import { freshOrder } from './fresh-order.ts'
import type { Gold } from './gold.ts'
import { taskSources, type TaskSource } from './task-sources.ts'

export type TaskMode = 'good-bad' | 'pair' | 'rating'
export type QueueImage = Pick<ImageRecord, 'id' | 'text' | 'category'>

/** What the queue looks at. */
export interface QueueState {
  /** Those that may be asked about. */
  readonly images: readonly QueueImage[]
  /** Those that stand, of all raters. */
  readonly judgments: readonly Judgment[]
  readonly gold?: Gold | undefined
  /** How unsure the reward is of an image, in any unit; images that are not in it count as the most uncertain. */
  readonly uncertainties?: ReadonlyMap<string, number> | undefined
}

export interface QueueOptions {
  readonly mode: TaskMode
  readonly rater: string
  /** Tasks wanted; fewer where there are no more. */
  readonly count: number
  readonly seed: number
  /** Share of the images, or of the pairs, that a second rater is asked about too. */
  readonly overlapShare: number
  /** Share of the good-bad tasks with an image whose answer is known. */
  readonly goldShare: number
  /** Images of tasks that this rater holds unanswered. */
  readonly without?: ReadonlySet<string> | undefined
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
}

export interface Queue {
  readonly tasks: readonly QueueTask[]
  /** Images (or pairs) that this rater has answered, and how many there will be when nothing is left to ask. */
  readonly progress: { readonly done: number; readonly total: number }
}

/**
 * The next tasks of a rater. Images that nobody has judged come in the order of {@link freshOrder}: by coverage, then by
 * uncertainty. In between, at the set shares and at random places, stand images that one other rater has judged, and gold
 * items. A rater is never asked the same twice; a skip is an answer of this rater only, and others are still asked.
 */
export function nextTasks(state: QueueState, options: QueueOptions): Queue {
  const { mode, rater, count, seed, without } = options
  const raterSeed = seedOf(seed, numberOf(rater))
  const source = taskSources[mode](state, options)
  const order = freshOrder(state, source, raterSeed)
  const texts = new Map(state.images.map(({ id, text }) => [id, text]))
  const tasks: QueueTask[] = []
  for (let place = source.done + (without?.size ?? 0); tasks.length < count; place++) {
    const stream = random(raterSeed, modeNumbers[mode], place)
    const images = nextImages(source, order.next, stream.uniform(), options, stream)
    if (images === undefined) break
    order.cover(images)
    const rated = Object.fromEntries(
      images.flatMap((id) => (source.rated.has(id) ? [[id, source.rated.get(id)!]] : [])),
    )
    tasks.push({ id: idOf(mode, rater, images), mode, prompt: texts.get(images[0])!, images, rated })
  }
  return { tasks, progress: { done: source.done, total: source.done + source.left } }
}

/** Broken-off tasks first; then, by the draw, a gold item, a second opinion or something fresh; then whatever is left. */
function nextImages(
  source: TaskSource,
  nextFresh: () => string | undefined,
  draw: number,
  { goldShare, overlapShare }: QueueOptions,
  stream: ReturnType<typeof random>,
): readonly string[] | undefined {
  const gold = () => source.gold(stream)
  const second = () => source.second(stream)
  // where the share s of the images is asked twice, s/(1 + s) of all answers are second ones
  const secondShare = overlapShare / (1 + overlapShare)
  return (
    source.broken.shift() ??
    (draw < goldShare ? gold() : undefined) ??
    (draw >= 1 - secondShare ? second() : undefined) ??
    fresh(source, nextFresh, stream) ??
    second() ??
    gold()
  )
}

function fresh(
  source: TaskSource,
  nextFresh: () => string | undefined,
  stream: ReturnType<typeof random>,
): readonly string[] | undefined {
  const prompt = nextFresh()
  return prompt === undefined ? undefined : source.take(prompt, stream)
}

const modeNumbers = { 'good-bad': 0, pair: 1, rating: 2 } as const

/** Equal texts, equal numbers: for the path of a random stream. */
function numberOf(text: string): number {
  return createHash('sha256').update(text).digest().readUIntBE(0, 6)
}

function idOf(...parts: readonly unknown[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 16)
}
