/**
 * The JSON of ImageReward: `[{id, prompt, generations: [path], ranking: [int]}]`; 1 is best, equal ranks are ties. And that
 * of ImageRewardDB, an image an item: `[{image_path, prompt, prompt_id, rank, overall_rating, …}]`.
 */
import { basename, dirname, extname, join } from 'node:path'
import { mkdirSync, writeFileSync } from 'node:fs'
import { z } from 'zod'
import { FormatError } from '../../errors.ts'
import { writeFileAtomic, writing } from '../../files.ts'
import type { Judgment } from '../../records.ts'
import { imageKey, type ForeignJudgment, type ForeignRecords, type WriteForeign } from './foreign.ts'
import { comparisonOf, idIn, imageAt, readItems, type ForeignOptions } from './foreign-json.ts'
import { imageSaid, judgmentsOfImages, type JudgedImage } from './image-reward-db.ts'
import { imageFile } from './image-file.ts'
import type { OwnImage } from './own-images.ts'
import { exportRecord, keyed, restoredJudgments } from './restored.ts'

const Id = z.union([z.string(), z.number()], 'a text or a number').nullish()
const Ranked = z.object({
  id: Id,
  prompt: z.string(),
  generations: z.array(z.string()).min(2),
  ranking: z.array(z.int().positive()),
})
const One = z.object({
  image_path: z.string(),
  prompt: z.string(),
  prompt_id: Id,
  ...Object.fromEntries(imageSaid.map((field) => [field, z.number().nullish()])),
})
type Item = z.infer<typeof Ranked> | z.infer<typeof One>

const shapeOf = (given: unknown): z.ZodType<Item> => ('image_path' in (Object(given) as object) ? One : Ranked)

/**
 * Reads a file. Two images make a pair, more a ranking.
 * Where Attune wrote the file and its `<name>.provenance.json` is there too, the judgment itself is read from it: with its
 * rater, its times and its details.
 *
 * @throws {FormatError} names file and item
 */
export async function readImageReward(file: string, options: ForeignOptions): Promise<ForeignRecords> {
  const { name, rater, at, findFile } = options
  const images = new Map<string, OwnImage>()
  const judgments: ForeignJudgment[] = []
  const restored = restoredBeside(name, findFile)
  const what = 'items with prompt, generations and ranking'
  const { items, aside } = await readItems<z.ZodType<Item>>(file, name, shapeOf, what, ['id', 'prompt_id'])
  const judged: JudgedImage[] = []
  for (const { where, item } of items) {
    const { prompt } = item
    if ('image_path' in item) {
      const { image_path: path, prompt_id: id } = item
      const key = imageKey(prompt, path)
      images.set(key, imageAt(path, prompt, findFile))
      judged.push({ where, key, prompt, promptId: String(id ?? ''), said: item })
      continue
    }
    const { id, generations, ranking } = item
    if (ranking.length !== generations.length) {
      throw new FormatError({
        where: `${where} ranking`,
        expected: `a rank of each of the ${generations.length} generations`,
        received: `${ranking.length}`,
        remedy: 'correct the item',
      })
    }
    const keys = generations.map((path) => imageKey(prompt, path))
    generations.forEach((path, i) => images.set(keys[i], imageAt(path, prompt, findFile)))
    const own = restored.get(String(id))
    if (own !== undefined && isThat(own, generations, ranking)) {
      const keyOf = new Map(own.images.map((image, i) => [image, keys[i]]))
      judgments.push({ where, judgment: keyed(own, (image) => keyOf.get(image) ?? image) })
      continue
    }
    const judgment = comparisonOf({ images: keys, rater, at }, ranking)
    judgments.push({ where, source: ['image-reward', id ?? null], judgment })
  }
  const { judgments: more, unanswered, leftOut } = judgmentsOfImages(judged, { rater, at })
  return {
    images,
    judgments: [...judgments, ...more],
    promptName: 'prompt',
    unanswered,
    leftOut: [...aside, ...leftOut],
  }
}

/** By their ids, the judgments of which Attune wrote a file: those of `<name>.provenance.json`, where that is there too. */
export function restoredBeside(name: string, findFile: ForeignOptions['findFile']): Map<string, Judgment> {
  const about = findFile(provenanceName(name))
  const judgments = restoredJudgments(exportRecord(about && Buffer.from(about).toString()).judgments)
  return new Map(judgments.map((judgment) => [judgment.id, judgment]))
}

/** Whether a file still says of these images what the judgment says. */
export const isThat = (judgment: Judgment, paths: readonly string[], ranking: readonly number[]): boolean =>
  judgment.images.join() === paths.map(idIn).join() && ranksOf(judgment)?.join() === ranking.join()

/** A path without its ending. */
export const stemOf = (file: string) => join(dirname(file), basename(file, extname(file)))
export const provenanceName = (file: string) => `${stemOf(file)}.provenance.json`

/** What of a ranking or a pair this format can say; undefined of anything else, and of skips. "Both bad" is a tie. */
export function ranksOf(judgment: Judgment): readonly number[] | undefined {
  if (judgment.kind === 'ranking') return judgment.ranks
  if (judgment.kind !== 'pair' || judgment.answer === 'skip') return undefined
  return { first: [1, 2], second: [2, 1], tie: [1, 1], 'both-bad': [1, 1] }[judgment.answer]
}

/** A comparison as a file tells it: with its rater by the name that the export gives, and paths of its images. */
type ItemOf = (
  judgment: Judgment,
  told: { readonly prompt: string; readonly paths: readonly string[]; readonly ranking: readonly number[] },
) => object

/** Writes the items of ImageReward: see {@link writeComparisons}. @throws {FileError} a file cannot be written */
export const writeImageReward: WriteForeign = writeComparisons(({ id }, { prompt, paths, ranking }) => ({
  ...{ id, prompt },
  generations: paths,
  ranking,
}))

/**
 * Writes `<file>`, the images that it names into `<file without ending>-images/`, and `<file without ending>.provenance.json`:
 * of the judgments that stand rankings and pairs.
 */
export function writeComparisons(itemOf: ItemOf): WriteForeign {
  return async (file, judgments, imageOf, provenance) => {
    const folder = `${stemOf(file)}-images`
    const fitting = judgments.flatMap((judgment) => {
      const ranking = ranksOf(judgment)
      return ranking === undefined ? [] : [{ judgment, ranking }]
    })
    const items = fitting.map(({ judgment, ranking }) =>
      itemOf(provenance.outward(judgment), {
        prompt: imageOf(judgment.images[0]).record.text,
        paths: judgment.images.map((image) => `${basename(folder)}/${image}.png`),
        ranking,
      }),
    )
    const shown = new Set(fitting.flatMap(({ judgment }) => judgment.images))
    // All can be read before anything is written.
    for (const id of shown) imageFile(imageOf(id))
    const side = provenanceName(file)
    const about = provenance.about(
      fitting.map(({ judgment }) => judgment),
      imageOf,
    )
    writeFileAtomic(side, `${JSON.stringify(about, null, 2)}\n`)
    writing(folder, () => mkdirSync(folder, { recursive: true }))
    for (const id of shown) {
      const png = imageFile(imageOf(id))
      writing(folder, () => writeFileSync(join(folder, `${id}.png`), png))
    }
    writeFileAtomic(file, `${JSON.stringify(items, null, 2)}\n`)
    return { rows: items.length, beside: [folder, side] }
  }
}
