/** How many answers may train, kept up to date with every judgment that comes to stand, or no longer does. */
import { isSameGold } from '../feedback/queue/gold.ts'
import type { FeedbackStore } from '../feedback/store/store.ts'
import { mayTrain, readUntaught, type Untaught } from '../feedback/training-judgments.ts'

export class TaughtBook {
  readonly #store: FeedbackStore
  #known: { readonly basis: Untaught; followed: number; count: number } | undefined

  constructor(store: FeedbackStore) {
    this.#store = store
  }

  /** Answers that are no skip, as the results of `reward train` count them. */
  async count(): Promise<number> {
    const [changes, basis] = await Promise.all([this.#store.changes(), readUntaught(this.#store.database)])
    const isKnown = this.#known !== undefined && isSame(this.#known.basis, basis)
    const known = isKnown ? this.#known! : (this.#known = { basis, followed: 0, count: 0 })
    for (; known.followed < changes.length; known.followed++) {
      const { judgment, stands } = changes[known.followed]
      if (judgment.answer !== 'skip' && mayTrain(judgment, basis)) known.count += stands ? 1 : -1
    }
    return known.count
  }
}

const isSame = (a: Untaught, b: Untaught): boolean =>
  a.excluded.symmetricDifference(b.excluded).size === 0 && isSameGold(a.gold, b.gold)
