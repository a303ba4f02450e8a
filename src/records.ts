/**
 * What travels between the stages: Prompt → Image → Judgment. Each record names its parent by id, so a
 * label can be followed back to the prompt, the seed and the policy that drew the image. On disk: one JSON object a line.
 */
import { z } from 'zod'

export const categories = ['color', 'count', 'background', 'combination', 'other'] as const

/** What a prompt asks for beyond its object; `other` is free text. */
export const Category = z.enum(categories)
export type Category = z.infer<typeof Category>

/** What a prompt states, in the words of the vocabulary. What is absent is left to the model. */
export const Attributes = z.strictObject({
  /** Singular noun: `circle`. */
  object: z.string().optional(),
  color: z.string().optional(),
  /** 1 … the vocabulary's largest. */
  count: z.int().positive().optional(),
  background: z.string().optional(),
})
export type Attributes = z.infer<typeof Attributes>

/** Where one object stands as seen from another. */
export const relations = ['left of', 'right of', 'above', 'below'] as const
const ObjectClass = z.string().trim().min(1).max(200)
const ObjectCount = z.int().min(1).max(100)

/** Objects that an image must show and such that it must not, as GenEval states them (Ghosh et al. 2023). */
export const Composition = z
  .object({
    /** Kind of prompt, by which results are told: `counting`, `color_attr`. */
    tag: ObjectClass.optional(),
    include: z
      .array(
        z.object({
          class: ObjectClass,
          /** At least so many of them. */
          count: ObjectCount.default(1),
          color: ObjectClass.optional(),
          /** Relation to the objects of an earlier entry, by its place. */
          position: z.tuple([z.enum(relations), z.int().nonnegative()]).optional(),
        }),
      )
      .min(1)
      .max(32),
    exclude: z
      .array(z.object({ class: ObjectClass, count: ObjectCount }))
      .max(32)
      .optional(),
  })
  .refine(({ include }) => include.every(({ position }, place) => position === undefined || position[1] < place), {
    path: ['include'],
    message: 'positions that refer to an earlier entry',
  })
export type Composition = z.infer<typeof Composition>

/** What an image is asked to show. */
export const Prompt = z.strictObject({
  /** Unique in its file; images and judgments refer to it. */
  id: z.string().min(1),
  text: z.string().min(1),
  category: Category,
  /** Present where the text was made from, or parsed by, a vocabulary. */
  attributes: Attributes.optional(),
  /** Present where the prompt file states it. */
  objects: Composition.optional(),
  /** Of its images, in place of the run's. */
  seed: z.int().nonnegative().optional(),
  /** What the images should not show: guidance leads away from it, where otherwise it leads away from no prompt. */
  negative: z.string().min(1).optional(),
})
export type Prompt = z.infer<typeof Prompt>

/** An image that was drawn or brought, of one prompt. */
export const ImageRecord = z.strictObject({
  /**
   * First 16 hex digits of SHA-256 over the prompt's text and the PNG (of an image that a person brought: the file as it
   * was brought): the same picture of the same prompt has one id.
   */
  id: z.string().regex(/^[0-9a-f]{16}$/),
  /** Parent: the prompt's id, with its text beside it so that an image folder can be read alone. */
  prompt: z.string().min(1),
  text: z.string().min(1),
  category: Category,
  attributes: Attributes.optional(),
  /** PNG file, relative to the run folder. */
  file: z.string().min(1),
  /** Of the PNG file. */
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  /** The noise is a function of (seed, index) alone. Of an image that a person brought: 0, and its place in the folder. */
  seed: z.int().nonnegative(),
  index: z.int().nonnegative(),
  /** Of a prompt with a seed of its own: which of its images this is. The noise is then a function of (seed, draw). */
  draw: z.int().nonnegative().optional(),
  /** What guidance led away from. */
  negative: z.string().min(1).optional(),
  /** The run that trained the policy, `pretrained`, or `uploaded` for an image that a person brought. */
  policy: z.string().min(1),
  /** Of the policy’s change: 0 is the pre-trained model; 1, as it was trained, where nothing is said. */
  strength: z.number().optional(),
  /** How it was drawn; unknown of an image that a person brought. */
  sampler: z.enum(['ddim', 'flow-ode', 'flow-sde', 'flow-cps']).optional(),
  steps: z.int().positive().optional(),
  eta: z.number().nonnegative().optional(),
  guidance: z.number().optional(),
  /** What a person brought: the name of the file, its SHA-256, and the model that drew it where that was stated. */
  source: z
    .strictObject({ name: z.string(), sha256: z.string().regex(/^[0-9a-f]{64}$/), model: z.string().optional() })
    .optional(),
})
export type ImageRecord = z.infer<typeof ImageRecord>

