/** The values of a part of a column: its pages one after the other, each unpacked and read within what it states. */
import { ParquetBytes, refuseParquet } from './parquet-bytes.ts'
import { unpackPage } from './parquet-codecs.ts'
import type { ColumnPart, Meaning, ParquetColumn, PhysicalType } from './parquet-footer.ts'
import { readDeltas, readRuns } from './parquet-runs.ts'
import { readThrift } from './parquet-thrift.ts'

/** A column that is no group of others. */
export type StoredColumn = ParquetColumn & { readonly type: PhysicalType }

/** What may still be unpacked, bytes. */
export interface Allowance {
  bytes: number
}

const encodings = {
  plain: 0,
  plainDictionary: 2,
  runs: 3,
  deltas: 5,
  deltaLengths: 6,
  deltaBytes: 7,
  dictionary: 8,
  splitStreams: 9,
} as const
const pageKinds = { first: 0, dictionary: 2, second: 3 } as const
const largestPage = 2 ** 28
/** Of all lists of a part together; few bytes can stand for very many values. */
const mostInLists = 2_000_000
const smallPart = 50_000

interface PageHeader {
  readonly kind: number
  /** Unpacked and packed, bytes. */
  readonly length: number
  readonly packed: number
  readonly values: number
  readonly encoding: number
  /** Of the second kind: its levels come first and are never packed. */
  readonly levelBytes: { readonly repetition: number; readonly definition: number }
  readonly isPacked: boolean
}

/**
 * All values of a part, null where there is none; of a column of lists a list a row.
 *
 * @param rows that the group has
 * @param allowance which goes down by what is unpacked
 * @throws {FormatError} names file and column: broken, another number of values, or more bytes than are allowed
 */
export function readColumnPart(
  bytes: Uint8Array,
  { codec }: ColumnPart,
  column: StoredColumn,
  { rows, where, allowance }: { readonly rows: number; readonly where: string; readonly allowance: Allowance },
): unknown[] {
  const { listLevel } = column
  const isList = listLevel !== undefined
  if (column.repetition === 'repeated' && !isList) refuseParquet(where, 'one list a row', 'lists of lists')
  const input = new ParquetBytes(bytes, where)
  const values: unknown[] = []
  const lists: unknown[][] = []
  const mostValues = isList ? Math.min(mostInLists, rows + smallPart + bytes.length) : rows
  let dictionary: readonly unknown[] | undefined
  while (isList ? input.left > 0 : values.length < rows) {
    const header = readPageHeader(input)
    const packed = input.take(header.packed)
    if (header.length > Math.min(largestPage, allowance.bytes)) {
      const most = Math.min(largestPage, allowance.bytes)
      refuseParquet(where, `a page of at most ${most} bytes here`, `one of ${header.length}`)
    }
    allowance.bytes -= header.length
    const { first, second } = pageKinds
    if (header.kind === pageKinds.dictionary) {
      const page = new ParquetBytes(unpackPage(codec, packed, header.length, where), where)
      dictionary = readPlain(page, column.type, header.values).map(meant(column))
    } else if (header.kind === first || header.kind === second) {
      const most = mostValues - values.length
      if (header.values > most) refuseParquet(where, `at most ${most} more values`, `a page of ${header.values}`)
      const page = readPage(header, packed, codec, column, dictionary, where, allowance)
      for (const value of page.values) values.push(value)
      if (listLevel !== undefined) addToLists(lists, page, listLevel, where)
    }
  }
  if (!isList) return values
  return lists.length === rows ? lists : refuseParquet(where, `${rows} lists`, `${lists.length}`)
}

/** Each value begins a list, or goes into the one before; a list may be empty, or none. */
function addToLists(lists: unknown[][], { values, levels, repeats }: Page, listLevel: number, where: string): void {
  for (const [i, value] of values.entries()) {
    if (repeats?.[i] !== 1) lists.push([])
    const list = lists.at(-1) ?? refuseParquet(where, 'a list that begins', 'one that goes on')
    if ((levels?.[i] ?? listLevel) >= listLevel) list.push(value)
  }
}

