/** Parquet files with the columns of Pick-a-Pic: opened, checked, and read a part at a time. */
import { brotliDecompressSync, gunzipSync, zstdDecompressSync } from 'node:zlib'
import { asyncBufferFromFile, parquetMetadataAsync, parquetReadObjects, snappyUncompress } from 'hyparquet'
import type { AsyncBuffer, Compressors, FileMetaData } from 'hyparquet'
import { AttuneError, FileError, FormatError } from '../../errors.ts'
import { columns } from './pick-a-pic.ts'

export const needed = ['caption', 'jpg_0', 'jpg_1', 'label_0', 'label_1'] as const
export const helpful = [
  'image_0_uid',
  'image_1_uid',
  'model_0',
  'model_1',
  'created_at',
  'has_label',
  'ranking_id',
  'user_id',
] as const
export type Row = Readonly<Record<string, unknown>>

/** A parquet file that is open. */
export interface Parquet {
  readonly rows: number
  /** Text under a key of the file itself. */
  note(key: string): string | undefined
  has(column: string): boolean
  read(columns: readonly string[], from: number, to: number): Promise<Row[]>
  image(row: number, column: 'jpg_0' | 'jpg_1'): Promise<Uint8Array>
}

/**
 * Opens a file: uncompressed, or compressed with snappy, gzip, zstd or brotli.
 *
 * @param name of the file, for messages
 * @throws {FileError} the file cannot be read
 * @throws {FormatError} no parquet, cut off, too large, or a column that is missing or of another type
 */
export async function openParquet(file: string, name: string): Promise<Parquet> {
  const buffer = await bufferOf(file)
  if (buffer.byteLength === 0) {
    throw new FormatError({
      where: name,
      expected: 'a parquet file',
      received: 'an empty file',
      remedy: 'fetch it again',
    })
  }
  const metadata = await decoding(name, () => parquetMetadataAsync(buffer))
  expectLength(name, metadata)
  const types = columnTypes(metadata)
  for (const column of [...needed, ...helpful]) expectColumn(name, column, types)
  const read = (wanted: readonly string[], from: number, to: number) =>
    decoding(name, () =>
      parquetReadObjects({
        file: buffer,
        metadata,
        columns: [...wanted],
        rowStart: from,
        rowEnd: to,
        utf8: false,
        compressors,
      }),
    )
  let held: { from: number; to: number; rows: Row[] } = { from: 0, to: 0, rows: [] }
  return {
    rows: Number(metadata.num_rows),
    note: (key) => metadata.key_value_metadata?.find((entry) => entry.key === key)?.value,
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
      expected: 'a whole parquet file, uncompressed or compressed with snappy, gzip, zstd or brotli',
      received: (cause as Error).message,
      remedy: 'fetch it again, or save it again',
      cause,
    })
  }
}

/** Few bytes can stand for very many: nothing is unpacked beyond these. */
const most = { rows: 2e6, pageBytes: 2 ** 29 }

function expectLength(name: string, { num_rows: rows }: FileMetaData): void {
  if (rows >= 0 && rows <= most.rows) return
  throw new FormatError({
    where: name,
    expected: `at most ${most.rows} rows`,
    received: `${rows}`,
    remedy: 'split the file',
  })
}

type Unpack = (packed: Uint8Array, length: number) => Uint8Array

/** Of pages, each of a length that the file states. */
const withinBounds =
  (unpack: Unpack): Unpack =>
  (packed, length) => {
    if (length <= most.pageBytes) return unpack(packed, length)
    throw new FormatError({
      where: 'page',
      expected: `at most ${most.pageBytes} bytes`,
      received: `${length}`,
      remedy: 'save it with smaller pages',
    })
  }

/** Without the frame of Node's pool, which holds other bytes too. */
const whole = (bytes: Buffer) => new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length)

const compressors: Compressors = {
  SNAPPY: withinBounds((packed, length) => {
    const bytes = new Uint8Array(length)
    snappyUncompress(packed, bytes)
    return bytes
  }),
  GZIP: withinBounds((packed, length) => whole(gunzipSync(packed, { maxOutputLength: Math.max(1, length) }))),
  ZSTD: withinBounds((packed, length) => whole(zstdDecompressSync(packed, { maxOutputLength: Math.max(1, length) }))),
  BROTLI: withinBounds((packed, length) =>
    whole(brotliDecompressSync(packed, { maxOutputLength: Math.max(1, length) })),
  ),
}
