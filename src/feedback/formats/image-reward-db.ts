/**
 * Parquet files of ImageRewardDB (Xu et al. 2023) as Hugging Face makes them of its configurations: an image a row, with
 * its rank among the images of its prompt and three ratings, also where only its path is there; or lists of them, a prompt a
 * row; or two images a row, of which one is better. RichHF-18K
 * (Liang et al. 2024) with its images is read as well: its scores are means of people, from 0 to 1.
 */
import { FormatError } from '../../errors.ts'
import type { Judgment } from '../../records.ts'
import type { ForeignJudgment, ForeignRecords } from './foreign.ts'
import { comparisonOf, type ForeignOptions } from './foreign-json.ts'
import type { OwnImage } from './own-images.ts'
import { expectType, numbers, pictureBytes, texts, textOf } from './parquet-cells.ts'
import type { Parquet, Row } from './parquet-file.ts'

const ratings = ['overall_rating', 'image_text_alignment_rating', 'fidelity_rating'] as const
const scores = ['overall_score', 'misalignment_score', 'artifact_score'] as const
const prompts = ['prompt', 'caption'] as const
/** What may be said about an image. */
export const imageSaid = ['rank', ...ratings, ...scores] as const

export const imageRewardDbColumns = [
  'image',
  'image_path',
  'img_better',
  'img_worse',
  'prompt_id',
  'rank',
  ...prompts,
  ...ratings,
  ...scores,
] as const

const pictureIn = ({ columns }: Pick<Parquet, 'columns'>) =>
  (['image', 'image_path'] as const).find((one) => columns.includes(one))

/** By its columns. */
export const isImageRewardDb = (parquet: Pick<Parquet, 'columns'>): boolean =>
  parquet.columns.includes('img_better') ||
  (pictureIn(parquet) !== undefined && imageSaid.some((one) => parquet.columns.includes(one)))

/**
 * Reads an open file. A rank or ratings of another type, and ratings that are not all there, are left aside and named where
 * the file says something else about its images.
 *
 * @throws {FormatError} a column that is missing or of another type, or a row that makes no sense
 */
export async function readImageRewardDb(parquet: Parquet, options: ForeignOptions): Promise<ForeignRecords> {
  const { name } = parquet
  const hint = 'is it a file of ImageRewardDB?'
  const prompt = prompts.find((one) => parquet.columns.includes(one)) ?? 'prompt'
  expectType(parquet, prompt, texts, hint)
  if (parquet.columns.includes('img_better')) return await readPairs(parquet, options, prompt)
  const column = pictureIn(parquet) ?? 'image'
  const isGrouped = parquet.typeOf(column) === 'list'
  const typeOf = (one: string) => (isGrouped ? parquet.typeInLists(one) : parquet.typeOf(one))
  expectType(parquet, column, ['picture', 'BYTE_ARRAY'], hint, typeOf)
  const { columns, aside } = columnsSaid(parquet, hint, typeOf)
  const rows = await parquet.read([prompt, 'prompt_id', ...columns], 0, parquet.rows)
  const images = new Map<string, OwnImage>()
  let empty = 0
  const judged = rows.flatMap((row, place): JudgedImage[] => {
    const whole = `${name} row ${place + 1}`
    const shared = { prompt: textOf(row[prompt]), promptId: textOf(row.prompt_id) }
    const { length, at } = isGrouped ? listsIn(row, columns, whole) : { length: 1, at: () => row }
    if (length === 0) empty++
    return Array.from({ length }, (_, i): JudgedImage => {
      const where = isGrouped ? `${whole} image ${i + 1}` : whole
      const key = JSON.stringify([place, i])
      const list = isGrouped ? { place: i, length } : undefined
      images.set(key, {
        text: shared.prompt,
        name: isGrouped ? `${whole} ${column} ${i + 1}` : `${whole} ${column}`,
        bytes: () => pictureBytes(parquet, place, column, options.findFile, list),
      })
      // A row is a prompt of its own, whatever its id.
      return { ...shared, where, key, said: at(i), ...(isGrouped ? { group: place } : {}) }
    })
  })
  const { judgments, unanswered, leftOut } = judgmentsOfImages(judged, options)
  return {
    images,
    judgments,
    promptName: prompt,
    unanswered: unanswered + empty,
    leftOut: [...aside, ...leftOut],
  }
}

/** Two images a row, the better one first. */
async function readPairs(parquet: Parquet, options: ForeignOptions, prompt: string): Promise<ForeignRecords> {
  const pictures = ['img_better', 'img_worse']
  for (const column of pictures)
    expectType(parquet, column, ['picture', 'BYTE_ARRAY'], 'is it a file of ImageRewardDB?')
  const images = new Map<string, OwnImage>()
  const rows = await parquet.read([prompt, 'prompt_id'], 0, parquet.rows)
  const judgments = rows.map((row, place): ForeignJudgment => {
    const where = `${parquet.name} row ${place + 1}`
    const keys = pictures.map((column) => {
      const key = JSON.stringify([place, column])
      const bytes = () => pictureBytes(parquet, place, column, options.findFile)
      images.set(key, { text: textOf(row[prompt]), name: `${where} ${column}`, bytes })
      return key
    })
    return {
      where,
      source: ['image-reward-db', textOf(row.prompt_id)],
      judgment: {
        id: '',
        rater: options.rater,
        raterKind: 'person',
        at: options.at,
        kind: 'pair',
        images: keys,
        answer: 'first',
      },
    }
  })
  return { images, judgments, promptName: prompt, unanswered: 0 }
}

