/**
 * The JSON of HPDv2 and HPDv3. The training part of HPDv2 holds pairs, `[{prompt, file_path: [path], human_preference: [0 | 1],
 * user_hash?}]`; its test part rankings, `[{prompt, image_path: [path], rank: [int], raw_annotations?: [{rank, user_hash}]}]`,
 * where the annotations are those of the people and `rank` is their average. HPDv3 holds pairs of which the first is better,
 * `[{prompt, path1, path2, model1?, model2?}]`, and how sure its many raters were, which is not read.
 */
import { z } from 'zod'
import { FormatError } from '../../errors.ts'
import { answerOf } from './answer-words.ts'
import { imageKey, type ForeignJudgment, type ForeignRecords, type WriteForeign } from './foreign.ts'
import { comparisonOf, imageAt, readItems, type ForeignOptions } from './foreign-json.ts'
import { isThat, restoredBeside, writeComparisons } from './image-reward.ts'
import type { OwnImage } from './own-images.ts'
import { keyed } from './restored.ts'

const Ranks = z.array(z.int().nonnegative())
const paths = z.array(z.string()).min(2)
const Person = z.union([z.string().min(1), z.int().transform(String)], 'a text')
const Annotations = z.array(z.object({ rank: Ranks, user_hash: Person })).optional()
/** Words for them stand in tables that were made into JSON. */
const Preference = z.union(
  [
    z.literal([0, 1]),
    z.boolean().transform(Number),
    z
      .string()
      .transform(digitOf)
      .pipe(z.literal([0, 1])),
  ],
  '0 or 1',
)
const Id = z.string().optional()
const Train = z.object({
  id: Id,
  prompt: z.string(),
  file_path: paths,
  human_preference: z.array(Preference),
  user_hash: Person.nullish(),
})
// Its description says `raw_annotation`, its file `raw_annotations`.
const Test = z.object({
  id: Id,
  prompt: z.string(),
  image_path: paths,
  rank: Ranks,
  raw_annotations: Annotations,
  raw_annotation: Annotations,
})
const Third = z.object({
  prompt: z.string(),
  path1: z.string(),
  path2: z.string(),
  model1: z.string().nullish(),
  model2: z.string().nullish(),
})
const optional = ['id', 'user_hash', 'model1', 'model2']
type Item = z.infer<typeof Train> | z.infer<typeof Test> | z.infer<typeof Third>

const shapes = [
  ['file_path', Train],
  ['image_path', Test],
  ['path1', Third],
] as const
const unknown =
  'neither prompt, file_path and human_preference, nor prompt, image_path and rank, nor prompt, path1 and path2'

/** That an item names its images by. */
function shapeOf(given: unknown): z.ZodType<Item> {
  const fields = Object(given) as object
  const [, shape] = shapes.find(([field]) => field in fields) ?? []
  return shape ?? z.custom<Item>(() => false, unknown)
}

/**
 * Reads any part. Of an item with annotations, each is a judgment of its person, and the average is none. Where Attune wrote
 * the file, it is read as those of ImageReward are.
 *
 * @throws {FormatError} names file and item
 */
export async function readHpdv2(file: string, options: ForeignOptions): Promise<ForeignRecords> {
  const { name, at, findFile } = options
  const images = new Map<string, OwnImage>()
  const judgments: ForeignJudgment[] = []
  const restored = restoredBeside(name, findFile)
  const what = 'items of HPDv2 or HPDv3'
  const { items, aside } = await readItems<z.ZodType<Item>>(file, name, shapeOf, what, optional)
  for (const { where, item } of items) {
    const { prompt } = item
    const { paths, models = [] } = imagesOf(item)
    const keys = paths.map((path) => imageKey(prompt, path))
    paths.forEach((path, i) => {
      const model = models[i] ?? ''
      images.set(keys[i], { ...imageAt(path, prompt, findFile), ...(model === '' ? {} : { model }) })
    })
    answersOf(item, options.rater).forEach(({ rater, ranks }) => {
      if (ranks.length !== keys.length) {
        throw new FormatError({
          where,
          expected: `a rank of each of the ${keys.length} images`,
          received: `${ranks.length}`,
          remedy: 'correct the item',
        })
      }
      const own = 'id' in item ? restored.get(item.id ?? '') : undefined
      if (own !== undefined && isThat(own, paths, fromFirst(ranks))) {
        const keyOf = new Map(own.images.map((image, i) => [image, keys[i]]))
        judgments.push({ where, judgment: keyed(own, (image) => keyOf.get(image) ?? image) })
        return
      }
      judgments.push({ where, source: ['hpdv2'], judgment: comparisonOf({ images: keys, rater, at }, ranks) })
    })
  }
  return { images, judgments, promptName: 'prompt', unanswered: 0, leftOut: aside }
}

function imagesOf(item: Item): {
  readonly paths: readonly string[]
  readonly models?: readonly (string | null | undefined)[]
} {
  if ('path1' in item) return { paths: [item.path1, item.path2], models: [item.model1, item.model2] }
  return { paths: 'file_path' in item ? item.file_path : item.image_path }
}

function answersOf(item: Item, rater: string): { rater: string; ranks: readonly number[] }[] {
  if ('path1' in item) return [{ rater, ranks: [1, 2] }]
  if ('file_path' in item) {
    return [{ rater: item.user_hash ?? rater, ranks: item.human_preference.map((preferred) => 2 - preferred) }]
  }
  const annotations = item.raw_annotations ?? item.raw_annotation ?? []
  if (annotations.length === 0) return [{ rater, ranks: fromOne(item.rank) }]
  return annotations.map(({ rank, user_hash }) => ({ rater: user_hash, ranks: fromOne(rank) }))
}

function digitOf(word: string): number | undefined {
  const answer = answerOf(word)
  return answer === 'good' ? 1 : answer === 'bad' ? 0 : undefined
}

/** The best has rank 1, as of two that are not preferred. */
const fromFirst = (ranks: readonly number[]) => ranks.map((rank) => rank - Math.min(...ranks) + 1)

/** Ranks may count from 0. */
const fromOne = (ranks: readonly number[]) => (ranks.includes(0) ? ranks.map((rank) => rank + 1) : ranks)

/**
 * Writes pairs as the training part has them and rankings as the test part has, each with its rater, and beside them what
 * `writeComparisons` lays there. A tie prefers neither.
 *
 * @throws {FileError} a file cannot be written
 */
export const writeHpdv2: WriteForeign = writeComparisons(({ id, kind, rater }, { prompt, paths, ranking }) => {
  const told = { id, prompt }
  if (kind === 'ranking') {
    return { ...told, image_path: paths, rank: ranking, raw_annotations: [{ rank: ranking, user_hash: rater }] }
  }
  const preferred = ranking.map((rank) => (rank < Math.max(...ranking) ? 1 : 0))
  return { ...told, file_path: paths, human_preference: preferred, user_hash: rater }
})
