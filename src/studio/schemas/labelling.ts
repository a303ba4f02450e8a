/** What raters are asked, what they answer, and how they are asked. */
import { z } from 'zod'
import { Judgment } from '../../records.ts'
import { clean, count, ImageId, ImageRef, isClean, RunName, text } from './basics.ts'

export const taskModes = ['good-bad', 'pair', 'rating'] as const
export const TaskMode = z.enum(taskModes)
export type TaskMode = z.infer<typeof TaskMode>

export const Progress = z.object({
  /** Things of this mode that this rater has judged, and all that there are for this rater. */
  done: count,
  total: count,
})
export type Progress = z.infer<typeof Progress>

/**
 * What is asked next. `good-bad`: one to three images of one prompt, a `good-bad-skip` judgment of each. `pair`: two or
 * more images of one prompt; the first two are shown, the winner stays and meets the next one, a tie or "both bad" goes on with
 * the next two; a `pair` judgment of each meeting. `rating`: images of one prompt, a `rating` of each, and then, where there are
 * two or more, one `ranking` of all. The order is random; judgments name it in `images` (and `shown`).
 */
export const Task = z.object({
  id: z.string(),
  mode: TaskMode,
  prompt: z.string(),
  images: z.array(ImageRef).min(1),
  /** Of `rating`: the overall ratings that this rater has given some of the images before; those are not asked again. */
  rated: z.record(z.string(), z.number()).default({}),
  /** Others differ about it, and this rater was asked to settle it. */
  settles: z.boolean().optional(),
  /** This rater has answered it before, and is asked once more. */
  again: z.boolean().optional(),
})
export type Task = z.infer<typeof Task>
export const Tasks = z.object({ tasks: z.array(Task), progress: Progress })
export type Tasks = z.infer<typeof Tasks>
export const TasksQuery = z.object({
  mode: TaskMode.default('good-bad'),
  count: z.coerce.number().int().min(1).max(50).default(5),
  /** Ids of images that the page already holds, joined by commas: they do not come again. */
  without: z.string().max(10_000).default(''),
})
export type TasksQuery = z.input<typeof TasksQuery>

const own = { rater: true, raterKind: true } as const
/** A UUID made by the page; what was imported may have others. */
export const JudgmentId = z.string().min(1).max(200).refine(isClean, clean)
const OwnImageId = z.string().min(1).max(100)
const sent = {
  id: JudgmentId,
  undoes: JudgmentId.optional(),
  shown: z.array(OwnImageId).max(16).optional(),
}
const [GoodBadSkip, Pair, Rating, Ranking] = Judgment.options
/** A judgment as a page sends it: who judges is the server's to say, and votes have a way of their own. */
export const NewJudgment = z.discriminatedUnion('kind', [
  GoodBadSkip.omit(own).extend({ ...sent, images: z.array(OwnImageId).length(1) }),
  Pair.omit(own).extend({ ...sent, images: z.array(OwnImageId).length(2) }),
  Rating.omit(own).extend({ ...sent, images: z.array(OwnImageId).length(1) }),
  Ranking.omit(own).extend({ ...sent, images: z.array(OwnImageId).min(2).max(16) }),
])
export type NewJudgment = z.infer<typeof NewJudgment>
export const NewJudgments = z.strictObject({ judgments: z.array(NewJudgment).min(1).max(200) })
export type NewJudgments = z.infer<typeof NewJudgments>
/** Which of a rater's own answers are wanted. */
export const OwnAnswersQuery = z.object({
  mode: TaskMode.default('good-bad'),
  count: z.coerce.number().int().min(1).max(50).default(20),
})
export type OwnAnswersQuery = z.input<typeof OwnAnswersQuery>
/** A rater's own answers that stand, the last one first: what can be taken back, by the same judgment with `undoes`. */
export const OwnAnswers = z.object({
  answers: z.array(
    z.object({
      judgment: NewJudgment,
      /** What was on the screen: its images are those that the judgment tells as shown, else those that it judges. */
      task: Task,
    }),
  ),
})
export type OwnAnswers = z.infer<typeof OwnAnswers>
/** When this arrives, the judgments are on the disk. */
export const Added = z.object({
  added: count,
  /** Sent before; counted once. */
  known: count,
})
export type Added = z.infer<typeof Added>

