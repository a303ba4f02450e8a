/** A rater's way through the fresh images, for one request: what it takes is not taken from the order. */
import { getOrAdd } from '../../get-or-add.ts'
import { seedOf } from '../../random.ts'
import { queueStreams } from '../../streams.ts'
import {
  lotOfImage,
  order,
  orderOfRanks,
  type CategoryState,
  type FreshOrder,
  type ImageState,
  type PromptState,
  type Rank,
} from './fresh-order.ts'

/** What is different of a prompt for this rater and from here on. */
interface Seen {
  fresh: ImageState[]
  /** Only of prompts that are asked about, which are few: of one that nobody has judged the least certain first; others, and equals, by lot. */
  isInOrder: boolean
  /** Images that were judged, or are on their way to the rater. */
  judged: number
}

interface Candidate {
  readonly prompt: PromptState
  readonly rank: Rank
  readonly lot: number
}

export class FreshWalk {
  readonly #order: FreshOrder
  readonly #raterSeed: number
  readonly #isClosed: (image: ImageState) => boolean
  readonly #seen = new Map<PromptState, Seen>()
  readonly #covered = new Map<CategoryState, number>()
  /** Lots of the prompts of a tier, once they were drawn. */
  readonly #lots = new Map<ReadonlySet<PromptState>, { prompt: PromptState; lot: number }[]>()

  /** @param closed images that this rater is not asked about: among them all fresh ones that are to be left out */
  constructor(freshOrder: FreshOrder, raterSeed: number, closed: ReadonlySet<ImageState>) {
    this.#order = freshOrder
    this.#raterSeed = raterSeed
    this.#isClosed = (image) => closed.has(image)
    for (const image of closed) if (image.prompt.fresh.has(image)) this.#look(image.prompt)
  }

  /** The prompt that comes next; undefined where nothing is left. */
  next(): PromptState | undefined {
    const seen = this.#bestSeen()
    const other = this.#bestUnseen()
    return (seen === undefined || (other !== undefined && this.#compare(other, seen) < 0) ? other : seen)?.prompt
  }

  /** How many images of a prompt are open. */
  count(prompt: PromptState): number {
    return this.#look(prompt).fresh.length
  }

  /** Takes the first few images of a prompt out. */
  take(prompt: PromptState, size: number): ImageState[] {
    const seen = this.#look(prompt)
    if (!seen.isInOrder) this.#sort(prompt, seen.fresh)
    seen.isInOrder = true
    return seen.fresh.splice(0, size)
  }

  /** Nothing of this prompt is asked any more. */
  close(prompt: PromptState): void {
    this.#look(prompt).fresh = []
  }

  /** These are on their way to the rater. */
  cover(images: readonly ImageState[]): void {
    for (const { prompt, judgments } of images) {
      if (judgments > 0) continue
      this.#look(prompt).judged++
      this.#covered.set(prompt.category, (this.#covered.get(prompt.category) ?? 0) + 1)
    }
  }

  #look(prompt: PromptState): Seen {
    const known = this.#seen.get(prompt)
    if (known !== undefined) return known
    const fresh = [...prompt.fresh].filter((image) => !this.#isClosed(image))
    const seen = { fresh, isInOrder: false, judged: prompt.judged }
    this.#seen.set(prompt, seen)
    return seen
  }

  #sort(prompt: PromptState, fresh: ImageState[]): void {
    const lots = new Map(fresh.map((image) => [image, lotOfImage(this.#raterSeed, image)]))
    const isFirst = prompt.judged === 0
    fresh.sort(
      (a, b) =>
        (isFirst ? order(b.uncertainty, a.uncertainty) : 0) ||
        order(lots.get(a)!, lots.get(b)!) ||
        order(a.place, b.place),
    )
  }

  #bestSeen(): Candidate | undefined {
    let best: Candidate | undefined
    for (const [prompt, { fresh, judged }] of this.#seen) {
      if (fresh.length === 0) continue
      const one = { prompt, rank: { level: judged }, lot: this.#lot(prompt) }
      if (best === undefined || this.#compare(one, best) < 0) best = one
    }
    return best
  }

  /** The first of those that are for this rater as they are for everybody. */
  #bestUnseen(): Candidate | undefined {
    for (const tier of this.#order.tiers) {
      const categories = [...tier.prompts].sort(([a], [b]) => order(this.#share(a), this.#share(b)))
      let best: Candidate | undefined
      for (const [category, peers] of categories) {
        if (best !== undefined && this.#share(category) > this.#share(best.prompt.category)) break
        for (const { prompt, lot } of this.#lotsOf(peers)) {
          if (this.#seen.has(prompt) || (best !== undefined && lot > best.lot)) continue
          const one = { prompt, rank: tier, lot }
          if (best === undefined || this.#compare(one, best) < 0) best = one
        }
      }
      if (best !== undefined) return best
    }
    return undefined
  }

  #lotsOf(peers: ReadonlySet<PromptState>): readonly { prompt: PromptState; lot: number }[] {
    return getOrAdd(this.#lots, peers, () => Array.from(peers, (prompt) => ({ prompt, lot: this.#lot(prompt) })))
  }

  /** Negative where `a` comes first. */
  #compare(a: Candidate, b: Candidate): number {
    return (
      orderOfRanks(a.rank, b.rank) ||
      order(this.#share(a.prompt.category), this.#share(b.prompt.category)) ||
      order(a.lot, b.lot) ||
      order(a.prompt.place, b.prompt.place)
    )
  }

  /** Breaks ties; another one for every rater, so that raters at the same time are asked different things. */
  #lot({ place }: PromptState): number {
    return seedOf(...queueStreams.promptLot(this.#raterSeed, place))
  }

  #share(category: CategoryState): number {
    return (category.judged + (this.#covered.get(category) ?? 0)) / category.images
  }
}
