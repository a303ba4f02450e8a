/** How often somebody may fail before having to wait. In memory: it begins anew with the server. */
import { createHash } from 'node:crypto'
import { tooMany } from './failures.ts'

/** Failures count for so long. */
export const windowMs = 15 * 60_000
/** More things that are counted: those are forgotten that were counted first. */
const mostKept = 50_000

/** Of what at most so many failures are let through. */
export type Limit = readonly [what: string, most: number]

interface Count {
  failures: number
  /** Milliseconds. */
  readonly until: number
}

export class Attempts {
  readonly #counts = new Map<string, Count>()
  readonly #now: () => number

  /** @param now milliseconds */
  constructor(now: () => number = Date.now) {
    this.#now = now
  }

  /**
   * Counts an attempt as a failure of each, until it is told that it was none. Of one that is refused nothing is counted:
   * whoever has to wait cannot keep others from trying.
   *
   * @returns what to call where the attempt was no failure
   * @throws {StudioError} one of them has failed too often
   */
  begin(limits: readonly Limit[]): () => void {
    const now = this.#now()
    const counts = limits.map(([what, most]) => {
      // A proxy may tell an address as long as a header.
      const key = createHash('sha256').update(what).digest('base64')
      const kept = this.#counts.get(key)
      const count = kept !== undefined && kept.until > now ? kept : { failures: 0, until: now + windowMs }
      if (count.failures >= most) throw tooOften(most, count.until - now)
      return { key, count }
    })
    for (const { key, count } of counts) {
      count.failures++
      this.#counts.set(key, count)
      if (this.#counts.size > mostKept) this.#counts.delete(this.#counts.keys().next().value!)
    }
    return () => {
      for (const { count } of counts) count.failures--
    }
  }
}

function tooOften(most: number, leftMs: number) {
  const minutes = Math.ceil(leftMs / 60_000)
  return tooMany(
    {
      where: 'sign-in',
      expected: `at most ${most} wrong attempts in ${windowMs / 60_000} minutes`,
      received: 'more',
      remedy: `wait ${minutes === 1 ? 'a minute' : `${minutes} minutes`}, or ask an admin for a link`,
    },
    leftMs / 1000,
  )
}
