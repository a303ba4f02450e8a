/** The rounds of the store, and which images people are asked about. */
import { addRound, askable, readRounds, type Round } from '../feedback/queue/rounds.ts'
import type { FeedbackStore } from '../feedback/store/store.ts'
import type { ImageRecord } from '../records.ts'

interface DrawnRound extends Round {
  /** How many different ones its images have. */
  readonly prompts: number
}

export class RoundBook {
  readonly #store: FeedbackStore
  #drawn: { readonly from: readonly unknown[]; readonly rounds: readonly DrawnRound[] } | undefined
  #asked: { readonly from: readonly unknown[]; readonly images: readonly ImageRecord[] } | undefined

  constructor(store: FeedbackStore) {
    this.#store = store
  }

  /** Oldest first. */
  all(): Promise<readonly Round[]> {
    return this.#store.kept(readRounds, 'rounds', 'round_images')
  }

  /** Adds a round of images that the store knows. */
  async add(round: Round): Promise<void> {
    await addRound(this.#store.database, round)
  }

  /** The images that people are asked about: none that are archived, nor those that were drawn for a comparison. The same list until one changes. */
  async asked(): Promise<readonly ImageRecord[]> {
    const [images, rounds] = await Promise.all([this.#store.images(), this.all()])
    if (this.#asked?.from[0] !== images || this.#asked.from[1] !== rounds) {
      const records = images.filter(({ archived }) => archived !== true).map(({ record }) => record)
      this.#asked = { from: [images, rounds], images: askable(records, rounds) }
    }
    return this.#asked.images
  }

  /** The rounds that people are asked about, oldest first, with what of them is not archived. */
  async drawn(): Promise<readonly DrawnRound[]> {
    const [images, rounds] = await Promise.all([this.#store.images(), this.all()])
    if (this.#drawn?.from[0] !== images || this.#drawn.from[1] !== rounds) {
      const textOf = new Map(images.filter(({ archived }) => archived !== true).map(({ record }) => [record.id, record.text])) // prettier-ignore
      const drawn = rounds
        .filter(({ purpose }) => purpose === 'round')
        .map((round) => ({ ...round, images: round.images.filter((id) => textOf.has(id)) }))
        .map((round) => ({ ...round, prompts: new Set(round.images.map((id) => textOf.get(id))).size }))
      this.#drawn = { from: [images, rounds], rounds: drawn }
    }
    return this.#drawn.rounds
  }
}
