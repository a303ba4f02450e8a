/**
 * Two to four images: the winner of a pair stays and meets a new one (Pick-a-Pic, Kirstain et al. 2023). Every image is
 * new to the rater but the first one, which may have won before. A second opinion is asked about a pair by itself.
 */
import { getOrAdd } from '../../get-or-add.ts'
import type { Random } from '../../random.ts'
import type { Judgment } from '../../records.ts'
import { FreshOrder, type ImageState, type PromptState } from './fresh-order.ts'
import { FreshWalk } from './fresh-walk.ts'
import type { Asked, ModeIndex, OpenTasks, QueueBasis } from './open-tasks.ts'
import { isDrawn } from './second-share.ts'
import { SortedList } from './sorted-list.ts'
import type { StandingChange } from '../raters/standing.ts'

const size = 4

interface PairState {
  /** In the order of their ids. */
  readonly images: readonly ImageState[]
  readonly key: string
  /** Among those that two raters are asked about. */
  readonly isDrawn: boolean
  /** Who has answered, a skip too. */
  readonly raters: Set<string>
  /** How often it was judged; a skip does not count. */
  judgments: number
}

interface Answer {
  readonly place: number
  readonly winner: ImageState | undefined
}

/** What one rater has said. */
interface Own {
  pairs: number
  /** Pairs that others are to be asked about, and this rater is not. */
  readonly seconds: Set<PairState>
  /** In how many skipped pairs an image is. */
  readonly skipped: Map<ImageState, number>
  /** In order of arrival. */
  readonly answers: Map<PromptState, SortedList<Answer>>
}

const emptyOwn = (): Own => ({ pairs: 0, seconds: new Set(), skipped: new Map(), answers: new Map() })

export class PairIndex implements ModeIndex {
  readonly #basis: QueueBasis
  readonly #order: FreshOrder
  readonly #pairs = new Map<string, PairState>()
  readonly #seconds = new SortedList<PairState>((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0))
  readonly #own = new Map<string, Own>()
  /** How many pairs are to be asked of fresh images, by one who has judged none. */
  #freshPairs = 0

  constructor(basis: QueueBasis) {
    this.#basis = basis
    this.#order = new FreshOrder({ ...basis, size, isAskable: (_image, ofPrompt) => ofPrompt > 1 })
    for (const { fresh } of this.#order.prompts) this.#freshPairs += pairsOf(fresh.size, false)
  }

  change({ judgment, place, stands }: StandingChange): void {
    if (judgment.kind !== 'pair') return
    const shown = judgment.images.flatMap((id) => this.#order.image(id) ?? [])
    if (shown.length < 2) return
    const pair = this.#pairOf(shown)
    const own = this.#ownOf(judgment.rater)
    own.pairs += stands ? 1 : -1
    this.#note(own, shown, { place, winner: winnerOf(judgment, shown) }, stands)
    if (judgment.answer === 'skip') {
      for (const image of shown) own.skipped.set(image, (own.skipped.get(image) ?? 0) + (stands ? 1 : -1))
    }
    this.#close(pair)
    if (stands) pair.raters.add(judgment.rater)
    else pair.raters.delete(judgment.rater)
    if (judgment.answer !== 'skip') {
      pair.judgments += stands ? 1 : -1
      for (const image of shown) this.#judge(image, stands ? 1 : -1)
    }
    this.#offer(pair)
  }

  open(asked: Asked): OpenTasks {
    const { rater, raterSeed, without, reserved } = asked
    const own = this.#own.get(rater) ?? emptyOwn()
    const skipped = [...own.skipped].flatMap(([image, count]) => (count > 0 && image.judgments === 0 ? [image] : []))
    const left = this.#left(own, skipped, new FreshWalk(this.#order, raterSeed, new Set(skipped)))
    const elsewhere = [...reserved].flatMap((id) => this.#order.image(id) ?? [])
    const walk = new FreshWalk(this.#order, raterSeed, new Set([...skipped, ...elsewhere]))
    // who wins the pairs that the rater holds is not known yet
    for (const id of without) {
      const held = this.#order.image(id)
      if (held !== undefined) walk.close(held.prompt)
    }
    let open: PairState[] | undefined
    return {
      done: own.pairs,
      left,
      walk,
      rated: new Map(),
      broken: () => undefined,
      fresh(stream) {
        const prompt = walk.next()
        return prompt && freshTask(prompt, walk, championOf(own, prompt), stream)
      },
      second: (stream) => {
        open ??= this.#seconds.items.filter(
          (pair) => !own.seconds.has(pair) && !pair.images.some(({ id }) => without.has(id) || reserved.has(id)),
        )
        if (open.length === 0) return undefined
        const [{ images }] = open.splice(stream.integer(0, open.length - 1), 1)
        return stream.shuffle(images)
      },
      gold: () => undefined,
    }
  }

  /** Pairs that a rater is still to be asked about. */
  #left(own: Own, skipped: readonly ImageState[], walk: FreshWalk): number {
    let fresh = this.#freshPairs
    for (const prompt of new Set([...skipped.map((image) => image.prompt), ...own.answers.keys()])) {
      if (prompt.fresh.size === 0) continue
      const hasChampion = championOf(own, prompt) !== undefined
      fresh += pairsOf(walk.count(prompt), hasChampion) - pairsOf(prompt.fresh.size, false)
    }
    return this.#seconds.items.length - own.seconds.size + fresh
  }

  #judge(image: ImageState, change: 1 | -1): void {
    const { fresh } = image.prompt
    this.#freshPairs -= pairsOf(fresh.size, false)
    this.#order.judge(image, change)
    this.#freshPairs += pairsOf(fresh.size, false)
  }

  /** Who won last of a prompt's images is the rater's champion. */
  #note(own: Own, [{ prompt }]: readonly ImageState[], answer: Answer, stands: boolean): void {
    const answers = getOrAdd(own.answers, prompt, () => new SortedList<Answer>((a, b) => a.place - b.place))
    if (stands) answers.add(answer)
    else answers.remove(answer)
    if (answers.items.length === 0) own.answers.delete(prompt)
  }

