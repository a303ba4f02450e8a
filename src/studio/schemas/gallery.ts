/** All images: which are wanted, in which order, and what is known of one. */
import { z } from 'zod'
import { Category, ImageRecord } from '../../records.ts'
import { count, ImageId, ImageRef, RaterName, RunName, time } from './basics.ts'

/** Who drew an image; `uploaded`: somebody brought it. Uploaded images may name runs of elsewhere. */
const PolicyName = z.string().min(1).max(200)

const verdicts = ['good', 'bad', 'even', 'disagreed', 'judged', 'unlabelled'] as const
/**
 * What people said: more good than bad answers, fewer, or as many of both; some good and some bad ones; any answer but skips and
 * votes, or none.
 */
export const Verdict = z.enum(verdicts)
export type Verdict = z.infer<typeof Verdict>

const gallerySorts = ['newest', 'oldest', 'highest', 'lowest', 'unsure'] as const
/** By time; by the score of the reward, or by how unsure it is: images that it has not scored come last. */
export const GallerySort = z.enum(gallerySorts)
export type GallerySort = z.infer<typeof GallerySort>

const figure = z.coerce.number().min(-1e9).max(1e9)

/** Everything that is given must hold. */
export const GalleryFilter = z.object({
  round: RunName.optional(),
  policy: PolicyName.optional(),
  /** A part of the prompt; upper and lower case are alike. */
  prompt: z.string().max(200).optional(),
  category: Category.optional(),
  verdict: Verdict.optional(),
  /** Who has judged it, if only by a skip. */
  rater: RaterName.optional(),
  /** Whose scores are meant; without it those of the newest reward that has some. */
  reward: RunName.optional(),
  /** Bounds of its score, both included. */
  from: figure.optional(),
  to: figure.optional(),
  archived: z.enum(['hidden', 'only', 'shown']).default('hidden'),
})
export type GalleryFilter = z.output<typeof GalleryFilter>

export const GalleryQuery = GalleryFilter.extend({
  sort: GallerySort.default('newest'),
  /** The last image that is there already: those after it come, whether or not it is still among them. */
  after: z
    .string()
    .regex(/^[\w-]{1,200}$/, 'the `next` of an earlier answer')
    .optional(),
  count: z.coerce.number().int().min(1).max(200).default(60),
})
export type GalleryQuery = z.input<typeof GalleryQuery>

const GalleryImage = z.object({
  id: ImageId,
  /** Null: its file is gone or damaged. */
  image: ImageRef.nullable(),
  prompt: z.string(),
  policy: z.string(),
  /** Answers that stand. */
  good: count,
  bad: count,
  judged: z.boolean(),
  score: z.number().nullable(),
  archived: z.boolean(),
})
export type GalleryImage = z.infer<typeof GalleryImage>

export const GalleryPage = z.object({
  images: z.array(GalleryImage),
  /** All that there are, with those of other pages. */
  total: count,
  /** For `after`; null: these were the last. */
  next: z.string().nullable(),
  /** Whose scores these are; null where no reward has scored images. */
  reward: RunName.nullable(),
  /** What can be chosen. */
  choices: z.object({
    rounds: z.array(RunName),
    policies: z.array(z.string()),
    categories: z.array(Category),
    raters: z.array(z.string()),
    rewards: z.array(RunName),
  }),
})
export type GalleryPage = z.infer<typeof GalleryPage>

const Relative = z.object({ id: ImageId, image: ImageRef.nullable(), policy: z.string(), round: RunName.nullable() })

/** What is known of one image. */
export const GalleryDetail = GalleryImage.extend({
  /** Where it came from. */
  record: ImageRecord.omit({ file: true }),
  rounds: z.array(RunName),
  /** Rows about it in order of arrival, the last of them. */
  history: z.array(
    z.object({
      id: z.string(),
      kind: z.string(),
      answer: z.string(),
      rater: z.string(),
      at: time,
      /** False: it was taken back, or the rater has said something else since. */
      stands: z.boolean(),
      /** It takes an earlier row back and says nothing else. */
      undoes: z.boolean(),
      reasons: z.array(z.string()),
      /** What it says of this image, where the answer alone does not. */
      told: z
        .union([
          z.enum(['preferred', 'not-preferred']),
          /** Each 1 to 7. */
          z.object({ overall: z.number(), alignment: z.number(), fidelity: z.number() }),
          /** Its place among so many; 1 is best. */
          z.object({ rank: z.number(), of: count }),
        ])
        .nullable(),
    }),
  ),
  /** Of each reward that has scored it, the newest first. */
  scores: z.array(z.object({ reward: RunName, score: z.number().nullable(), uncertainty: z.number().nullable() })),
  /** Of the same prompt and noise, by other policies. */
  sameNoise: z.array(Relative),
})
export type GalleryDetail = z.infer<typeof GalleryDetail>

export const ArchiveChange = z.strictObject({
  images: z.array(ImageId).min(1).max(1000),
  archived: z.boolean(),
})
export type ArchiveChange = z.infer<typeof ArchiveChange>
export const Archived = z.object({ changed: count })
export type Archived = z.infer<typeof Archived>

/** Images that are wanted as files: their ids, joined by commas. */
export const GalleryExportQuery = z.object({
  images: z
    .string()
    .max(17 * 400)
    .transform((ids) => ids.split(','))
    .pipe(z.array(ImageId).min(1).max(400)),
})
