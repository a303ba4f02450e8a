/** The footer of a parquet file (github.com/apache/parquet-format): its columns, and where their parts lie. */
import { ParquetBytes, refuseParquet } from './parquet-bytes.ts'
import { readThrift, type ThriftValue } from './parquet-thrift.ts'

const physicalTypes = [
  'BOOLEAN',
  'INT32',
  'INT64',
  'INT96',
  'FLOAT',
  'DOUBLE',
  'BYTE_ARRAY',
  'FIXED_LEN_BYTE_ARRAY',
] as const
export type PhysicalType = (typeof physicalTypes)[number]

/** What the numbers or bytes of a column stand for. */
export type Meaning = 'plain' | 'text' | 'unsigned' | 'days' | 'milliseconds' | 'microseconds' | 'nanoseconds'

export interface ParquetColumn {
  /** With the names of the groups that it is in before it: `image.bytes`. */
  readonly name: string
  /** Undefined for a group of columns. */
  readonly type: PhysicalType | undefined
  /** Of itself, or of a group that it is in: `repeated` of all that is in a list. */
  readonly repetition: 'required' | 'optional' | 'repeated'
  /** How many of it and of its groups may be missing. */
  readonly levels: number
  /** Of what is in one list: as many of `levels` are there where the list has a value. */
  readonly listLevel?: number
  readonly meaning: Meaning
}

/** The part of a column that belongs to a group of rows. */
export interface ColumnPart {
  /** As the format numbers it. */
  readonly codec: number
  /** In the file, bytes. */
  readonly from: number
  readonly length: number
}

export interface RowGroup {
  readonly rows: number
  /** By the names of columns. */
  readonly parts: ReadonlyMap<string, ColumnPart>
}

export interface ParquetFooter {
  readonly rows: number
  /** By name. */
  readonly columns: ReadonlyMap<string, ParquetColumn>
  readonly groups: readonly RowGroup[]
  /** Texts of the file itself, by key. */
  readonly notes: ReadonlyMap<string, Uint8Array>
}

const most = { bytes: 2 ** 26, columns: 10_000, groups: 100_000, notes: 1000, depth: 20 }
const magic = 'PAR1'

/**
 * Where the footer lies, from the last 8 bytes of a file.
 *
 * @param size of the file, bytes
 * @throws {FormatError} no parquet, or a footer that is larger than the file or than 64 MiB
 */
export function footerPlace(end: Uint8Array, size: number, where: string): { from: number; length: number } {
  const tail = new ParquetBytes(end, where)
  const length = end.length === 8 ? tail.word() : 0
  const found = Buffer.from(end.subarray(-4)).toString('latin1')
  if (end.length < 8 || found !== magic) refuseParquet(where, 'a whole parquet file', 'one that does not end as such')
  if (length > size - 12) refuseParquet(where, 'a whole parquet file', `a footer of ${length} bytes in one of ${size}`)
  if (length > most.bytes) refuseParquet(where, `a footer of at most ${most.bytes} bytes`, `${length}`)
  return { from: size - 8 - length, length }
}

/**
 * @param wanted names of the columns whose parts are kept
 * @throws {FormatError} broken, or with more in it than a file has
 */
export function readFooter(bytes: Uint8Array, wanted: ReadonlySet<string>, where: string): ParquetFooter {
  let rows = -1
  const elements: Element[] = []
  const groups: RowGroup[] = []
  const notes = new Map<string, Uint8Array>()
  readThrift(new ParquetBytes(bytes, where), {
    2: (schema) => schema.list(most.columns, (element) => elements.push(readElement(element))),
    3: (count) => (rows = count.number()),
    4: (list) => list.list(most.groups, (group) => groups.push(readGroup(group, wanted, where))),
    5: (list) =>
      list.list(most.notes, (note) => {
        let [key, value]: [string, Uint8Array] = ['', new Uint8Array()]
        note.struct({ 1: (field) => (key = field.text()), 2: (field) => (value = field.binary()) })
        if (!notes.has(key)) notes.set(key, value)
      }),
  })
  if (rows < 0 || elements.length === 0)
    refuseParquet(where, 'a whole parquet file', 'a footer without columns or rows')
  const counted = groups.reduce((sum, group) => sum + group.rows, 0)
  if (counted !== rows) refuseParquet(where, `${rows} rows, as the footer says`, `groups of ${counted} in all`)
  return { rows, columns: columnsOf(elements, where), groups, notes }
}

interface Element extends Omit<ParquetColumn, 'levels'> {
  readonly children: number
}

