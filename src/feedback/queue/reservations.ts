/**
 * Which images are on their way to a rater: nobody else is asked about them for a while, so that raters at the same time
 * judge different ones. Kept in memory: after a restart some images may be asked about twice.
 */

/** A page asks anew long before, and with that keeps what it holds. */
const keptMs = 5 * 60_000
/** Of one rater: more than a page holds, and too few to keep the others from working. */
const mostEach = 300

export class Reservations {
  /** Image → until when, of each rater; the oldest first. */
  readonly #kept = new Map<string, Map<string, number>>()
  readonly #now: () => number

  constructor(now: () => number = Date.now) {
    this.#now = now
  }

  /** Images that are on their way to others. */
  ofOthers(rater: string): ReadonlySet<string> {
    this.#forget()
    return new Set([...this.#kept].flatMap(([name, images]) => (name === rater ? [] : [...images.keys()])))
  }

  /** Hands images to a rater, and keeps of those that the rater holds the ones that were handed out before. */
  hand(rater: string, fresh: readonly string[], held: ReadonlySet<string>): void {
    const images = this.#kept.get(rater) ?? new Map<string, number>()
    const until = this.#now() + keptMs
    for (const image of [...[...images.keys()].filter((one) => held.has(one)), ...fresh]) {
      images.delete(image)
      images.set(image, until)
    }
    for (const image of [...images.keys()].slice(0, Math.max(0, images.size - mostEach))) images.delete(image)
    if (images.size > 0) this.#kept.set(rater, images)
  }

  /** An answer was given: a skipped image is for the others. */
  release(rater: string, answered: readonly string[]): void {
    const images = this.#kept.get(rater)
    for (const image of answered) images?.delete(image)
  }

  #forget(): void {
    const now = this.#now()
    for (const [rater, images] of this.#kept) {
      for (const [image, until] of images) if (until <= now) images.delete(image)
      if (images.size === 0) this.#kept.delete(rater)
    }
  }
}
