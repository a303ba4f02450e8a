/** Who judges, and how far they agree. */
import { z } from 'zod'
import { Region } from '../../records.ts'
import { count, ImageRef, Interval, RaterName, time } from './basics.ts'
import { JudgmentId } from './labelling.ts'

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

const FlagKind = z.enum(['fast', 'gold', 'changed', 'cycle', 'against'])
export type FlagKind = z.infer<typeof FlagKind>

/** Answers that somebody should look at, or those about which that was decided. */
export const FlagsQuery = z.object({
  state: z.enum(['open', 'left-out', 'kept']).default('open'),
  kind: FlagKind.optional(),
  rater: RaterName.optional(),
  offset: z.coerce.number().int().min(0).default(0),
  count: z.coerce.number().int().min(1).max(100).default(12),
})
export type FlagsQuery = z.input<typeof FlagsQuery>

/** What a rater said once. */
export const FlaggedAnswer = z.object({
  id: z.string(),
  kind: z.string(),
  /** Ids, in the order shown. */
  images: z.array(z.string()),
  answer: z.string(),
  /** Of a rating: 1 to 7. */
  overall: z.number().nullable(),
  /** Of a ranking: of each image; 1 is best. */
  ranks: z.array(z.number()).nullable(),
  at: time,
  /** From when the images were shown to the answer, where that is known. */
  seconds: z.number().nullable(),
  /** What an admin has decided about it. */
  decision: z.enum(['left-out', 'kept']).nullable(),
})
export type FlaggedAnswer = z.infer<typeof FlaggedAnswer>

const AnsweredImages = z.object({ prompt: z.string(), /** Those that are there. */ images: z.array(ImageRef) })
export type AnsweredImages = z.infer<typeof AnsweredImages>

const tallies = z.array(z.object({ name: z.string(), count }))
export const Flags = z.object({
  flags: z.array(
    AnsweredImages.extend({
      id: z.string(),
      /**
       * `fast`: within 0.3 s of the images being shown; `gold`: against a known answer; `changed`: the same question answered
       * differently; `cycle`: A over B, B over C, C over A; `against`: good, bad or stars against which of two is better.
       * Null of one about which was decided.
       */
      kind: FlagKind.nullable(),
      rater: z.string(),
      /** All that are at odds, none of them left out of training by being here. */
      answers: z.array(FlaggedAnswer),
      canAskAgain: z.boolean(),
      /** When the rater was asked once more, who has not answered yet. */
      askedAt: time.nullable(),
    }),
  ),
  /** With those on other pages. */
  total: count,
  /** Open flags of each kind and of each rater. */
  kinds: tallies,
  raters: tallies,
  /** Answers about which was decided. */
  leftOut: count,
  kept: count,
})
export type Flags = z.infer<typeof Flags>

/** Pages of what one rater has answered, the last of it first. */
export const RaterHistoryQuery = z.object({
  offset: z.coerce.number().int().min(0).default(0),
  count: z.coerce.number().int().min(1).max(100).default(24),
})
export type RaterHistoryQuery = z.input<typeof RaterHistoryQuery>
export const RaterHistory = z.object({
  name: z.string(),
  /** The last day first, at most a year of them; UTC. */
  days: z.array(
    z.object({
      day: z.iso.date(),
      answers: count,
      skips: count,
      /** Median, from when images were shown to the answer. */
      seconds: z.number().nullable(),
      /** Answers of others about the same, and those of them that say the same. */
      compared: count,
      agreed: count,
      gold: z.object({ asked: count, right: count }),
    }),
  ),
  answers: z.array(
    AnsweredImages.extend({
      answer: FlaggedAnswer,
      /** Taken back, or followed by another answer to the same: it counts no more. */
      isOver: z.boolean(),
    }),
  ),
  /** With those on other pages. */
  total: count,
})
export type RaterHistory = z.infer<typeof RaterHistory>

const someJudgments = z.array(JudgmentId).min(1).max(200)
/** Null: what was decided does not hold any more. */
export const FlagsDecision = z.strictObject({
  judgments: someJudgments,
  decision: z.enum(['left-out', 'kept']).nullable(),
})
export type FlagsDecision = z.infer<typeof FlagsDecision>
export const FlagsAsked = z.strictObject({ judgments: someJudgments })
export type FlagsAsked = z.infer<typeof FlagsAsked>
export const Decided = z.object({ decided: count })
