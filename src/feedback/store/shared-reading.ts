/** Readings that calls at the same time share. */

/** Calls that come while something is being read share the next reading, which sees all that they know of. */
export function sharedReading<T>(read: () => Promise<T>): () => Promise<T> {
  let current: Promise<T> | undefined
  let next: Promise<T> | undefined
  const start = (): Promise<T> => {
    current = read().finally(() => (current = undefined))
    return current
  }
  return () => {
    if (current === undefined) return start()
    const follow = () => {
      next = undefined
      return start()
    }
    next ??= current.then(follow, follow)
    return next
  }
}