/** Numbers of the format's ConvertedType. */
const converted: Readonly<Record<number, Meaning>> = {
  0: 'text',
  6: 'days',
  9: 'milliseconds',
  10: 'microseconds',
  13: 'unsigned',
  14: 'unsigned',
}

function readElement(element: ThriftValue): Element {
  let [name, type, repetition, children]: [string, PhysicalType | undefined, number, number] = ['', undefined, 0, 0]
  let meaning: Meaning = 'plain'
  const means = (one: Meaning) => (logical: ThriftValue) => {
    logical.struct({})
    meaning = one
  }
  element.struct({
    1: (field) => (type = physicalTypes[field.number()]),
    3: (field) => (repetition = field.number()),
    4: (field) => (name = field.text()),
    5: (field) => (children = field.number()),
    6: (field) => (meaning = converted[field.number()] ?? meaning),
    10: (logical) =>
      logical.struct({
        1: means('text'),
        6: means('days'),
        8: (time) =>
          time.struct({
            2: (unit) => unit.struct({ 1: means('milliseconds'), 2: means('microseconds'), 3: means('nanoseconds') }),
          }),
        10: (integer) =>
          integer.struct({
            2: (isSigned) => {
              if (!isSigned.truth()) meaning = 'unsigned'
            },
          }),
      }),
  })
  return { name, type, repetition: (['required', 'optional'] as const)[repetition] ?? 'repeated', meaning, children }
}

/** What stands between a list and its values, as pyarrow, Spark and Hive name it. */
const listSteps = /\.(list\.(element|item)|bag\.array_element|bag\.array)(?=\.|$)/

/** The values of a list are called as the list is. */
const plainName = (name: string) => name.replace(listSteps, '')

interface Parent extends Pick<ParquetColumn, 'name' | 'levels'> {
  readonly isList: boolean
  readonly listLevel: number | undefined
  /** That are still to come. */
  left: number
}

/** The first element stands for the whole. */
function columnsOf([, ...elements]: readonly Element[], where: string): Map<string, ParquetColumn> {
  const columns = new Map<string, ParquetColumn>()
  const parents: Parent[] = []
  for (const { children, ...element } of elements) {
    while (parents.at(-1)?.left === 0) parents.pop()
    const parent = parents.at(-1)
    if (parent !== undefined) parent.left--
    if (parents.length > most.depth) refuseParquet(where, `columns at most ${most.depth} deep`, 'deeper ones')
    const name = parent === undefined ? element.name : `${parent.name}.${element.name}`
    const isList = element.repetition === 'repeated' || parent?.isList === true
    const levels = (parent?.levels ?? 0) + (element.repetition === 'required' ? 0 : 1)
    // Lists in lists are none that can be read.
    const isRepeated = element.repetition === 'repeated'
    const listLevel = !isRepeated ? parent?.listLevel : parent?.isList === true ? undefined : levels
    const plain = plainName(name)
    columns.set(plain, {
      ...element,
      name: plain,
      levels,
      ...(listLevel === undefined ? {} : { listLevel }),
      repetition: isList ? 'repeated' : element.repetition,
    })
    if (children > 0) parents.push({ name, levels, isList, listLevel, left: children })
  }
  return columns
}

function readGroup(group: ThriftValue, wanted: ReadonlySet<string>, where: string): RowGroup {
  let rows = 0
  const parts = new Map<string, ColumnPart>()
  group.struct({
    1: (list) =>
      list.list(most.columns, (column) => {
        const found = readPart(column)
        if (found === undefined || !wanted.has(found.name)) return
        if (parts.has(found.name)) refuseParquet(`${where} ${found.name}`, 'one column of this name', 'two')
        parts.set(found.name, found.part)
      }),
    3: (count) => (rows = count.number()),
  })
  return rows >= 0 ? { rows, parts } : refuseParquet(where, 'groups of rows', `one of ${rows}`)
}

function readPart(column: ThriftValue): { name: string; part: ColumnPart } | undefined {
  const path: string[] = []
  let [codec, length, pages, dictionary] = [0, 0, 0, 0]
  column.struct({
    3: (meta) =>
      meta.struct({
        3: (list) => list.list(100, (step) => path.push(step.text())),
        4: (field) => (codec = field.number()),
        7: (field) => (length = field.number()),
        9: (field) => (pages = field.number()),
        11: (field) => (dictionary = field.number()),
      }),
  })
  return path.length > 0
    ? { name: plainName(path.join('.')), part: { codec, from: dictionary || pages, length } }
    : undefined
}
