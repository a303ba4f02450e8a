/** Pairs of a parquet file of Pick-a-Pic, v1 or v2. */
import { FormatError } from '../../errors.ts'
import type { Judgment } from '../../records.ts'
import { imageKey, type ForeignImage, type ForeignJudgment, type ForeignRecords } from './foreign.ts'
import type { ForeignOptions } from './foreign-json.ts'
import { helpful, needed, openParquet, type Row } from './parquet-file.ts'
import { pairsOf, rankingNumber } from './pick-a-pic.ts'
import { keyed, restoredJudgments } from './restored.ts'

export interface PickOptions extends Omit<ForeignOptions, 'findFile' | 'knows'> {
  /** Whether the store has a judgment of this `ranking_id`. */
  readonly knowsRanking: (ranking: number) => boolean
}

/**
 * Reads a file. Its images are read later, a row group at a time. A rater is `pick-a-pic <user_id>`; rows without a label
 * are unanswered; a row whose `ranking_id` is that of a judgment of the store is known. Where Attune wrote the file and all
 * rows of a judgment are there as it wrote them, the judgment itself is read: with its rater, its kind and its details.
 *
 * @throws {FileError} the file cannot be read
 * @throws {FormatError} no parquet, cut off, a column that is missing or of another type, or a row that makes no sense
 */
export async function readPickAPic(file: string, options: PickOptions): Promise<ForeignRecords> {
  const { name, rater, at, idOf, knowsRanking } = options
  const parquet = await openParquet(file, name)
  const present = [...needed, ...helpful].filter((column) => parquet.has(column))
  const rows = await parquet.read(
    present.filter((column) => !column.startsWith('jpg_')),
    0,
    parquet.rows,
  )
  const images = new Map<string, ForeignImage>()
  const judgments: ForeignJudgment[] = []
  const whole = wholeJudgments(restoredJudgments(parquet.note('attune')), rows)
  let [known, unanswered] = [0, 0]
  for (const [place, row] of rows.entries()) {
    const where = `${name} row ${place + 1}`
    if (row.has_label === false) {
      unanswered++
      continue
    }
    if (typeof row.ranking_id === 'bigint' && knowsRanking(Number(row.ranking_id))) {
      known++
      continue
    }
    const caption = textOf(row.caption)
    const keys = [0, 1].map((side) => {
      const uid = textOf(row[`image_${side}_uid`])
      const key = keyIn(caption)(uid === '' ? `${place} ${side}` : uid)
      const model = textOf(row[`model_${side}`])
      images.set(key, {
        text: caption,
        name: `${where} jpg_${side}`,
        imageId: uid,
        bytes: () => parquet.image(place, side === 0 ? 'jpg_0' : 'jpg_1'),
        ...(model === '' ? {} : { model }),
      })
      return key
    })
    const restored = whole.get(row.ranking_id)
    if (restored !== undefined) {
      if (restored.row === place) judgments.push({ where, judgment: keyed(restored.judgment, keyIn(caption)) })
      continue
    }
    const answer = answerOf(row, where)
    const user = row.user_id === undefined || row.user_id === null ? rater : `pick-a-pic ${String(row.user_id)}`
    const id = idOf('pick-a-pic', user, textOf(row.ranking_id) || place, keys, answer)
    const judgment: Judgment = {
      id,
      kind: 'pair',
      images: keys,
      answer,
      rater: user,
      raterKind: 'person',
      at: timeOf(row.created_at, where) ?? at,
    }
    judgments.push({ where, judgment })
  }
  return { images, judgments, known, unanswered }
}

const keyIn = (caption: string) => (image: string) => imageKey(caption, image)

/** By `ranking_id`, with the first row of each; those of which rows were taken out or changed are not among them. */
function wholeJudgments(
  recorded: readonly Judgment[],
  rows: readonly Row[],
): ReadonlyMap<unknown, { readonly judgment: Judgment; readonly row: number }> {
  const wordsOf = (first: unknown, second: unknown, label: unknown) => [first, second, label].map(String).join(' ')
  const places = Map.groupBy(rows.keys(), (place) => rows[place].ranking_id)
  return new Map(
    recorded.flatMap((judgment) => {
      const ranking = BigInt(rankingNumber(judgment.id))
      const own = places.get(ranking) ?? []
      const stated = own.map((place) => {
        const { image_0_uid, image_1_uid, label_0 } = rows[place]
        return wordsOf(textOf(image_0_uid), textOf(image_1_uid), label_0)
      })
      const expected = pairsOf(judgment).map(({ images: [first, second], label }) => wordsOf(first, second, label))
      const isWhole = expected.length > 0 && stated.toSorted().join('\n') === expected.toSorted().join('\n')
      return isWhole ? [[ranking, { judgment, row: own[0] }] as const] : []
    }),
  )
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