  #isSecond({ isDrawn: drawn, judgments }: PairState): boolean {
    return drawn && judgments === 1
  }

  #close(pair: PairState): void {
    if (!this.#isSecond(pair)) return
    this.#seconds.remove(pair)
    for (const rater of pair.raters) this.#ownOf(rater).seconds.delete(pair)
  }

  #offer(pair: PairState): void {
    if (!this.#isSecond(pair)) return
    this.#seconds.add(pair)
    for (const rater of pair.raters) this.#ownOf(rater).seconds.add(pair)
  }

  #pairOf(shown: readonly ImageState[]): PairState {
    const images = shown.toSorted((a, b) => (a.id < b.id ? -1 : 1))
    const ids = images.map(({ id }) => id)
    const key = ids.join()
    return getOrAdd(this.#pairs, key, () => {
      return { images, key, isDrawn: isDrawn(this.#basis, ids), raters: new Set(), judgments: 0 }
    })
  }

  #ownOf(rater: string): Own {
    return getOrAdd(this.#own, rater, emptyOwn)
  }
}

/** How many pairs so many fresh images of one prompt make. */
function pairsOf(fresh: number, hasChampion: boolean): number {
  if (fresh === 0 || hasChampion) return fresh
  return Math.max(fresh - 1, 1)
}

function winnerOf({ answer }: Judgment, [first, second]: readonly ImageState[]): ImageState | undefined {
  return answer === 'first' ? first : answer === 'second' ? second : undefined
}

const championOf = (own: Own, prompt: PromptState) => own.answers.get(prompt)?.items.at(-1)?.winner

function freshTask(
  prompt: PromptState,
  walk: FreshWalk,
  champion: ImageState | undefined,
  stream: Random,
): readonly ImageState[] {
  const challengers = walk.take(prompt, champion === undefined ? size : size - 1)
  walk.close(prompt)
  if (champion !== undefined) return [champion, ...stream.shuffle(challengers)]
  if (challengers.length > 1) return stream.shuffle(challengers)
  const partner = stream.pick(prompt.images.filter((image) => image !== challengers[0]))
  return stream.shuffle([partner, challengers[0]])
}
