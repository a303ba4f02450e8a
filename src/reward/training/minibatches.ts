/** The minibatches of a fit, in a random order that another process can go on with. */
import { z } from 'zod'
import { random, randomFrom, type Random } from '../../random.ts'
import { rewardStreams } from '../../streams.ts'
import type { Comparison, Label, RewardExamples } from '../examples/reward-examples.ts'

/** How far a fit has come, as it survives JSON. */
export const FitProgress = z.object({
  /** Updates done. */
  update: z.int().nonnegative(),
  /** The stream as the epoch began, and now. */
  epochStream: z.array(z.number()),
  stream: z.array(z.number()),
})
export type FitProgress = z.infer<typeof FitProgress>

/** Full batches of the larger kind of examples, and beside each an even part of the other kind. */
export class Minibatches {
  /** In an epoch. */
  readonly count: number
  readonly #examples: RewardExamples
  readonly #batchSize: number
  #stream: Random
  #epochStream: readonly number[]
  #order: RewardExamples = { labels: [], comparisons: [] }
  #update = 0

  /** @param progress where to go on; at the beginning without it */
  constructor(examples: RewardExamples, batchSize: number, seed: number, progress?: FitProgress) {
    const { labels, comparisons } = examples
    this.#examples = examples
    this.#batchSize = batchSize
    this.count = Math.ceil(Math.max(labels.length, comparisons.length) / batchSize)
    this.#stream = random(...rewardStreams.examples(seed))
    this.#epochStream = this.#stream.state()
    if (progress === undefined) return
    this.#update = progress.update
    if (this.#update % this.count > 0) {
      this.#stream = randomFrom(progress.epochStream)
      this.#shuffle()
    }
    this.#stream = randomFrom(progress.stream)
  }

  /** From which an update also draws what it shows with its examples. */
  get stream(): Random {
    return this.#stream
  }

  get progress(): FitProgress {
    return { update: this.#update, epochStream: [...this.#epochStream], stream: [...this.#stream.state()] }
  }

  next(): { readonly labels: readonly Label[]; readonly comparisons: readonly Comparison[] } {
    const place = this.#update++ % this.count
    if (place === 0) this.#shuffle()
    return { labels: this.#part(this.#order.labels, place), comparisons: this.#part(this.#order.comparisons, place) }
  }

  #shuffle(): void {
    this.#epochStream = this.#stream.state()
    const { labels, comparisons } = this.#examples
    this.#order = { labels: this.#stream.shuffle(labels), comparisons: this.#stream.shuffle(comparisons) }
  }

  #part<T>(order: readonly T[], place: number): T[] {
    const isFull = Math.ceil(order.length / this.#batchSize) === this.count
    const size = isFull ? this.#batchSize : order.length / this.count
    return order.slice(Math.round(place * size), Math.round((place + 1) * size))
  }
}
