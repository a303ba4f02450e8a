/** Pairs of a parquet file with the columns of Pick-a-Pic, v1 or v2, as its authors, pyarrow, pandas and Hugging Face write it. */
import { createHash } from 'node:crypto'
import { FormatError } from '../../errors.ts'
import type { Judgment } from '../../records.ts'
import { utcTime } from '../store/judgment-times.ts'
import { answerOf as answerIn } from './answer-words.ts'
import type { ForeignJudgment, ForeignRecords } from './foreign.ts'
import type { ForeignOptions } from './foreign-json.ts'
import type { OwnImage } from './own-images.ts'
import { expectType, numbers, pictureBytes, texts, textOf } from './parquet-cells.ts'
import type { Parquet, Row } from './parquet-file.ts'
import { pairsOf, rankingNumber } from './pick-a-pic.ts'
import { exportRecord, keyed, restoredJudgments, type Recorded } from './restored.ts'

const uids = ['image_0_uid', 'image_1_uid', 'model_0', 'model_1', 'ranking_id', 'user_id'] as const
export const pickAPicColumns = [
  'caption',
  'jpg_0',
  'jpg_1',
  'label_0',
  'label_1',
  'created_at',
  'has_label',
  ...uids,
] as const

/**
 * Reads an open file. Its images are read later, a row group at a time, and known by their bytes, whatever the file calls
 * them. A rater is `pick-a-pic <user_id>`; rows without a label are unanswered. Where Attune wrote the file and all rows of
 * a judgment are there as it wrote them, the judgment itself is read: with its rater, its kind and its details. A column
 * that is not needed and is of another type is left aside, and named.
 *
 * @throws {FormatError} a column that is missing or of another type, or a row that makes no sense
 */
export async function readPickAPic(parquet: Parquet, options: ForeignOptions): Promise<ForeignRecords> {
  const { name } = parquet
  const { rater, at, findFile } = options
  const hint = 'is it a file of Pick-a-Pic with images?'
  expectType(parquet, 'caption', texts, hint)
  for (const side of sides) expectType(parquet, `jpg_${side}`, ['BYTE_ARRAY', 'picture'], hint)
  for (const side of sides) expectType(parquet, `label_${side}`, [...numbers, 'BOOLEAN'], hint)
  const aside = asideIn(parquet)
  const present = pickAPicColumns.filter((column) => !column.startsWith('jpg_') && !aside.has(column))
  const rows = await parquet.read(present, 0, parquet.rows)
  const recorded = exportRecord(parquet.note('attune'))
  const whole = await wholeJudgments(recorded, rows, parquet)
  const images = new Map<string, OwnImage>()
  const judgments: ForeignJudgment[] = []
  const timeless: { where: string; received: string }[] = []
  let unanswered = 0
  for (const [place, row] of rows.entries()) {
    const where = `${name} row ${place + 1}`
    if (!hasLabel(row, where)) {
      unanswered++
      continue
    }
    for (const side of sides) {
      const [uid, model] = [textOf(row[`image_${side}_uid`]), textOf(row[`model_${side}`])]
      images.set(keyAt(place, side), {
        text: textOf(row.caption),
        name: `${where} jpg_${side}`,
        stated: { id: uid, ...recorded.images[uid] },
        bytes: () => pictureBytes(parquet, place, `jpg_${side}`, findFile),
        ...(model === '' ? {} : { model }),
      })
    }
    const restored = whole.get(row.ranking_id)
    if (restored !== undefined) {
      const judgment = restoredAt(restored, rows)
      if (restored.rows[0] === place) judgments.push({ where, judgment, rows: restored.rows.length })
      continue
    }
    const user = textOf(row.user_id)
    const stated = timeOf(row.created_at)
    if (stated === undefined && textOf(row.created_at) !== '')
      timeless.push({ where, received: textOf(row.created_at) })
    const judgment: Judgment = {
      id: '',
      kind: 'pair',
      images: sides.map((side) => keyAt(place, side)),
      answer: answerOf(row, where),
      rater: user === '' ? rater : `pick-a-pic ${user}`,
      raterKind: 'person',
      at: stated ?? at,
    }
    judgments.push({ where, source: ['pick-a-pic', textOf(row.ranking_id), stated ?? null], judgment })
  }
  const leftOut = [...aside.values()]
  if (timeless.length > 0) {
    const [{ where, received }] = timeless
    leftOut.push(`${where} created_at: expected a timestamp, received "${received}" — ${timeless.length} are not used`)
  }
  return { images, judgments, promptName: 'caption', unanswered, leftOut }
}