function readPageHeader(input: ParquetBytes): PageHeader {
  let [kind, length, packed, values, encoding] = [-1, -1, -1, 0, -1]
  let [repetition, definition, isPacked] = [0, 0, true]
  readThrift(input, {
    1: (field) => (kind = field.number()),
    2: (field) => (length = field.number()),
    3: (field) => (packed = field.number()),
    5: (header) =>
      header.struct({ 1: (field) => (values = field.number()), 2: (field) => (encoding = field.number()) }),
    7: (header) => header.struct({ 1: (field) => (values = field.number()) }),
    8: (header) =>
      header.struct({
        1: (field) => (values = field.number()),
        4: (field) => (encoding = field.number()),
        5: (field) => (definition = field.number()),
        6: (field) => (repetition = field.number()),
        7: (field) => (isPacked = field.truth()),
      }),
  })
  if (Math.min(length, packed, values, repetition, definition) < 0) {
    refuseParquet(input.where, 'a page', `one of ${length} bytes, ${packed} packed, and ${values} values`)
  }
  return { kind, length, packed, values, encoding, levelBytes: { repetition, definition }, isPacked }
}

interface Page {
  readonly values: readonly unknown[]
  /** Of each, how much of it is there; undefined where all is. */
  readonly levels?: Uint32Array | undefined
  /** Of each, 1 where it goes on with the list before it. */
  readonly repeats?: Uint32Array | undefined
}

function readPage(
  header: PageHeader,
  packed: Uint8Array,
  codec: number,
  column: StoredColumn,
  dictionary: readonly unknown[] | undefined,
  where: string,
  allowance: Allowance,
): Page {
  const most = column.levels
  const width = 32 - Math.clz32(most)
  const isList = column.listLevel !== undefined
  let repeats: Uint32Array | undefined
  let levels: Uint32Array | undefined
  let page: ParquetBytes
  if (header.kind === pageKinds.second) {
    const { repetition, definition } = header.levelBytes
    if (repetition + definition > packed.length) new ParquetBytes(packed, where).take(packed.length + 1)
    const stored = new ParquetBytes(packed, where)
    const first = new ParquetBytes(stored.take(repetition), where)
    if (isList) repeats = readRuns(first, 1, header.values)
    if (most > 0) levels = readRuns(new ParquetBytes(stored.take(definition), where), width, header.values)
    const rest = packed.subarray(repetition + definition)
    const length = header.length - repetition - definition
    page = new ParquetBytes(header.isPacked ? unpackPage(codec, rest, length, where) : rest, where)
  } else {
    page = new ParquetBytes(unpackPage(codec, packed, header.length, where), where)
    if (isList) repeats = readRuns(new ParquetBytes(page.take(page.word()), where), 1, header.values)
    if (most > 0) levels = readRuns(new ParquetBytes(page.take(page.word()), where), width, header.values)
  }
  const count = levels === undefined ? header.values : levels.reduce((sum, level) => sum + (level === most ? 1 : 0), 0)
  const present = readValues(page, header.encoding, column, count, dictionary, allowance)
  if (levels === undefined || count === header.values) return { values: present, levels, repeats }
  let next = 0
  return { values: Array.from(levels, (level) => (level === most ? present[next++] : null)), levels, repeats }
}

function readValues(
  page: ParquetBytes,
  encoding: number,
  column: StoredColumn,
  count: number,
  dictionary: readonly unknown[] | undefined,
  allowance: Allowance,
): unknown[] {
  const { type } = column
  if (count === 0) return []
  if (encoding === encodings.plainDictionary || encoding === encodings.dictionary) {
    const known = dictionary ?? refuseParquet(page.where, 'a dictionary before its use', 'none')
    return Array.from(readRuns(page, page.byte(), count), (place) =>
      place < known.length ? known[place] : refuseParquet(page.where, `one of ${known.length} values`, `${place}`),
    )
  }
  return readStored(page, encoding, type, count, allowance).map(meant(column))
}

