/**
 * The JSON of HPDv2. Its training part holds pairs, `[{prompt, file_path: [path], human_preference: [0 | 1], user_hash?}]`;
 * its test part rankings, `[{prompt, image_path: [path], rank: [int], raw_annotations?: [{rank, user_hash}]}]`, where the
 * annotations are those of the people and `rank` is their average.
 */
import { z } from 'zod'
import { FormatError } from '../../errors.ts'
import { imageKey, type ForeignJudgment, type ForeignRecords } from './foreign.ts'
import { comparisonOf, imageAt, readItems, type ForeignOptions } from './foreign-json.ts'
import type { OwnImage } from './own-images.ts'

const Ranks = z.array(z.int().nonnegative())
const paths = z.array(z.string()).min(2)
const Annotations = z.array(z.object({ rank: Ranks, user_hash: z.string().min(1) })).optional()
const Item = z.union(
  [
    z.object({
      prompt: z.string(),
      file_path: paths,
      human_preference: z.array(z.union([z.literal(0), z.literal(1)])),
      user_hash: z.string().min(1).optional(),
    }),
    // Its description says `raw_annotation`, its file `raw_annotations`.
    z.object({
      prompt: z.string(),
      image_path: paths,
      rank: Ranks,
      raw_annotations: Annotations,
      raw_annotation: Annotations,
    }),
  ],
  'neither prompt, file_path and human_preference, nor prompt, image_path and rank',
)
type Item = z.infer<typeof Item>

/**
 * Reads either part. Of an item with annotations, each is a judgment of its person, and the average is none.
 *
 * @throws {FormatError} names file and item
 */
export async function readHpdv2(file: string, options: ForeignOptions): Promise<ForeignRecords> {
  const { name, at, findFile } = options
  const images = new Map<string, OwnImage>()
  const judgments: ForeignJudgment[] = []
  for (const { where, item } of await readItems(file, name, Item, 'items of HPDv2')) {
    const { prompt } = item
    const paths = 'file_path' in item ? item.file_path : item.image_path
    const keys = paths.map((path) => imageKey(prompt, path))
    paths.forEach((path, i) => images.set(keys[i], imageAt(path, prompt, findFile)))
    answersOf(item, options.rater).forEach(({ rater, ranks }) => {
      if (ranks.length !== keys.length) {
        throw new FormatError({
          where,
          expected: `a rank of each of the ${keys.length} images`,
          received: `${ranks.length}`,
          remedy: 'correct the item',
        })
      }
      judgments.push({ where, source: ['hpdv2'], judgment: comparisonOf({ images: keys, rater, at }, ranks) })
    })
  }
  return { images, judgments, promptName: 'prompt', unanswered: 0 }
}

function answersOf(item: Item, rater: string): { rater: string; ranks: readonly number[] }[] {
  if ('file_path' in item) {
    return [{ rater: item.user_hash ?? rater, ranks: item.human_preference.map((preferred) => 2 - preferred) }]
  }
  const annotations = item.raw_annotations ?? item.raw_annotation ?? []
  if (annotations.length === 0) return [{ rater, ranks: fromOne(item.rank) }]
  return annotations.map(({ rank, user_hash }) => ({ rater: user_hash, ranks: fromOne(rank) }))
}

/** Ranks may count from 0. */
const fromOne = (ranks: readonly number[]) => (ranks.includes(0) ? ranks.map((rank) => rank + 1) : ranks)
