/** How many more trials a decision takes: at the least, and if they go on as they may be expected to. */
export interface TrialsWanted {
  readonly least: number
  /** Null beyond {@link mostTold}: the two are about equally good. */
  readonly about: number | null
}

/** Probability of ever calling two equal sides different. */
export const errorRate = 0.05

/** Larger numbers are not told. */
export const mostTold = 1000
