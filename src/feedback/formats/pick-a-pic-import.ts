/** Pairs of a parquet file of Pick-a-Pic, v1 or v2. */
import { createHash } from 'node:crypto'
import { FormatError } from '../../errors.ts'
import type { Judgment } from '../../records.ts'
import type { ForeignJudgment, ForeignRecords } from './foreign.ts'
import type { ForeignOptions } from './foreign-json.ts'
import type { OwnImage } from './own-images.ts'
import { helpful, needed, openParquet, type Parquet, type Row } from './parquet-file.ts'
import { pairsOf, rankingNumber } from './pick-a-pic.ts'
import { exportRecord, keyed, restoredJudgments, type Recorded } from './restored.ts'

/**
 * Reads a file. Its images are read later, a row group at a time, and known by their bytes, whatever the file calls them.
 * A rater is `pick-a-pic <user_id>`; rows without a label are unanswered. Where Attune wrote the file and all rows of a
 * judgment are there as it wrote them, the judgment itself is read: with its rater, its kind and its details.
 *
 * @throws {FileError} the file cannot be read
 * @throws {FormatError} no parquet, cut off, a column that is missing or of another type, or a row that makes no sense
 */
export async function readPickAPic(file: string, options: ForeignOptions): Promise<ForeignRecords> {
  const { name, rater, at } = options
  const parquet = await openParquet(file, name)
  const present = [...needed, ...helpful].filter((column) => parquet.has(column))
  const rows = await parquet.read(
    present.filter((column) => !column.startsWith('jpg_')),
    0,
    parquet.rows,
  )
  const recorded = exportRecord(parquet.note('attune'))
  const whole = await wholeJudgments(recorded, rows, parquet)
  const images = new Map<string, OwnImage>()
  const judgments: ForeignJudgment[] = []
  let unanswered = 0
  for (const [place, row] of rows.entries()) {
    const where = `${name} row ${place + 1}`
    if (row.has_label === false) {
      unanswered++
      continue
    }
    for (const side of sides) {
      const [uid, model] = [textOf(row[`image_${side}_uid`]), textOf(row[`model_${side}`])]
      images.set(keyAt(place, side), {
        text: textOf(row.caption),
        name: `${where} jpg_${side}`,
        stated: { id: uid, ...recorded.images[uid] },
        bytes: () => parquet.image(place, `jpg_${side}`),
        ...(model === '' ? {} : { model }),
      })
    }
    const restored = whole.get(row.ranking_id)
    if (restored !== undefined) {
      const judgment = restoredAt(restored, rows)
      if (restored.rows[0] === place) judgments.push({ where, judgment, rows: restored.rows.length })
      continue
    }
    const user = row.user_id === undefined || row.user_id === null ? rater : `pick-a-pic ${String(row.user_id)}`
    const stated = timeOf(row.created_at, where)
    const judgment: Judgment = {
      id: '',
      kind: 'pair',
      images: sides.map((side) => keyAt(place, side)),
      answer: answerOf(row, where),
      rater: user,
      raterKind: 'person',
      at: stated ?? at,
    }
    judgments.push({ where, source: ['pick-a-pic', textOf(row.ranking_id), stated ?? null], judgment })
  }
  return { images, judgments, promptName: 'caption', unanswered }
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
        if (sha256 !== undefined && sha256 !== digestOf(await parquet.image(place, `jpg_${side}`)))
          whole.delete(ranking)
      }
    }
  }
  return whole
}

const digestOf = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')

function answerOf({ label_0, label_1 }: Row, where: string): 'first' | 'second' | 'tie' {
  // A missing label is null, which would count as 0.
  const [first, second] = [label_0, label_1].map((label) => (label === null ? NaN : Number(label)))
  if (first === 1 && second === 0) return 'first'
  if (first === 0 && second === 1) return 'second'
  if (first === 0.5 && second === 0.5) return 'tie'
  throw new FormatError({
    where: `${where} label_0, label_1`,
    expected: '1 and 0, 0 and 1, or 0.5 and 0.5',
    received: `${String(label_0)} and ${String(label_1)}`,
    remedy: 'correct the row, or set has_label to false',
  })
}

function timeOf(created: unknown, where: string): string | undefined {
  if (created === undefined || created === null) return undefined
  if (created instanceof Date && !Number.isNaN(created.getTime())) return created.toISOString()
  throw new FormatError({
    where: `${where} created_at`,
    expected: 'a timestamp',
    received: textOf(created),
    remedy: 'correct the row, or leave the column out',
  })
}

function textOf(value: unknown): string {
  if (value === undefined || value === null) return ''
  return value instanceof Uint8Array ? new TextDecoder().decode(value) : String(value)
}
