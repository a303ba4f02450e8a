/** Stores that nothing is in yet, for suites that run on every database. */
import { openFeedback, type FeedbackStore } from './store.ts'

export interface FreshPlace extends AsyncDisposable {
  readonly address: string
}

/** Runs tests, each in a store of its own. */
export const inFresh =
  (freshPlace: () => Promise<FreshPlace>) =>
  async (test: (store: FeedbackStore, address: string) => Promise<void>): Promise<void> => {
    await using place = await freshPlace()
    await using store = await openFeedback(place.address)
    await test(store, place.address)
  }
