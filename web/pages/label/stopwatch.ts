import { useEffect, useMemo } from 'react'

/** How long a person looks: time in which the page is hidden does not count. */
class Stopwatch {
  #begun = performance.now()
  #hidden = 0
  #hiddenSince: number | undefined

  restart(): void {
    this.#begun = performance.now()
    this.#hidden = 0
    if (this.#hiddenSince !== undefined) this.#hiddenSince = this.#begun
  }

  /** Milliseconds since the start, whole. */
  read(): number {
    const now = performance.now()
    const hidden = this.#hidden + (this.#hiddenSince === undefined ? 0 : now - this.#hiddenSince)
    return Math.max(0, Math.round(now - this.#begun - hidden))
  }

  look(isHidden: boolean): void {
    const now = performance.now()
    if (isHidden) this.#hiddenSince ??= now
    else if (this.#hiddenSince !== undefined) {
      this.#hidden += now - this.#hiddenSince
      this.#hiddenSince = undefined
    }
  }
}

export function useStopwatch(): Stopwatch {
  const watch = useMemo(() => new Stopwatch(), [])
  useEffect(() => {
    const look = () => watch.look(document.hidden)
    document.addEventListener('visibilitychange', look)
    return () => document.removeEventListener('visibilitychange', look)
  }, [watch])
  return watch
}