/** The lists of a row, one column beside the other: what is said about each image. */
function listsIn(row: Row, columns: readonly string[], where: string): { length: number; at: (place: number) => Row } {
  const lists = columns.map((column) => [column, (row[column] ?? []) as readonly unknown[]] as const)
  // A list that is empty says nothing about any of them.
  const said = lists.filter(([, list]) => list.length > 0)
  const length = said[0]?.[1].length ?? 0
  for (const [column, list] of said) {
    if (list.length === length) continue
    throw new FormatError({
      where: `${where} ${column}`,
      expected: `${length} values, as in ${said[0][0]}`,
      received: `${list.length}`,
      remedy: 'correct the row, or leave it out',
    })
  }
  return { length, at: (place) => Object.fromEntries(said.map(([column, list]) => [column, list[place]])) }
}

/** Of what a file may say about an image, the columns that can be read. */
function columnsSaid(
  parquet: Parquet,
  hint: string,
  typeOf: (column: string) => string | undefined,
): { columns: string[]; aside: string[] } {
  const aside: string[] = []
  const columns: string[] = []
  for (const kind of [['rank'], ratings, scores]) {
    const present = kind.filter((column) => parquet.columns.includes(column))
    const isWhole = kind.every((column) => ['INT32', ...numbers].includes(typeOf(column) ?? ''))
    if (isWhole) columns.push(...kind)
    else if (present.length > 0) {
      const expected = `expected numbers in ${kind.length === 1 ? 'it' : `each of ${kind.join(', ')}`}`
      const received = kind.map((column) => typeOf(column) ?? 'none').join(', ')
      aside.push(`${parquet.name} ${present[0]}: ${expected}, received ${received} — its values are not used`)
    }
  }
  // Nothing else is said of the images: then the first one that is wrong is refused.
  if (columns.length === 0) {
    const kind = [ratings, scores].find((one) => one.some((column) => parquet.columns.includes(column))) ?? ['rank']
    for (const column of kind) expectType(parquet, column, ['INT32', ...numbers], hint, typeOf)
  }
  return { columns, aside }
}

/** An image, and what people said about it. */
export interface JudgedImage {
  /** File and row. */
  readonly where: string
  readonly key: string
  readonly prompt: string
  /** Empty where there is none. */
  readonly promptId: string
  /** Of images that are ranked together, where that is not all of a prompt. */
  readonly group?: number
  /** Under the names of the columns. */
  readonly said: Row
}

/**
 * Three ratings of an image are a rating; ranks of the images of one prompt are a ranking of them.
 *
 * @throws {FormatError} names file, row and column of what makes no sense
 */
export function judgmentsOfImages(
  judged: readonly JudgedImage[],
  { rater, at }: Pick<ForeignOptions, 'rater' | 'at'>,
): { readonly judgments: ForeignJudgment[]; readonly unanswered: number; readonly leftOut: string[] } {
  const shared = { id: '', rater, raterKind: 'person', at } as const
  const sourceOf = ({ promptId }: JudgedImage) => ['image-reward-db', promptId]
  const read = judged.map((one) => ({
    ...one,
    ratings: ratingsIn(one.said, one.where),
    rank: rankIn(one.said, one.where),
  }))
  const judgments = read.flatMap(({ ratings: found, ...one }): ForeignJudgment[] => {
    if (found === undefined) return []
    const judgment: Judgment = { ...shared, kind: 'rating', images: [one.key], answer: 'rated', ratings: found }
    return [{ where: one.where, source: sourceOf(one), judgment }]
  })
  const leftOut: string[] = []
  const ranked = read.flatMap(({ rank, ...one }) => (rank === undefined ? [] : [{ ...one, rank }]))
  const groups = Map.groupBy(ranked, ({ promptId, prompt, group }) => JSON.stringify([promptId, prompt, group]))
  for (const group of groups.values()) {
    const [first] = group
    if (group.length < 2) {
      if (first.ratings === undefined) leftOut.push(`${first.where} rank: no other image of its prompt`)
      continue
    }
    judgments.push({
      where: first.where,
      source: sourceOf(first),
      judgment: comparisonOf(
        { images: group.map(({ key }) => key), rater, at },
        group.map(({ rank }) => rank),
      ),
    })
  }
  const unanswered = read.filter((one) => one.ratings === undefined && one.rank === undefined).length
  return { judgments, unanswered, leftOut }
}

/** All three, or none. */
function ratingsIn(row: Row, where: string): { overall: number; alignment: number; fidelity: number } | undefined {
  for (const [columns, stepOf, expected] of [
    [ratings, (value: number) => value, 'a whole number from 1 to 7, as in the other two ratings'],
    [scores, (value: number) => 1 + 6 * value, 'a score from 0 to 1, as in the other two'],
  ] as const) {
    const given = columns.map((column) => row[column] ?? null)
    if (given.every((value) => value === null)) continue
    const [overall, alignment, fidelity] = columns.map((column, i) => {
      const value = given[i] === null ? NaN : stepOf(Number(given[i]))
      const isStep = columns === scores || Number.isInteger(value)
      if (isStep && value >= 1 && value <= 7) return Math.round(value)
      const received = given[i] === null ? 'nothing' : textOf(given[i])
      throw new FormatError({
        where: `${where} ${column}`,
        expected,
        received,
        remedy: 'correct the row, or leave it out',
      })
    })
    return { overall, alignment, fidelity }
  }
  return undefined
}

function rankIn({ rank }: Row, where: string): number | undefined {
  if (rank === undefined || rank === null) return undefined
  if (Number.isInteger(Number(rank)) && Number(rank) >= 1) return Number(rank)
  throw new FormatError({
    where: `${where} rank`,
    expected: 'a whole number from 1, which is best; equal ranks are ties',
    received: textOf(rank),
    remedy: 'correct the row, or leave it out',
  })
}