/** A text without NUL and half characters, which a database or a file would refuse or change. */
const Text = z
  .string()
  .refine((text) => !text.includes('\0') && text.isWellFormed(), 'a text without NUL and half characters')
const Name = Text.min(1)

/** What every judgment says, whatever was asked. */
const judgmentFields = {
  /** Given by the writer (a UUID), so that a repeated submission counts once. */
  id: Name,
  rater: Name.max(10_000),
  /** A simulated rater is always marked as such. */
  raterKind: z.enum(['person', 'simulated']),
  /** ISO 8601, UTC. */
  at: z.iso.datetime(),
  /** Time the rater took, where it is known. */
  durationMs: z.number().nonnegative().optional(),
  /** The id of an earlier judgment that this one takes back; the earlier row stays. */
  undoes: Name.optional(),
  /** Codes of reasons that the rater picked: `wrong-color`, `extra-limbs`. */
  reasons: z.array(Name.max(60)).max(20).optional(),
  /** All images on the screen, in the order shown, where there were more than those judged. */
  shown: z.array(Name).optional(),
}

/** Characters of a comment on an image. */
export const longestComment = 1000

/** Most regions of an image, and most words of a prompt, that a judgment marks. */
export const mostRegions = 8
export const mostMisread = 50
/** Place among `images` of the judgment. */
const imagePlace = z.int().min(0).max(15)
const fraction = z.number().min(0).max(1)

/**
 * A point of an image at which something is wrong (RichHF-18K, Liang et al. 2024): it could not be so, or it is not what the
 * prompt asks for.
 */
export const Region = z.strictObject({
  image: imagePlace,
  kind: z.enum(['implausible', 'misaligned']),
  /** Shares of width and height, from the top left corner. */
  x: fraction,
  y: fraction,
})
export type Region = z.infer<typeof Region>

/** A word of the prompt that an image does not show, by its place in `wordsOf` the prompt. */
const MisreadWord = z.strictObject({ image: imagePlace, word: z.int().nonnegative() })

/** What is wrong, and where: of every judgment about images, and never of votes. */
const marks = {
  regions: z
    .array(Region)
    .min(1)
    .max(16 * mostRegions)
    .optional(),
  misread: z
    .array(MisreadWord)
    .min(1)
    .max(16 * mostMisread)
    .optional(),
}

/** Seven steps from 1, worst, to 7, best. */
const Rating = z.int().min(1).max(7)

/**
 * One answer of a rater. The ways of asking: good, bad or skip (Lee et al. 2023); a pair of images, of which one is
 * better, with ties (Pick-a-Pic, Kirstain et al. 2023); three ratings of an image, and a ranking of all images of a
 * prompt that agrees with them (ImageReward, Xu et al. 2023); a vote between two policies, each shown by one image or by
 * a set (Lee et al. 2023). Votes measure policies and never train a reward.
 */