const GuidelineExample = z.object({
  image: ImageId,
  /** What a careful rater calls it. */
  answer: z.enum(['good', 'bad']),
  /** Why, in a sentence; may be empty. */
  note: z.string().max(300, 'at most 300 characters').refine(isClean, clean),
})

export const Guidelines = z.object({
  /** Plain text; blank lines part paragraphs, lines that begin with "- " are a list, with "# " a heading. */
  text,
  /** Reasons that a rater may pick; the code goes into `reasons` of the judgment. */
  reasons: z
    .array(
      z.object({
        code: z.string().regex(/^[a-z0-9-]{1,60}$/, '1 to 60 lower-case letters, digits and hyphens'),
        label: z.string().min(1, '1 to 200 characters').max(200, '1 to 200 characters'),
      }),
    )
    .max(30, 'at most 30 reasons')
    .refine((reasons) => new Set(reasons.map(({ code }) => code)).size === reasons.length, 'codes that differ'),
  /** What raters agree to; shown before the first answer where it is not empty, and part of every export. */
  consent: text,
  /** Images beside the text, in the order shown. Nobody is asked about an image that was one, in whatever version. */
  examples: z
    .array(GuidelineExample)
    .max(12, 'at most 12 examples')
    .refine((all) => new Set(all.map(({ image }) => image)).size === all.length, 'each image once')
    .default([]),
})
export type Guidelines = z.infer<typeof Guidelines>
/** As they are shown. */
export const ShownGuidelines = Guidelines.extend({
  examples: z.array(
    GuidelineExample.extend({
      /** Null: the image was deleted. */
      picture: ImageRef.nullable(),
      prompt: z.string(),
    }),
  ),
})
export type ShownGuidelines = z.infer<typeof ShownGuidelines>

const askedShare = z.number('0 to 100 %').min(0, '0 to 100 %').max(1, '0 to 100 %')

/** How raters are asked. */
export const AskingSettings = z.object({
  /** Way of asking that comes first; a rater may choose another. */
  mode: TaskMode,
  /** Share of the images that two raters are asked about. */
  overlapShare: askedShare,
  /** Share of the tasks that hold an image with a known answer. */
  goldShare: askedShare,
  /** Of a prompt that nobody has judged, the images come first of which the reward is least sure. */
  byUncertainty: z.boolean(),
})
export type AskingSettings = z.infer<typeof AskingSettings>

/** Images with a known answer, by which raters are checked. */
export const Gold = z.object({
  items: z.array(z.object({ image: ImageRef, prompt: z.string(), answer: z.enum(['good', 'bad']) })),
})
export type Gold = z.infer<typeof Gold>
/** Null: its answer is not known any more. */
export const GoldChange = z.strictObject({ answer: z.enum(['good', 'bad']).nullable() })
export type GoldChange = z.infer<typeof GoldChange>

/** Images that people are asked about, by their prompts: those of a round, of prompts that hold a text. */
export const AskedImagesQuery = z.object({
  round: RunName.optional(),
  /** Upper and lower case are alike. */
  prompt: z.string().max(200).optional(),
  offset: z.coerce.number().int().min(0).default(0),
  count: z.coerce.number().int().min(1).max(100).default(24),
})
export type AskedImagesQuery = z.input<typeof AskedImagesQuery>
export const AskedImages = z.object({
  images: z.array(z.object({ image: ImageRef, prompt: z.string() })),
  /** All that there are, with those on other pages. */
  total: count,
})
export type AskedImages = z.infer<typeof AskedImages>
