/** What is still open for a rater, for each way of asking. */
import { seedOf, type Random } from '../random.ts'
import type { Judgment } from '../records.ts'
import type { QueueImage, QueueOptions, QueueState, TaskMode } from './queue.ts'

/** Tasks that are taken out do not come again. All lists of images are of one prompt, in a random order. */
export interface TaskSource {
  /** Images (or pairs) that this rater has answered. */
  readonly done: number
  /** Those that are still to be asked, with what the rater holds. */
  readonly left: number
  /** Images that somebody has judged in this way. */
  readonly judged: ReadonlySet<string>
  /** By the text of the prompt, the images that nobody has judged and this rater may be asked about. Prompts of which no task can be made are not in it. */
  readonly fresh: Map<string, string[]>
  /** Most images of a task. */
  readonly size: number
  /** Tasks that were left half-done. */
  readonly broken: string[][]
  /** Overall ratings by this rater of images in `broken`. */
  readonly rated: ReadonlyMap<string, number>
  /** A task of fresh images, the first of their list first chosen. */
  take(prompt: string, stream: Random): string[] | undefined
  /** A task of what one other rater has judged. */
  second(stream: Random): string[] | undefined
  /** A task with a gold item. */
  gold(stream: Random): string[] | undefined
}

type MakeSource = (state: QueueState, options: QueueOptions) => TaskSource

export const taskSources: Readonly<Record<TaskMode, MakeSource>> = {
  'good-bad': goodBadSource,
  pair: pairSource,
  rating: ratingSource,
}

/** One to three images (Lee et al. 2023 show three of a prompt side by side). */
function goodBadSource(state: QueueState, options: QueueOptions): TaskSource {
  const { gold = new Map() } = state
  const answers = answersOf(state.judgments, 'good-bad-skip', options.rater)
  const ordinary = state.images.filter(({ id }) => !gold.has(id))
  const open = openImages(ordinary, answers, options)
  const isKnown = state.images.filter(({ id }) => gold.has(id))
  const goldLeft = isKnown.filter(({ id }) => !answers.own.has(id))
  const goldTasks = goldLeft.filter(({ id }) => !options.without?.has(id))
  const take = taker(open.fresh, 3)
  return {
    ...open,
    done: state.images.filter(({ id }) => answers.own.has(id)).length,
    left: open.left + goldLeft.length,
    judged: answers.judged,
    size: 3,
    broken: [],
    rated: new Map(),
    take,
    second: (stream) => takeAny(open.seconds, 3, stream),
    gold(stream) {
      if (goldTasks.length === 0) return undefined
      const [{ id, text }] = goldTasks.splice(stream.integer(0, goldTasks.length - 1), 1)
      return stream.shuffle([id, ...takeFrom(open.fresh, text, 2)])
    },
  }
}

/** One to four images, each rated, and then all ranked (ImageReward, Xu et al. 2023). */
function ratingSource(state: QueueState, options: QueueOptions): TaskSource {
  const answers = answersOf(state.judgments, 'rating', options.rater)
  const open = openImages(state.images, answers, options)
  const rated = new Map<string, number>()
  const ranked = new Set<string>()
  for (const judgment of state.judgments) {
    if (judgment.rater !== options.rater) continue
    if (judgment.kind === 'ranking') for (const id of judgment.images) ranked.add(id)
    if (judgment.kind === 'rating' && judgment.ratings) rated.set(judgment.images[0], judgment.ratings.overall)
  }
  const waiting = byPrompt(
    state.images.filter(({ id }) => rated.has(id) && !ranked.has(id) && !options.without?.has(id)),
  )
  const broken = [...waiting].flatMap(([prompt, ids]) => {
    const first = ids.slice(0, 4)
    const more = first.length < 4 ? takeFrom(open.fresh, prompt, 4 - first.length) : []
    return first.length + more.length > 1 ? [[...first, ...more]] : []
  })
  return {
    ...open,
    done: state.images.filter(({ id }) => answers.own.has(id)).length,
    left: open.left + broken.filter((ids) => ids.every((id) => rated.has(id))).length,
    judged: answers.judged,
    size: 4,
    broken,
    rated,
    take: taker(open.fresh, 4),
    second: (stream) => takeAny(open.seconds, 4, stream),
    gold: () => undefined,
  }
}

/**
 * Two to four images: the winner of a pair stays and meets a new one (Pick-a-Pic, Kirstain et al. 2023). Every image is
 * new to the rater but the first one, which may have won before. A second opinion is asked about a pair by itself.
 */
