/** In which order images that nobody has judged are asked about, kept up to date with every judgment. */
import { seedOf } from '../../random.ts'
import type { ImageRecord } from '../../records.ts'
import { queueStreams } from '../../streams.ts'
import { SortedList } from './sorted-list.ts'

export type QueueImage = Pick<ImageRecord, 'id' | 'text' | 'category'>

export interface CategoryState {
  readonly images: number
  /** Images that were judged. */
  judged: number
}

export interface PromptState {
  /** In the order in which the prompts came. */
  readonly place: number
  readonly text: string
  readonly category: CategoryState
  /** In the order in which they came. */
  readonly images: ImageState[]
  /** Those that nobody has judged and that may be asked about. */
  readonly fresh: Set<ImageState>
  /** Images that were judged. */
  judged: number
}

export interface ImageState {
  readonly id: string
  /** In the order in which the images came. */
  readonly place: number
  readonly prompt: PromptState
  /** How unsure the reward is of it; infinite where it does not say. */
  readonly uncertainty: number
  readonly isAskable: boolean
  /** How often it was judged; a skip does not count. */
  judgments: number
}

/** What prompts are compared by: those with the smallest level come first. */
export interface Rank {
  /** Images that were judged. */
  readonly level: number
}

/** The prompts of one rank. */
interface Tier extends Rank {
  readonly prompts: Map<CategoryState, Set<PromptState>>
}

interface FreshOrderOptions {
  readonly images: readonly QueueImage[]
  readonly uncertainties?: ReadonlyMap<string, number> | undefined
  /** Most images of a task. */
  readonly size: number
  /** Whether an image is asked about as a fresh one; of how many there are of its prompt. */
  readonly isAskable: (image: QueueImage, ofPrompt: number) => boolean
}

/**
 * Prompts with the fewest judged images come first, and of these the ones whose category has the smallest judged share. Where
 * uncertainties are given, the images of a prompt that nobody has judged come by them, the least certain first; that needed
 * more labels for the same reward (docs/log.md). Among equals each rater has an order of his own: see `FreshWalk`.
 */
export class FreshOrder {
  readonly prompts: readonly PromptState[]
  readonly size: number
  readonly #images = new Map<string, ImageState>()
  readonly #tiers = new SortedList<Tier>(orderOfRanks)
  /** The tier of each prompt that has fresh images. */
  readonly #tierOf = new Map<PromptState, Tier>()
  /** The tiers are made when they are first looked at: nobody waits for those of judgments that come before. */
  #hasTiers = false
  #freshCount = 0

  constructor({ images, uncertainties, size, isAskable }: FreshOrderOptions) {
    this.size = size
    const byPrompt = Map.groupBy(images, ({ text }) => text)
    const perCategory = Map.groupBy(images, ({ category }) => category)
    const categories = new Map([...perCategory].map(([name, all]) => [name, { images: all.length, judged: 0 }]))
    const prompts = new Map<string, PromptState>()
    for (const [text, [{ category }]] of byPrompt) {
      const state = { place: prompts.size, text, category: categories.get(category)!, images: [], fresh: new Set<ImageState>(), judged: 0 } // prettier-ignore
      prompts.set(text, state)
    }
    for (const [place, image] of images.entries()) {
      const prompt = prompts.get(image.text)!
      const uncertainty = uncertainties?.get(image.id) ?? Infinity
      const state = { id: image.id, place, prompt, uncertainty, isAskable: isAskable(image, byPrompt.get(image.text)!.length), judgments: 0 } // prettier-ignore
      this.#images.set(image.id, state)
      prompt.images.push(state)
      if (!state.isAskable) continue
      prompt.fresh.add(state)
      this.#freshCount++
    }
    this.prompts = [...prompts.values()]
  }

  /** How many images are fresh. */
  get freshCount(): number {
    return this.#freshCount
  }

  /** The first come first. */
  get tiers(): readonly Tier[] {
    if (!this.#hasTiers) for (const prompt of this.prompts) this.#enter(prompt)
    this.#hasTiers = true
    return this.#tiers.items
  }

  image(id: string): ImageState | undefined {
    return this.#images.get(id)
  }

  /** An image was judged once more (1), or a judgment of it does not stand any more (-1). */
  judge(image: ImageState, change: 1 | -1): void {
    const { prompt } = image
    const wasJudged = image.judgments > 0
    image.judgments += change
    if (wasJudged === image.judgments > 0) return
    if (this.#hasTiers) this.#leave(prompt)
    prompt.judged += change
    prompt.category.judged += change
    if (image.isAskable) {
      if (wasJudged) prompt.fresh.add(image)
      else prompt.fresh.delete(image)
      this.#freshCount -= change
    }
    if (this.#hasTiers) this.#enter(prompt)
  }

  #leave(prompt: PromptState): void {
    const tier = this.#tierOf.get(prompt)
    if (tier === undefined) return
    this.#tierOf.delete(prompt)
    const peers = tier.prompts.get(prompt.category)!
    peers.delete(prompt)
    if (peers.size === 0) tier.prompts.delete(prompt.category)
    if (tier.prompts.size === 0) this.#tiers.remove(tier)
  }

  #enter(prompt: PromptState): void {
    if (prompt.fresh.size === 0) return
    const rank = { level: prompt.judged }
    let tier = this.#tiers.find({ ...rank, prompts: new Map() })
    if (tier === undefined) {
      tier = { ...rank, prompts: new Map() }
      this.#tiers.add(tier)
    }
    this.#tierOf.set(prompt, tier)
    const peers = tier.prompts.get(prompt.category)
    if (peers === undefined) tier.prompts.set(prompt.category, new Set([prompt]))
    else peers.add(prompt)
  }
}

export const order = (a: number, b: number): number => (a < b ? -1 : a > b ? 1 : 0)

export const orderOfRanks = (a: Rank, b: Rank): number => order(a.level, b.level)

/** The place of an image in a rater's own order. */
export const lotOfImage = (raterSeed: number, { id }: ImageState): number =>
  seedOf(...queueStreams.imageLot(raterSeed, Number.parseInt(id.slice(0, 12), 16)))
