/** Flags that are asked for again and again while raters answer: those of a rater with new answers are found anew. */
import { getOrAdd } from '../../get-or-add.ts'
import type { Judgment } from '../../records.ts'
import { isSameGold, type Gold } from '../queue/gold.ts'
import type { Decisions } from '../raters/decisions.ts'
import { flagsOf, type Flag } from './flags.ts'

interface OfRater {
  readonly rows: Judgment[]
  flags: readonly Flag[] | undefined
}

export class FlagBook {
  readonly #of = new Map<string, OfRater>()
  readonly #byId = new Map<string, Judgment>()
  #followed = 0
  #gold: Gold = new Map()
  #leftOut: ReadonlySet<string> = new Set()

  /**
   * Flags of all raters that nobody has settled, the newest first.
   *
   * @param rows every judgment, in order of arrival: a list that grows
   */
  open(rows: readonly Judgment[], gold: Gold, decisions: Decisions): Flag[] {
    this.#follow(rows)
    const leftOut = new Set([...decisions].flatMap(([id, { decision }]) => (decision === 'left-out' ? [id] : [])))
    if (!isSameGold(gold, this.#gold) || leftOut.symmetricDifference(this.#leftOut).size > 0) {
      for (const of of this.#of.values()) of.flags = undefined
      this.#gold = gold
      this.#leftOut = leftOut
    }
    return [...this.#of.values()]
      .flatMap((of) => (of.flags ??= flagsOf(of.rows, { gold, leftOut })))
      .filter(({ judgments }) => !judgments.every(({ id }) => decisions.get(id)?.decision === 'kept'))
      .sort((a, b) => (newest(a) < newest(b) ? 1 : newest(a) > newest(b) ? -1 : a.id < b.id ? -1 : 1))
  }

  /** @returns undefined where there is none */
  judgment(rows: readonly Judgment[], id: string): Judgment | undefined {
    this.#follow(rows)
    return this.#byId.get(id)
  }

  /** All of a rater, in order of arrival. */
  rowsOf(rows: readonly Judgment[], rater: string): readonly Judgment[] {
    this.#follow(rows)
    return this.#of.get(rater)?.rows ?? []
  }

  #follow(rows: readonly Judgment[]): void {
    for (; this.#followed < rows.length; this.#followed++) {
      const row = rows[this.#followed]
      const of = getOrAdd(this.#of, row.rater, (): OfRater => ({ rows: [], flags: undefined }))
      of.rows.push(row)
      of.flags = undefined
      this.#byId.set(row.id, row)
    }
  }
}

const newest = ({ judgments }: Flag) => judgments.reduce((last, { at }) => (at > last ? at : last), '')
