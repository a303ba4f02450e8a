/** Parquet files with the columns of Pick-a-Pic: opened, checked, and read a part at a time. */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { AttuneError, FileError, FormatError } from '../../errors.ts'
import { refuseParquet } from './parquet-bytes.ts'
import { readColumnPart, type Allowance, type StoredColumn } from './parquet-column.ts'
import { footerPlace, readFooter, type ParquetColumn, type RowGroup } from './parquet-footer.ts'
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

/** Few bytes can stand for very many: nothing is made beyond these. */
const most = { rows: 2_000_000, rowsOfSmallFile: 50_000, bytesAtOnce: 2 ** 29 }

/**
 * Opens a file: uncompressed, or compressed with snappy, gzip, zstd or brotli.
 *
 * @param name of the file, for messages
 * @throws {FileError} the file cannot be read
 * @throws {FormatError} no parquet, cut off, too large, or a column that is missing or of another type
 */
export function openParquet(file: string, name: string): Promise<Parquet> {
  return decoding(name, () => opened(file, name))
}

function opened(file: string, name: string): Parquet {
  const size = sizeOf(file)
  if (size === 0) {
    const expected = 'a parquet file'
    throw new FormatError({ where: name, expected, received: 'an empty file', remedy: 'fetch it again' })
  }
  const end = Math.min(8, size)
  const place = footerPlace(bytesAt(file, size - end, end, name), size, name)
  const wanted = new Set<string>([...needed, ...helpful])
  const footer = readFooter(bytesAt(file, place.from, place.length, name), wanted, name)
  expectLength(name, footer.rows, size)
  for (const column of [...needed, ...helpful]) expectColumn(name, column, footer.columns)

  const partOf = (column: string, { rows, parts }: RowGroup, allowance: Allowance): readonly unknown[] => {
    const where = `${name} ${column}`
    if (rows === 0) return []
    const part = parts.get(column) ?? refuseParquet(where, 'this column in every group of rows', 'one without it')
    const bytes = bytesAt(file, part.from, part.length, where)
    return readColumnPart(bytes, part, footer.columns.get(column) as StoredColumn, { rows, where, allowance })
  }
  let held: { from: number; to: number; sides: ReadonlyMap<string, readonly unknown[]> } | undefined
  return {
    rows: footer.rows,
    note: (key) => {
      const text = footer.notes.get(key)
      return text === undefined ? undefined : new TextDecoder().decode(text)
    },
    has: (column) => footer.columns.has(column),
    read: (named, from, to) =>
      decoding(name, () => {
        const allowance = { bytes: most.bytesAtOnce }
        const rows = Array.from({ length: footer.rows }, (): Record<string, unknown> => ({}))
        for (const column of named) {
          let row = 0
          for (const group of footer.groups) {
            for (const value of partOf(column, group, allowance)) rows[row++][column] = value
          }
        }
        return rows.slice(from, to)
      }),
    image: (row, column) =>
      decoding(name, () => {
        if (held === undefined || row < held.from || row >= held.to) {
          held = undefined
          const { group, from } = groupAround(footer.groups, row)
          const allowance = { bytes: most.bytesAtOnce }
          const sides = new Map(['jpg_0', 'jpg_1'].map((side) => [side, partOf(side, group, allowance)]))
          held = { from, to: from + group.rows, sides }
        }
        const bytes = held.sides.get(column)?.[row - held.from]
        return bytes instanceof Uint8Array ? bytes : new Uint8Array()
      }),
  }
}

function sizeOf(file: string): number {
  return withFile(file, (descriptor) => fstatSync(descriptor).size)
}

/** @throws {FormatError} the file does not reach so far: nothing is made for what it only states */
function bytesAt(file: string, from: number, length: number, where: string): Uint8Array {
  return withFile(file, (descriptor) => {
    const { size } = fstatSync(descriptor)
    if (!(from >= 0 && length >= 0 && from + length <= size)) {
      refuseParquet(where, `bytes ${from} to ${from + length}`, `a file of ${size} bytes`)
    }
    const bytes = new Uint8Array(length)
    for (let done = 0; done < length;) {
      const count = readSync(descriptor, bytes, done, length - done, from + done)
      if (count === 0) refuseParquet(where, `${length} bytes from byte ${from}`, `${done}`)
      done += count
    }
    return bytes
  })
}

function withFile<T>(file: string, read: (descriptor: number) => T): T {
  let descriptor
  try {
    descriptor = openSync(file, 'r')
  } catch (cause) {
    throw unreadable(file, (cause as Error).message, cause)
  }
  try {
    if (!fstatSync(descriptor).isFile()) throw unreadable(file, 'something that is no file')
    return read(descriptor)
  } finally {
    closeSync(descriptor)
  }
}

const unreadable = (file: string, received: string, cause?: unknown) =>
  new FileError({ where: file, expected: 'a file that can be read', received, remedy: 'check the path', cause })

function expectColumn(
  file: string,
  column: (typeof needed | typeof helpful)[number],
  found: ReadonlyMap<string, ParquetColumn>,
) {
  const expected = columns[column].type
  const isNeeded = needed.some((one) => one === column)
  if (!found.has(column) && !isNeeded) return
  const received = found.get(column)?.type
  const isNumber = expected === 'DOUBLE' || expected === 'INT64'
  if (received === expected || (isNumber && ['INT32', 'INT64', 'FLOAT', 'DOUBLE'].includes(received ?? ''))) return
  throw new FormatError({
    where: `${file} ${column}`,
    expected: `a column of type ${expected}`,
    received: found.has(column)
      ? (received ?? 'a group of columns')
      : `none (there are ${[...found.keys()].join(', ')})`,
    remedy: 'is it a file of Pick-a-Pic with images?',
  })
}

function groupAround(groups: readonly RowGroup[], row: number): { group: RowGroup; from: number } {
  let from = 0
  for (const group of groups) {
    if (row < from + group.rows) return { group, from }
    from += group.rows
  }
  return { group: { rows: 0, parts: new Map() }, from: row }
}

/** What an unpacker complains about is the file's fault. */
async function decoding<T>(name: string, read: () => T): Promise<T> {
  await Promise.resolve()
  try {
    return read()
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

function expectLength(name: string, rows: number, size: number): void {
  const bound = rows > most.rows ? most.rows : most.rowsOfSmallFile + size
  if (rows <= bound) return
  throw new FormatError({
    where: name,
    expected: `at most ${bound} rows${rows > most.rows ? '' : ` in ${size} bytes`}`,
    received: `${rows}`,
    remedy: 'split the file',
  })
}