const AnyJudgment = z.discriminatedUnion('kind', [
  z.strictObject({
    ...judgmentFields,
    ...marks,
    kind: z.literal('good-bad-skip'),
    images: z.array(Name).length(1),
    answer: z.enum(['good', 'bad', 'skip']),
  }),
  z.strictObject({
    ...judgmentFields,
    ...marks,
    kind: z.literal('pair'),
    /** In the order shown, left first. */
    images: z.array(Name).length(2),
    answer: z.enum(['first', 'second', 'tie', 'both-bad', 'skip']),
  }),
  z.strictObject({
    ...judgmentFields,
    ...marks,
    kind: z.literal('rating'),
    images: z.array(Name).length(1),
    answer: z.enum(['rated', 'skip']),
    ratings: z.strictObject({ overall: Rating, alignment: Rating, fidelity: Rating }).optional(),
  }),
  z.strictObject({
    ...judgmentFields,
    ...marks,
    kind: z.literal('ranking'),
    images: z.array(Name).min(2).max(16),
    answer: z.enum(['ranked', 'skip']),
    /** Of each image in the order of `images`; 1 is best, equal ranks are ties. */
    ranks: z.array(z.int().positive()).optional(),
  }),
  z.strictObject({
    ...judgmentFields,
    kind: z.literal('vote'),
    /** The first policy's images, then as many of the second. */
    images: z.array(Name).min(2).max(16),
    answer: z.enum(['first', 'second', 'tie', 'skip']),
    /** The runs of the two policies, or `pretrained`, in the order shown. */
    policies: z.array(Text).length(2),
    /** What is asked: does the image show the prompt, or is it a good picture. */
    question: z.enum(['alignment', 'fidelity']),
  }),
])
/** What one rater said of images, once; it is never changed. */
export type Judgment = z.infer<typeof AnyJudgment>
export const Judgment = AnyJudgment.superRefine((judgment, context) => {
  const issue = lackOf(judgment)
  if (issue !== undefined) context.addIssue({ code: 'custom', ...issue })
})

/** What an answer needs beside itself and has not; a row that takes another one back needs nothing. */
function lackOf(judgment: Judgment): { path: string[]; message: string } | undefined {
  const { kind, images, answer, undoes } = judgment
  // two policies may well draw the same picture
  if (kind !== 'vote' && new Set(images).size < images.length) {
    return { path: ['images'], message: 'different images' }
  }
  const wrongMark = judgment.kind === 'vote' ? undefined : lackOfMarks(judgment)
  if (wrongMark !== undefined) return wrongMark
  if (undoes !== undefined) return undefined
  if (judgment.kind === 'rating' && (answer === 'rated') !== (judgment.ratings !== undefined)) {
    return { path: ['ratings'], message: 'ratings with the answer rated, and only with it' }
  }
  if (judgment.kind === 'ranking' && judgment.ranks?.length !== (answer === 'ranked' ? images.length : undefined)) {
    return { path: ['ranks'], message: 'a rank of each image with the answer ranked, and only with it' }
  }
  if (judgment.kind === 'vote' && images.length % 2 === 1) {
    return { path: ['images'], message: 'as many images of the second policy as of the first' }
  }
  return undefined
}

function lackOfMarks({
  images,
  regions = [],
  misread = [],
}: Exclude<Judgment, { kind: 'vote' }>): { path: string[]; message: string } | undefined {
  const isBeyond = ({ image }: { image: number }) => image >= images.length
  for (const [name, marked, most] of [
    ['regions', regions, mostRegions],
    ['misread', misread, mostMisread],
  ] as const) {
    if (marked.some(isBeyond)) return { path: [name], message: 'places of images of the judgment, counted from 0' }
    const counts = images.map((_, place) => marked.filter(({ image }) => image === place).length)
    if (counts.some((count) => count > most)) return { path: [name], message: `at most ${most} of an image` }
  }
  const words = new Set(misread.map(({ image, word }) => `${image} ${word}`))
  return words.size < misread.length ? { path: ['misread'], message: 'each word of an image once' } : undefined
}
