/** The rounds of the store, and which images people are asked about. */
import { readExamples } from '../feedback/guidelines.ts'
import { addRound, askable, readRounds, type Round } from '../feedback/queue/rounds.ts'
import type { FeedbackStore } from '../feedback/store/store.ts'
import type { ImageRecord } from '../records.ts'
import type { RunNotes } from './run-notes.ts'

interface DrawnRound extends Round {
  /** How many different ones its images have. */
  readonly prompts: number
}

export class RoundBook {
  readonly #store: FeedbackStore
  readonly #notes: Pick<RunNotes, 'all' | 'isArchived' | 'isDeleted'>
  #drawn: { readonly from: readonly unknown[]; readonly rounds: readonly DrawnRound[] } | undefined
  #archived: { readonly from: readonly unknown[]; readonly images: ReadonlySet<string> } | undefined
  #asked: { readonly from: readonly unknown[]; readonly images: readonly ImageRecord[] } | undefined

  /** @param notes which rounds are archived */
  constructor(store: FeedbackStore, notes: Pick<RunNotes, 'all' | 'isArchived' | 'isDeleted'>) {
    this.#store = store
    this.#notes = notes
  }

  /** Oldest first. */
  all(): Promise<readonly Round[]> {
    return this.#store.kept(readRounds, 'rounds', 'round_images')
  }

  /** Adds a round of images that the store knows. */
  async add(round: Round): Promise<void> {
    await addRound(this.#store.database, round)
  }

  /** Images that nobody is asked about because all rounds that they are of are archived, or deleted. */
  async archived(): Promise<ReadonlySet<string>> {
    const rounds = await this.all()
    const notes = this.#notes.all()
    if (this.#archived?.from[0] !== rounds || this.#archived.from[1] !== notes) {
      const [shelved, kept] = [true, false].map((isShelved) =>
        rounds
          .filter(({ name }) => (this.#notes.isArchived(name) || this.#notes.isDeleted(name)) === isShelved)
          .flatMap(({ images }) => images),
      )
      const images = new Set(shelved).difference(new Set(kept))
      this.#archived = { from: [rounds, notes], images }
    }
    return this.#archived.images
  }

  /** Images of which raters were told what they are: nobody is asked about them. */
  examples(): Promise<ReadonlySet<string>> {
    return this.#store.kept(readExamples, 'guidelines')
  }

  /** The images that people are asked about: none that are archived, or of archived rounds, or examples, nor those that were drawn for a comparison. The same list until one changes. */
  async asked(): Promise<readonly ImageRecord[]> {
    const [images, rounds, shelved, examples] = await Promise.all([
      this.#store.images(),
      this.all(),
      this.archived(),
      this.examples(),
    ])
    const from = [images, rounds, shelved, examples]
    if (this.#asked?.from.some((one, i) => one !== from[i]) ?? true) {
      const records = images
        .filter(({ record, archived }) => archived !== true && !shelved.has(record.id) && !examples.has(record.id))
        .map(({ record }) => record)
      this.#asked = { from, images: askable(records, rounds) }
    }
    return this.#asked!.images
  }

  /** The rounds that people are asked about, archived ones too but none that were deleted, oldest first, with the images that are not archived one by one, nor examples. */
  async drawn(): Promise<readonly DrawnRound[]> {
    const [images, rounds, examples] = await Promise.all([this.#store.images(), this.all(), this.examples()])
    const from = [images, rounds, examples, this.#notes.all()]
    if (this.#drawn?.from.some((one, i) => one !== from[i]) ?? true) {
      const textOf = new Map(images.filter(({ record, archived }) => archived !== true && !examples.has(record.id)).map(({ record }) => [record.id, record.text])) // prettier-ignore
      const drawn = rounds
        .filter(({ name, purpose }) => purpose === 'round' && !this.#notes.isDeleted(name))
        .map((round) => ({ ...round, images: round.images.filter((id) => textOf.has(id)) }))
        .map((round) => ({ ...round, prompts: new Set(round.images.map((id) => textOf.get(id))).size }))
      this.#drawn = { from, rounds: drawn }
    }
    return this.#drawn!.rounds
  }
}
