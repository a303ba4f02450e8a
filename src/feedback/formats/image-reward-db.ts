/**
 * Parquet files of ImageRewardDB (Xu et al. 2023) as Hugging Face makes them of its configurations: an image a row, with
 * its rank among the images of its prompt and three ratings, also where only its path is there; or two images a row, of which one is better. RichHF-18K
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
  (pictureIn(parquet) !== undefined && [...ratings, ...scores, 'rank'].some((one) => parquet.columns.includes(one)))

/**
 * Reads an open file.
 *
 * @throws {FormatError} a column that is missing or of another type, or a row that makes no sense
 */
export async function readImageRewardDb(parquet: Parquet, options: ForeignOptions): Promise<ForeignRecords> {
  const { name } = parquet
  const hint = 'is it a file of ImageRewardDB with images, without lists (no _group)?'
  const prompt = prompts.find((one) => parquet.columns.includes(one)) ?? 'prompt'
  expectType(parquet, prompt, texts, hint)
  const isPairs = parquet.columns.includes('img_better')
  const picture = pictureIn(parquet) ?? 'image'
  const pictures = isPairs ? ['img_better', 'img_worse'] : [picture]
  for (const column of pictures) expectType(parquet, column, ['picture', 'BYTE_ARRAY'], hint)
  const present = ['rank', ...ratings, ...scores].filter((column) => parquet.typeOf(column) !== undefined)
  for (const column of present) expectType(parquet, column, ['INT32', ...numbers], hint)
  const rows = await parquet.read([prompt, 'prompt_id', ...present], 0, parquet.rows)
  const images = new Map<string, OwnImage>()
  const keyAt = (row: number, column: string) => JSON.stringify([row, column])
  for (const [place, row] of rows.entries()) {
    for (const column of pictures) {
      images.set(keyAt(place, column), {
        text: textOf(row[prompt]),
        name: `${name} row ${place + 1} ${column}`,
        bytes: () => pictureBytes(parquet, place, column, options.findFile),
      })
    }
  }
  const shared = { id: '', rater: options.rater, raterKind: 'person', at: options.at } as const
  if (isPairs) {
    const judgments = rows.map((row, place): ForeignJudgment => ({
      where: `${name} row ${place + 1}`,
      source: ['image-reward-db', textOf(row.prompt_id)],
      judgment: {
        ...shared,
        kind: 'pair',
        images: pictures.map((column) => keyAt(place, column)),
        answer: 'first',
      },
    }))
    return { images, judgments, promptName: prompt, unanswered: 0 }
  }
  const judgments: ForeignJudgment[] = []
  const answered = new Set<number>()
  for (const [place, row] of rows.entries()) {
    const where = `${name} row ${place + 1}`
    const found = ratingsIn(row, where)
    if (found === undefined) continue
    answered.add(place)
    const judgment: Judgment = {
      ...shared,
      kind: 'rating',
      images: [keyAt(place, picture)],
      answer: 'rated',
      ratings: found,
    }
    judgments.push({ where, source: ['image-reward-db', textOf(row.prompt_id)], judgment })
  }
  const ranked = [...rows.entries()].flatMap(([place, row]) => {
    const rank = rankIn(row, `${name} row ${place + 1}`)
    if (rank !== undefined) answered.add(place)
    return rank === undefined
      ? []
      : [{ place, rank, group: JSON.stringify([textOf(row.prompt_id), textOf(row[prompt])]) }]
  })
  const leftOut: string[] = []
  for (const group of Map.groupBy(ranked, (one) => one.group).values()) {
    const where = `${name} row ${group[0].place + 1}`
    if (group.length < 2) {
      if (ratingsIn(rows[group[0].place], where) === undefined)
        leftOut.push(`${where} rank: no other image of its prompt`)
      continue
    }
    const ranks = group.map(({ rank }) => rank)
    const keys = group.map(({ place }) => keyAt(place, picture))
    judgments.push({
      where,
      source: ['image-reward-db', textOf(rows[group[0].place].prompt_id)],
      judgment: comparisonOf({ images: keys, rater: options.rater, at: options.at }, ranks),
    })
  }
  return { images, judgments, promptName: prompt, unanswered: rows.length - answered.size, leftOut }
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