function readStored(
  page: ParquetBytes,
  encoding: number,
  type: PhysicalType,
  count: number,
  allowance: Allowance,
): unknown[] {
  if (encoding === encodings.plain) return readPlain(page, type, count)
  if (encoding === encodings.runs && type === 'BOOLEAN') {
    return Array.from(readRuns(new ParquetBytes(page.take(page.word()), page.where), 1, count), (bit) => bit === 1)
  }
  if (encoding === encodings.deltas && type === 'INT32') return readDeltas(page, 32, count).map(Number)
  if (encoding === encodings.deltas && type === 'INT64') return readDeltas(page, 64, count)
  if (encoding === encodings.deltaLengths && type === 'BYTE_ARRAY') return readLengths(page, count)
  if (encoding === encodings.deltaBytes && type === 'BYTE_ARRAY') return readDeltaBytes(page, count, allowance)
  if (encoding === encodings.splitStreams && type in widths) return readSplit(page, type, count)
  return refuseParquet(page.where, `a known encoding of ${type}`, `number ${encoding}`)
}

const widths: Readonly<Partial<Record<PhysicalType, number>>> = { INT32: 4, INT64: 8, FLOAT: 4, DOUBLE: 8 }

function readPlain(page: ParquetBytes, type: PhysicalType, count: number): unknown[] {
  const width = widths[type]
  if (width !== undefined) {
    const stored = page.take(count * width)
    const view = new DataView(stored.buffer, stored.byteOffset, stored.byteLength)
    return Array.from({ length: count }, (_, i) => numberAt(view, type, i * width))
  }
  if (type === 'BOOLEAN') {
    const bits = page.take(Math.ceil(count / 8))
    return Array.from({ length: count }, (_, i) => ((bits[i >> 3] >> (i & 7)) & 1) === 1)
  }
  if (type !== 'BYTE_ARRAY') return refuseParquet(page.where, 'numbers, truths or bytes', type)
  if (count > page.left / 4) refuseParquet(page.where, `${count} values`, `${page.left} bytes`)
  return Array.from({ length: count }, () => page.take(page.word()))
}

function numberAt(view: DataView, type: PhysicalType, place: number): number | bigint {
  if (type === 'INT32') return view.getInt32(place, true)
  if (type === 'INT64') return view.getBigInt64(place, true)
  return type === 'FLOAT' ? view.getFloat32(place, true) : view.getFloat64(place, true)
}

function readLengths(page: ParquetBytes, count: number): Uint8Array[] {
  return readDeltas(page, 32, count).map((length) => page.take(Number(length)))
}

/** Each begins as the one before it, for a number of bytes. */
function readDeltaBytes(page: ParquetBytes, count: number, allowance: Allowance): Uint8Array[] {
  const shared = readDeltas(page, 32, count).map(Number)
  let before = new Uint8Array()
  return readLengths(page, count).map((rest, i) => {
    const same = shared[i]
    if (same < 0 || same > before.length) refuseParquet(page.where, `at most ${before.length} bytes again`, `${same}`)
    if (same > allowance.bytes) refuseParquet(page.where, `at most ${allowance.bytes} bytes here`, 'more')
    allowance.bytes -= same
    const value = new Uint8Array(same + rest.length)
    value.set(before.subarray(0, same))
    value.set(rest, same)
    return (before = value)
  })
}

/** The first bytes of all numbers, then the second ones, and so on. */
function readSplit(page: ParquetBytes, type: PhysicalType, count: number): unknown[] {
  const width = widths[type] ?? 0
  const streams = page.take(count * width)
  const bytes = new Uint8Array(count * width)
  for (let i = 0; i < bytes.length; i++) bytes[i] = streams[(i % width) * count + Math.floor(i / width)]
  return readPlain(new ParquetBytes(bytes, page.where), type, count)
}

/** What a stored value stands for. */
function meant({ type, meaning }: ParquetColumn): (value: unknown) => unknown {
  const decoder = new TextDecoder()
  const time = (perMs: bigint) => (value: unknown) => new Date(Number(BigInt(value as number | bigint) / perMs))
  const ofWhole: Readonly<Partial<Record<Meaning, (value: unknown) => unknown>>> = {
    milliseconds: time(1n),
    microseconds: time(1000n),
    nanoseconds: time(1_000_000n),
    days: (value) => new Date(86_400_000 * Number(value)),
    unsigned: (value) => (typeof value === 'bigint' ? BigInt.asUintN(64, value) : Number(value) >>> 0),
  }
  const found =
    type === 'BYTE_ARRAY'
      ? meaning === 'text'
        ? (value: unknown) => decoder.decode(value as Uint8Array)
        : undefined
      : type === 'INT32' || type === 'INT64'
        ? ofWhole[meaning]
        : undefined
  return found ?? ((value) => value)
}
