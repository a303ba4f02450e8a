/** Who judges, and how far they agree. */
import { z } from 'zod'
import { count, Interval, time } from './basics.ts'

export const RaterSummary = z.object({
  name: z.string(),
  kind: z.enum(['person', 'simulated']),
  judgments: count,
  skips: count,
  /** Median seconds an answer. */
  secondsPerAnswer: z.number().nullable(),
  /** Cohen's κ with all others on what both judged. */
  agreement: Interval.nullable(),
  /** Gold items: answers with a known right one. */
  gold: z.object({ asked: count, right: count }),
  /** Judgments stay and are not trained on. */
  excluded: z.boolean(),
  lastAt: time.nullable(),
})
export type RaterSummary = z.infer<typeof RaterSummary>
export const Raters = z.object({ raters: z.array(RaterSummary) })
export type Raters = z.infer<typeof Raters>
export const RaterChange = z.strictObject({ excluded: z.boolean() })
export type RaterChange = z.infer<typeof RaterChange>

export const Agreement = z.object({
  /** Of every way of asking that two raters or more have answered. */
  kinds: z.array(
    z.object({
      kind: z.enum(['good-bad-skip', 'pair', 'rating', 'ranking']),
      /** Items that at least two raters judged. */
      items: count,
      raters: count,
      alphaNominal: Interval.nullable(),
      alphaOrdinal: Interval.nullable(),
      fleissKappa: Interval.nullable(),
      pairs: z.array(z.object({ first: z.string(), second: z.string(), kappa: Interval })),
    }),
  ),
})
export type Agreement = z.infer<typeof Agreement>
