/** Readings that calls at the same time share. */

/**
 * Calls that come while something is being read share the next reading, which sees all that they know of; those that come
 * together share one.
 */
export function sharedReading<T>(read: () => Promise<T>): () => Promise<T> {
  let coming: Promise<T> | undefined
  let current: Promise<unknown> = Promise.resolve()
  return () => {
    if (coming !== undefined) return coming
    const begin = () => {
      coming = undefined
      return read()
    }
    coming = current.then(begin, begin)
    current = coming
    return coming
  }
}
