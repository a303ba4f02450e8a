/** Agreement that is asked for again and again while raters answer: only what their answers have changed is computed anew. */
import type { Judgment } from '../../records.ts'
import { isSameGold, type Gold } from '../queue/gold.ts'
import { bootstrapInterval, type AgreementInterval } from './agreement-interval.ts'
import {
  agreementByKind,
  raterSummaries,
  type Interval,
  type KindAgreement,
  type RaterSummary,
} from './agreement-summary.ts'

export class AgreementBook {
  #kinds: { readonly of: readonly Judgment[]; readonly made: readonly KindAgreement[] } | undefined
  #raters: { readonly of: readonly Judgment[]; readonly gold: Gold; readonly made: readonly RaterSummary[] } | undefined
  readonly #kindIntervals = new KeptIntervals()
  readonly #raterIntervals = new KeptIntervals()

  /** {@link agreementByKind}; the same list as long as the judgments are the same one. */
  byKind(judgments: readonly Judgment[]): readonly KindAgreement[] {
    if (this.#kinds?.of !== judgments) {
      this.#kinds = { of: judgments, made: this.#kindIntervals.round((of) => agreementByKind(judgments, of)) }
    }
    return this.#kinds.made
  }

  /** {@link raterSummaries}; the same list as long as the judgments are the same one, and the gold answers equal. */
  raters(judgments: readonly Judgment[], gold: Gold): readonly RaterSummary[] {
    if (this.#raters?.of !== judgments || !isSameGold(this.#raters.gold, gold)) {
      const made = this.#raterIntervals.round((of) => raterSummaries(judgments, gold, of))
      this.#raters = { of: judgments, gold, made }
    }
    return this.#raters.made
  }
}

/** Intervals by what they were computed of; those that the last round did not ask for are forgotten. */
class KeptIntervals {
  #kept = new Map<string, AgreementInterval | null>()

  round<T>(work: (interval: Interval) => T): T {
    const kept = new Map<string, AgreementInterval | null>()
    const made = work((measure, items, figure) => {
      const key = `${measure} ${JSON.stringify(items)}`
      const interval = this.#kept.has(key) ? this.#kept.get(key)! : bootstrapInterval(items, figure)
      kept.set(key, interval)
      return interval
    })
    this.#kept = kept
    return made
  }
}
