/** How much was judged, kept up to date with every judgment that comes to stand, or no longer does. */
import type { Judgment } from '../../records.ts'
import type { StandingChange } from '../raters/standing.ts'

/** How often each of some things is there; those that are not there are not in it. */
class Tally<K> {
  readonly #counts = new Map<K, number>()

  add(key: K, change: 1 | -1): void {
    const count = this.of(key) + change
    if (count === 0) this.#counts.delete(key)
    else this.#counts.set(key, count)
  }

  of(key: K): number {
    return this.#counts.get(key) ?? 0
  }

  /** How many different ones there are. */
  get size(): number {
    return this.#counts.size
  }

  has(key: K): boolean {
    return this.#counts.has(key)
  }
}

export class StandingCounts {
  readonly #answers = new Tally<Judgment['answer']>()
  readonly #kinds = new Tally<Judgment['kind']>()
  readonly #raters = new Tally<string>()
  readonly #images = new Tally<string>()
  #labels = 0
  #followed = 0

  /** @param changes of which earlier calls have seen the first ones */
  follow(changes: readonly StandingChange[]): this {
    for (; this.#followed < changes.length; this.#followed++) {
      const { judgment, stands } = changes[this.#followed]
      const change = stands ? 1 : -1
      this.#answers.add(judgment.answer, change)
      this.#kinds.add(judgment.kind, change)
      this.#raters.add(judgment.rater, change)
      if (!isTelling(judgment)) continue
      this.#labels += change
      for (const image of judgment.images) this.#images.add(image, change)
    }
    return this
  }

  get counts() {
    return {
      judged: this.#images.size,
      labels: this.#labels,
      good: this.#answers.of('good'),
      bad: this.#answers.of('bad'),
      skip: this.#answers.of('skip'),
      pairs: this.#kinds.of('pair'),
      ratings: this.#kinds.of('rating'),
      rankings: this.#kinds.of('ranking'),
      votes: this.#kinds.of('vote'),
      raters: this.#raters.size,
    }
  }

  /** Whether an image has an answer that is no skip and no vote. */
  isJudged(image: string): boolean {
    return this.#images.has(image)
  }
}

const isTelling = ({ kind, answer }: Judgment): boolean => kind !== 'vote' && answer !== 'skip'