/** Columns that are not needed, and that cannot be read: with the reason. */
function asideIn(parquet: Parquet): Map<string, string> {
  const expected: Readonly<Record<string, readonly string[]>> = {
    created_at: ['INT64', 'INT32', 'INT96', ...texts],
    has_label: ['BOOLEAN', ...numbers, ...texts],
    ...Object.fromEntries(uids.map((column) => [column, [...texts, ...numbers]])),
  }
  return new Map(
    Object.entries(expected).flatMap(([column, types]): [string, string][] => {
      const received = parquet.typeOf(column)
      if (received === undefined || types.includes(received)) return []
      const wanted = `expected a column of type ${types[0]}, received ${received}`
      return [[column, `${parquet.name} ${column}: ${wanted} — its values are not used`]]
    }),
  )
}

const sides = [0, 1] as const
const keyAt = (row: number, side: 0 | 1): string => JSON.stringify([row, side])

interface Whole {
  readonly judgment: Judgment
  /** All of it. */
  readonly rows: readonly number[]
}

/** With its images as they stand in its rows. */
function restoredAt({ judgment, rows: own }: Whole, rows: readonly Row[]): Judgment {
  const keyOf = new Map(
    own.flatMap((place) =>
      sides.map((side) => [textOf(rows[place][`image_${side}_uid`]), keyAt(place, side)] as const),
    ),
  )
  return keyed(judgment, (image) => keyOf.get(image) ?? image)
}

/** By `ranking_id`; those of which rows were taken out or changed, or their pictures, are not among them. */
async function wholeJudgments(
  { judgments, images }: Recorded,
  rows: readonly Row[],
  parquet: Parquet,
): Promise<ReadonlyMap<unknown, Whole>> {
  const wordsOf = (first: unknown, second: unknown, label: unknown) => [first, second, label].map(String).join(' ')
  const places = Map.groupBy(rows.keys(), (place) => rows[place].ranking_id)
  const stated = restoredJudgments(judgments).flatMap((judgment): [bigint, Whole][] => {
    const ranking = BigInt(rankingNumber(judgment.id))
    const own = places.get(ranking) ?? []
    const found = own.map((place) => {
      const { image_0_uid, image_1_uid, label_0 } = rows[place]
      return wordsOf(textOf(image_0_uid), textOf(image_1_uid), label_0)
    })
    const expected = pairsOf(judgment).map(({ images: [first, second], label }) => wordsOf(first, second, label))
    const isWhole = expected.length > 0 && found.toSorted().join('\n') === expected.toSorted().join('\n')
    return isWhole ? [[ranking, { judgment, rows: own }]] : []
  })
  const whole = new Map<unknown, Whole>(stated)
  for (const [ranking, { rows: own }] of stated) {
    for (const place of own) {
      for (const side of sides) {
        const { sha256 } = images[textOf(rows[place][`image_${side}_uid`])] ?? {}
        if (sha256 !== undefined && sha256 !== digestOf((await parquet.picture(place, `jpg_${side}`)).bytes))
          whole.delete(ranking)
      }
    }
  }
  return whole
}

const digestOf = (bytes: Uint8Array = new Uint8Array()) => createHash('sha256').update(bytes).digest('hex')

/** What is no truth is no answer either. */
function hasLabel({ has_label: given }: Row, where: string): boolean {
  if (given === undefined || given === null || given === true) return true
  const answer = given === false ? 'bad' : answerIn(textOf(given))
  if (answer === 'good' || answer === 'bad') return answer === 'good'
  throw new FormatError({
    where: `${where} has_label`,
    expected: 'true or false',
    received: `"${textOf(given)}"`,
    remedy: 'correct the row, or leave the column out',
  })
}

function answerOf({ label_0, label_1 }: Row, where: string): 'first' | 'second' | 'tie' {
  // A missing label is null, which would count as 0.
  const [first, second] = [label_0, label_1].map((label) => (label === null ? NaN : Number(label)))
  if (first === 1 && second === 0) return 'first'
  if (first === 0 && second === 1) return 'second'
  if (first === 0.5 && second === 0.5) return 'tie'
  throw new FormatError({
    where: `${where} label_0, label_1`,
    expected: '1 and 0, 0 and 1, or 0.5 and 0.5',
    received: `${textOf(label_0) || 'nothing'} and ${textOf(label_1) || 'nothing'}`,
    remedy: 'correct the row, or set has_label to false',
  })
}

/** Undefined where it is not stated, and of what is no time: a bare number could be any. */
function timeOf(created: unknown): string | undefined {
  if (created instanceof Date) return Number.isNaN(created.getTime()) ? undefined : created.toISOString()
  return typeof created === 'string' ? utcTime(created) : undefined
}
