/** Who judges, and how far they agree. */
import { z } from 'zod'
import { Region } from '../../records.ts'
import { count, ImageRef, Interval, time } from './basics.ts'

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

/** Pages of the labels that are to be settled; the least agreement first. */
export const DisagreementsQuery = z.object({
  offset: z.coerce.number().int().min(0).default(0),
  count: z.coerce.number().int().min(1).max(100).default(12),
})
export type DisagreementsQuery = z.input<typeof DisagreementsQuery>
export const Disagreements = z.object({
  labels: z.array(
    z.object({
      /** By which one more rater is asked about it. */
      question: z.string(),
      kind: z.enum(['good-bad-skip', 'pair', 'rating']),
      prompt: z.string(),
      images: z.array(ImageRef),
      answers: z.array(
        z.object({
          rater: z.string(),
          /** Of a pair: which of `images` is better, whatever order the rater saw them in. */
          answer: z.string(),
          reasons: z.array(z.string()),
          regions: z.array(Region),
          /** Words of the prompt that were marked as misread. */
          misread: z.array(z.string()),
        }),
      ),
      /** Median over the pairs of its raters: 1 where all agree. */
      agreement: z.number(),
      /** When one more rater was asked, who has not answered yet. */
      askedAt: time.nullable(),
    }),
  ),
  /** All that are in dispute, with those on other pages; of them those that somebody was asked about. */
  total: count,
  asked: count,
  /** Labels that somebody who was asked has settled. */
  settled: count,
})
export type Disagreements = z.infer<typeof Disagreements>
export const ThirdOpinionsAsked = z.strictObject({ questions: z.array(z.string().max(1000)).min(1).max(100) })
export type ThirdOpinionsAsked = z.infer<typeof ThirdOpinionsAsked>
/** Labels that are not in dispute any more, or that somebody is asked about already, are not among them. */
export const ThirdOpinions = z.object({ asked: count })
export type ThirdOpinions = z.infer<typeof ThirdOpinions>
