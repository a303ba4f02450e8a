/** What cannot be used is left out, not fatal: it is named, and counted where there is much of it. */
import { FormatError } from '../errors.ts'
import { placeOfThis } from '../place-in-group.ts'
import type { ProgressStream } from '../progress.ts'

const mostNamed = 10

export class LeftOut {
  readonly #what: string
  #count = 0
  #untold: string[] = []

  /** @param what `training images` */
  constructor(what: string) {
    this.#what = what
  }

  get count(): number {
    return this.#count
  }

  add(error: FormatError): void {
    this.#count++
    this.#untold.push(error.message)
  }

  /** What `make` returns; nothing where it throws a FormatError, which is noted. Other errors pass. */
  async attempt<T>(make: () => T | Promise<T>): Promise<T | undefined> {
    try {
      return await make()
    } catch (error) {
      if (!(error instanceof FormatError)) throw error
      this.add(error)
      return undefined
    }
  }

  /**
   * From now on it has what each process of a group has left out since the last telling; all have the same.
   *
   * @param gather the messages of each process, from those of this one
   */
  gather(gather: (own: readonly string[]) => readonly (readonly string[])[]): void {
    const all = gather(this.#untold).flat()
    this.#count += all.length - this.#untold.length
    this.#untold = all
  }

  /**
   * Names what was left out since it was last told: ten by their messages, the rest by their number. Of processes that work
   * as one, the first one tells it.
   */
  tell(stream: ProgressStream = process.stderr): void {
    const named = this.#untold.slice(0, mostNamed)
    const more = this.#untold.length - named.length
    const lines = more > 0 ? [...named, `${more} more`] : named
    if (placeOfThis().rank === 0)
      stream.write(lines.map((line) => `${this.#what}: left out ${line.replaceAll('\n', ' ')}\n`).join(''))
    this.#untold = []
  }
}
