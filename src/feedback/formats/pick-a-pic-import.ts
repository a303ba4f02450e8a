/** Pairs of a parquet file of Pick-a-Pic, v1 or v2. */
import { asyncBufferFromFile, parquetMetadataAsync, parquetReadObjects } from 'hyparquet'
import type { AsyncBuffer, FileMetaData } from 'hyparquet'
import { AttuneError, FileError, FormatError } from '../../errors.ts'
import type { Judgment } from '../../records.ts'
import { contentId, type ForeignImage, type ForeignJudgment, type ForeignRecords } from './foreign.ts'
import type { ForeignOptions } from './foreign-json.ts'
import { columns } from './pick-a-pic.ts'

const needed = ['caption', 'jpg_0', 'jpg_1', 'label_0', 'label_1'] as const
const helpful = [
  'image_0_uid',
  'image_1_uid',
  'model_0',
  'model_1',
  'created_at',
  'has_label',
  'ranking_id',
  'user_id',
] as const
type Row = Readonly<Record<string, unknown>>

export interface PickOptions extends Omit<ForeignOptions, 'findFile' | 'knows'> {
  /** Whether the store has a judgment of this `ranking_id`. */
  readonly knowsRanking: (ranking: number) => boolean
}

/**
 * Reads a file. Its images are read later, a row group at a time. A rater is `pick-a-pic <user_id>`; rows without a label
 * are unanswered; a row whose `ranking_id` is that of a judgment of the store is known.
 *
 * @throws {FileError} the file cannot be read
 * @throws {FormatError} no parquet, cut off, a column that is missing or of another type, or a row that makes no sense
 */
export async function readPickAPic(file: string, options: PickOptions): Promise<ForeignRecords> {
  const { name, rater, at, knowsRanking } = options
  const parquet = await openParquet(file, name)
  const present = [...needed, ...helpful].filter((column) => parquet.has(column))
  const rows = await parquet.read(
    present.filter((column) => !column.startsWith('jpg_')),
    0,
    parquet.rows,
  )
  const images = new Map<string, ForeignImage>()
  const judgments: ForeignJudgment[] = []
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
      const key = JSON.stringify([caption, uid === '' ? `${place} ${side}` : uid])
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
    const answer = answerOf(row, where)
    const user = row.user_id === undefined || row.user_id === null ? rater : `pick-a-pic ${String(row.user_id)}`
    const id = contentId('pick-a-pic', user, textOf(row.ranking_id) || place, keys, answer)
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

interface Parquet {
  readonly rows: number
  has(column: string): boolean
  read(columns: readonly string[], from: number, to: number): Promise<Row[]>
  image(row: number, column: 'jpg_0' | 'jpg_1'): Promise<Uint8Array>
}

async function openParquet(file: string, name: string): Promise<Parquet> {
  const buffer = await bufferOf(file)
  const metadata = await decoding(name, () => parquetMetadataAsync(buffer))
  const types = columnTypes(metadata)
  for (const column of [...needed, ...helpful]) expectColumn(name, column, types)
  const read = (wanted: readonly string[], from: number, to: number) =>
    decoding(name, () =>
      parquetReadObjects({ file: buffer, metadata, columns: [...wanted], rowStart: from, rowEnd: to, utf8: false }),
    )
  let held: { from: number; to: number; rows: Row[] } = { from: 0, to: 0, rows: [] }
  return {
    rows: Number(metadata.num_rows),
    has: (column) => types.has(column),
    read,
    async image(row, column) {
      if (row < held.from || row >= held.to) {
        const [from, to] = groupAround(metadata, row)
        held = { from, to, rows: await read(['jpg_0', 'jpg_1'], from, to) }
      }
      const bytes = held.rows[row - held.from][column]
      return bytes instanceof Uint8Array ? bytes : new Uint8Array()
    },
  }
}

async function bufferOf(file: string): Promise<AsyncBuffer> {
  try {
    return await asyncBufferFromFile(file)
  } catch (cause) {
    const received = (cause as Error).message
    throw new FileError({ where: file, expected: 'a file that can be read', received, remedy: 'check the path', cause })
  }
}

/** Columns at the top by their types; undefined is the type of a group. */
function columnTypes({ schema }: FileMetaData): Map<string, string | undefined> {
  const types = new Map<string, string | undefined>()
  const [, ...elements] = schema
  for (let i = 0, nested = 0; i < elements.length; i++) {
    const { name, type, num_children: children = 0 } = elements[i]
    if (nested === 0) types.set(name, type)
    else nested--
    nested += children
  }
  return types
}

function expectColumn(
  file: string,
  column: (typeof needed | typeof helpful)[number],
  types: Map<string, string | undefined>,
) {
  const expected = columns[column].type
  const isNeeded = needed.some((one) => one === column)
  if (!types.has(column) && !isNeeded) return
  const received = types.get(column)
  const isNumber = expected === 'DOUBLE' || expected === 'INT64'
  if (received === expected || (isNumber && ['INT32', 'INT64', 'FLOAT', 'DOUBLE'].includes(received ?? ''))) return
  throw new FormatError({
    where: `${file} ${column}`,
    expected: `a column of type ${expected}`,
    received: types.has(column)
      ? (received ?? 'a group of columns')
      : `none (there are ${[...types.keys()].join(', ')})`,
    remedy: 'is it a file of Pick-a-Pic with images?',
  })
}

function groupAround({ row_groups: groups }: FileMetaData, row: number): [from: number, to: number] {
  let from = 0
  for (const { num_rows: count } of groups) {
    const to = from + Number(count)
    if (row < to) return [from, to]
    from = to
  }
  return [row, row + 1]
}

/** What the decoder complains about is the file's fault. */
async function decoding<T>(name: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read()
  } catch (cause) {
    if (cause instanceof AttuneError) throw cause
    throw new FormatError({
      where: name,
      expected: 'a whole parquet file, uncompressed or compressed with snappy',
      received: (cause as Error).message,
      remedy: 'fetch it again, or save it again',
      cause,
    })
  }
}
