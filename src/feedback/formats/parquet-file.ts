/** Parquet files: opened, checked, and read a part at a time. */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { AttuneError, FileError, FormatError } from '../../errors.ts'
import { refuseParquet } from './parquet-bytes.ts'
import { readColumnPart, type Allowance, type StoredColumn } from './parquet-column.ts'
import { footerPlace, readFooter, type ParquetColumn, type RowGroup } from './parquet-footer.ts'

export type Row = Readonly<Record<string, unknown>>

/** A picture as a row has it: its bytes, or at least the name of its file. */
interface Picture {
  readonly bytes?: Uint8Array
  readonly path?: string
  /** How many there are in its list. */
  readonly among?: number
}

/** A parquet file that is open. */
export interface Parquet {
  readonly name: string
  readonly rows: number
  /** Names of the columns at the top. */
  readonly columns: readonly string[]
  /** Text under a key of the file itself. */
  note(key: string): string | undefined
  /** Type of a column, `picture` of what Hugging Face makes of an image, `list` or `group` of others; undefined: none. */
  typeOf(column: string): string | undefined
  /** Of a column of lists, {@link typeOf} their values. */
  typeInLists(column: string): string | undefined
  /** Those of the columns that there are. */
  read(columns: readonly string[], from: number, to: number): Promise<Row[]>
  /** Reads columns of pictures a group of rows at a time. @param place in the list of the row, of a column of lists */
  picture(row: number, column: string, place?: number): Promise<Picture>
}

/** What a picture consists of, where it is no column of bytes: `image.bytes` and `image.path`. */
const parts = ['bytes', 'path'] as const

/** Few bytes can stand for very many: nothing is made beyond these. */
const most = { rows: 2_000_000, rowsOfSmallFile: 50_000, bytesAtOnce: 2 ** 29 }

/**
 * Opens a file: uncompressed, or compressed with snappy, gzip, zstd, brotli or lz4.
 *
 * @param name of the file, for messages
 * @param wanted names of all columns that may be read
 * @throws {FileError} the file cannot be read
 * @throws {FormatError} no parquet, cut off, or too large
 */
export function openParquet(file: string, name: string, wanted: readonly string[]): Promise<Parquet> {
  return decoding(name, () => opened(file, name, wanted))
}

function opened(file: string, name: string, wanted: readonly string[]): Parquet {
  const size = sizeOf(file)
  if (size === 0) {
    const expected = 'a parquet file'
    throw new FormatError({ where: name, expected, received: 'an empty file', remedy: 'fetch it again' })
  }
  const end = Math.min(8, size)
  const place = footerPlace(bytesAt(file, size - end, end, name), size, name)
  const kept = new Set(wanted.flatMap((column) => [column, ...parts.map((part) => `${column}.${part}`)]))
  const footer = readFooter(bytesAt(file, place.from, place.length, name), kept, name)
  expectLength(name, footer.rows, size)

  const partOf = (column: string, { rows, parts }: RowGroup, allowance: Allowance): readonly unknown[] => {
    const where = `${name} ${column}`
    if (rows === 0) return []
    const part = parts.get(column) ?? refuseParquet(where, 'this column in every group of rows', 'one without it')
    const bytes = bytesAt(file, part.from, part.length, where)
    return readColumnPart(bytes, part, footer.columns.get(column) as StoredColumn, { rows, where, allowance })
  }
  let held: { from: number; to: number; allowance: Allowance; values: Map<string, readonly unknown[]> } | undefined
  const pictureIn = (row: number, column: string, place?: number): Picture => {
    const { group, from } = groupAround(footer.groups, row)
    if (held?.from !== from) {
      held = { from, to: from + group.rows, allowance: { bytes: most.bytesAtOnce }, values: new Map() }
    }
    const { allowance, values } = held
    let among: number | undefined
    const valueOf = (part: string): unknown => {
      if (footer.columns.get(part)?.type === undefined) return undefined
      if (!values.has(part)) values.set(part, partOf(part, group, allowance))
      const value = values.get(part)?.[row - from]
      if (place === undefined || !Array.isArray(value)) return value
      among = value.length
      return (value as readonly unknown[])[place]
    }
    const own = valueOf(column)
    const bytes = own instanceof Uint8Array ? own : valueOf(`${column}.bytes`)
    const stated = typeof own === 'string' ? own : valueOf(`${column}.path`)
    const path = stated instanceof Uint8Array ? new TextDecoder().decode(stated) : stated
    return {
      ...(bytes instanceof Uint8Array && bytes.length > 0 ? { bytes } : {}),
      ...(typeof path === 'string' && path !== '' ? { path } : {}),
      ...(among === undefined ? {} : { among }),
    }
  }
  return {
    name,
    rows: footer.rows,
    columns: [...footer.columns.keys()].filter((column) => !column.includes('.')),
    note: (key) => {
      const text = footer.notes.get(key)
      return text === undefined ? undefined : new TextDecoder().decode(text)
    },
    typeOf: (column) => (isListIn(footer.columns, column) ? 'list' : typeIn(footer.columns, column)),
    typeInLists: (column) => (isListIn(footer.columns, column) ? typeIn(footer.columns, column) : undefined),
    read: (named, from, to) =>
      decoding(name, () => {
        const allowance = { bytes: most.bytesAtOnce }
        const rows = Array.from({ length: footer.rows }, (): Record<string, unknown> => ({}))
        for (const column of named.filter((one) => footer.columns.get(one)?.type !== undefined)) {
          let row = 0
          for (const group of footer.groups) {
            for (const value of partOf(column, group, allowance)) rows[row++][column] = value
          }
        }
        return rows.slice(from, to)
      }),
    picture: (row, column, place) => decoding(name, () => pictureIn(row, column, place)),
  }
}

function typeIn(columns: ReadonlyMap<string, ParquetColumn>, column: string): string | undefined {
  const found = columns.get(column)
  if (found === undefined || found.type !== undefined) return found?.type
  return columns.get(`${column}.bytes`)?.type === 'BYTE_ARRAY' ? 'picture' : 'group'
}

const isListIn = (columns: ReadonlyMap<string, ParquetColumn>, column: string): boolean =>
  [...columns.values()].some(
    ({ name, repetition }) => repetition === 'repeated' && (name === column || name.startsWith(`${column}.`)),
  )

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
      expected: 'a whole parquet file, uncompressed or compressed with snappy, gzip, zstd, brotli or lz4',
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