function pairSource(state: QueueState, options: QueueOptions): TaskSource {
  const { rater, without, seed, overlapShare } = options
  const texts = new Map(state.images.map(({ id, text }) => [id, text]))
  const judged = new Set<string>()
  const seen = new Set<string>()
  const own = new Set<string>()
  const others = new Map<string, { images: string[]; raters: number }>()
  const champions = new Map<string, string>()
  for (const judgment of state.judgments) {
    if (judgment.kind !== 'pair' || judgment.images.some((id) => !texts.has(id))) continue
    const { images, answer } = judgment
    const key = images.toSorted().join()
    if (answer !== 'skip') for (const id of images) judged.add(id)
    if (judgment.rater === rater) {
      own.add(key)
      for (const id of images) seen.add(id)
      champions.delete(texts.get(images[0])!)
      const winner = { first: 0, second: 1 }[answer as string]
      if (winner !== undefined) champions.set(texts.get(images[winner])!, images[winner])
    } else if (answer !== 'skip') {
      others.set(key, { images, raters: (others.get(key)?.raters ?? 0) + 1 })
    }
  }
  const all = byPrompt(state.images)
  const fresh = byPrompt(state.images.filter(({ id }) => !judged.has(id) && !seen.has(id)))
  for (const prompt of fresh.keys()) if (all.get(prompt)!.length < 2) fresh.delete(prompt)
  const seconds = [...others].flatMap(([key, { images, raters }]) => {
    const isOpen = raters === 1 && !own.has(key)
    return isOpen && isDrawn(seed, images.toSorted(), overlapShare) ? [images] : []
  })
  const freshPairs = [...fresh].map(([prompt, ids]) =>
    champions.has(prompt) ? ids.length : Math.max(ids.length - 1, 1),
  )
  const left = seconds.length + freshPairs.reduce((sum, pairs) => sum + pairs, 0)
  // who wins the pairs that the rater holds is not known yet
  for (const held of without ?? []) fresh.delete(texts.get(held) ?? '')
  const open = seconds.filter((images) => !images.some((id) => without?.has(id)))
  return {
    done: own.size,
    left,
    judged,
    fresh,
    size: 4,
    broken: [],
    rated: new Map(),
    take(prompt, stream) {
      const champion = champions.get(prompt)
      const challengers = takeFrom(fresh, prompt, champion === undefined ? 4 : 3)
      fresh.delete(prompt)
      if (challengers.length === 0) return undefined
      if (champion !== undefined) return [champion, ...stream.shuffle(challengers)]
      if (challengers.length > 1) return stream.shuffle(challengers)
      const partner = stream.pick(all.get(prompt)!.filter((id) => id !== challengers[0]))
      return stream.shuffle([partner, challengers[0]])
    },
    second(stream) {
      if (open.length === 0) return undefined
      const [images] = open.splice(stream.integer(0, open.length - 1), 1)
      return stream.shuffle(images)
    },
    gold: () => undefined,
  }
}

interface Answers {
  /** Images that the rater has answered, a skip too. */
  readonly own: ReadonlySet<string>
  /** How many other raters have judged an image, skips not counted. */
  readonly others: ReadonlyMap<string, number>
  readonly judged: ReadonlySet<string>
}

/** Of a way of asking that shows one image. */
function answersOf(judgments: readonly Judgment[], asked: Judgment['kind'], rater: string): Answers {
  const own = new Set<string>()
  const others = new Map<string, number>()
  const judged = new Set<string>()
  for (const judgment of judgments) {
    if (judgment.kind !== asked) continue
    const [id] = judgment.images
    if (judgment.answer !== 'skip') judged.add(id)
    if (judgment.rater === rater) own.add(id)
    else if (judgment.answer !== 'skip') others.set(id, (others.get(id) ?? 0) + 1)
  }
  return { own, others, judged }
}

/** Images that this rater may be asked about, and how many they are with those that the rater holds. */
function openImages(
  images: readonly QueueImage[],
  { own, others }: Answers,
  { seed, overlapShare, without }: QueueOptions,
): { fresh: Map<string, string[]>; seconds: Map<string, string[]>; left: number } {
  const open = images.filter(({ id }) => !own.has(id))
  const fresh = open.filter(({ id }) => !others.has(id))
  const seconds = open.filter(({ id }) => others.get(id) === 1 && isDrawn(seed, [id], overlapShare))
  const isFree = ({ id }: QueueImage) => !without?.has(id)
  return {
    fresh: byPrompt(fresh.filter(isFree)),
    seconds: byPrompt(seconds.filter(isFree)),
    left: fresh.length + seconds.length,
  }
}

/** Whether images are among the share that two raters are asked about: the same for every rater. */
function isDrawn(seed: number, ids: readonly string[], share: number): boolean {
  return seedOf(seed, ...ids.map((id) => Number.parseInt(id.slice(0, 12), 16))) / 2 ** 53 < share
}

function byPrompt(images: readonly QueueImage[]): Map<string, string[]> {
  const groups = new Map<string, string[]>()
  for (const { id, text } of images) {
    const group = groups.get(text)
    if (group === undefined) groups.set(text, [id])
    else group.push(id)
  }
  return groups
}

/** Takes the first few images of a prompt out. */
function takeFrom(groups: Map<string, string[]>, prompt: string, size: number): string[] {
  const group = groups.get(prompt) ?? []
  const taken = group.splice(0, size)
  if (group.length === 0) groups.delete(prompt)
  return taken
}

const taker =
  (groups: Map<string, string[]>, size: number): TaskSource['take'] =>
  (prompt, stream) =>
    stream.shuffle(takeFrom(groups, prompt, size))

/** Takes images of any prompt out. */
function takeAny(groups: Map<string, string[]>, size: number, stream: Random): string[] | undefined {
  if (groups.size === 0) return undefined
  return stream.shuffle(takeFrom(groups, stream.pick([...groups.keys()]), size))
}
