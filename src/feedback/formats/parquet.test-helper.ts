/** Parquet files made field by field, so that they can state what is not so. */

type ThriftField = number | bigint | boolean | string | Uint8Array | ThriftList | ThriftRecord
/** Numbers are i32, bigints i64. */
export interface ThriftRecord {
  readonly [field: number]: ThriftField
}
interface ThriftList {
  readonly list: readonly ThriftField[]
  /** The length that is stated. */
  readonly count?: number
}

const isList = (value: object): value is ThriftList => 'list' in value

export function varint(value: number | bigint): number[] {
  let rest = BigInt(value)
  const bytes: number[] = []
  for (; rest > 0x7fn; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80)
  return [...bytes, Number(rest)]
}

function zigzag(value: number | bigint): number[] {
  const whole = BigInt(value)
  return varint(whole < 0n ? -2n * whole - 1n : 2n * whole)
}

function kindOf(value: ThriftField): number {
  if (typeof value === 'boolean') return value ? 1 : 2
  if (typeof value === 'number') return 5
  if (typeof value === 'bigint') return 6
  if (typeof value === 'string' || value instanceof Uint8Array) return 8
  return isList(value) ? 9 : 12
}

function contentOf(value: ThriftField): number[] {
  if (typeof value === 'boolean') return []
  if (typeof value === 'number' || typeof value === 'bigint') return zigzag(value)
  if (typeof value === 'string' || value instanceof Uint8Array) {
    const bytes = Buffer.from(value)
    return [...varint(bytes.length), ...bytes]
  }
  if (!isList(value)) return thrift(value)
  const kind = value.list.length === 0 ? 12 : kindOf(value.list[0])
  return [0xf0 | kind, ...varint(value.count ?? value.list.length), ...value.list.flatMap(contentOf)]
}

/** A record in Thrift's compact protocol. */
const thrift = (fields: ThriftRecord): number[] => [
  ...Object.entries(fields).flatMap(([field, value]: [string, ThriftField]) => [
    kindOf(value),
    ...zigzag(Number(field)),
    ...contentOf(value),
  ]),
  0,
]

export interface MadePage {
  readonly header: ThriftRecord
  readonly bytes: readonly number[] | Uint8Array
}

/** A page of the first kind. */
export const dataPage = (values: number, encoding: number, bytes: MadePage['bytes'], changed: ThriftRecord = {}) => ({
  header: { 1: 0, 2: bytes.length, 3: bytes.length, 5: { 1: values, 2: encoding, 3: 3, 4: 3 }, ...changed },
  bytes,
})

export const dictionaryPage = (values: number, bytes: MadePage['bytes'], changed: ThriftRecord = {}) => ({
  header: { 1: 2, 2: bytes.length, 3: bytes.length, 7: { 1: values, 2: 0 }, ...changed },
  bytes,
})

/** Texts or bytes as they are stored plainly. */
export function plainBytes(values: readonly (string | Uint8Array)[]): Uint8Array {
  return Buffer.concat(
    values.flatMap((value) => {
      const length = Buffer.alloc(4)
      length.writeUInt32LE(Buffer.from(value).length)
      return [length, Buffer.from(value)]
    }),
  )
}

const plainDoubles = (values: readonly number[]) => new Uint8Array(new Float64Array(values).buffer)

export interface MadeColumn {
  readonly name: string
  /** As the format numbers them. */
  readonly type: number
  readonly isOptional?: boolean
  readonly codec?: number
  readonly pages: readonly MadePage[]
  /** Of the footer's ColumnMetaData. */
  readonly changed?: ThriftRecord
}

/** A file of one group of rows. */
export function madeParquet(rows: number, columns: readonly MadeColumn[], changed: ThriftRecord = {}): Uint8Array {
  const parts: Uint8Array[] = [Buffer.from('PAR1')]
  let place = 4
  const chunks = columns.map(({ name, type, codec = 0, pages, changed: meta }): ThriftRecord => {
    const bytes = Buffer.concat(
      pages.flatMap((page) => [Uint8Array.from(thrift(page.header)), Buffer.from(page.bytes)]),
    )
    const from = place
    place += bytes.length
    parts.push(bytes)
    const described = { 1: type, 2: { list: [0] }, 3: { list: [name] }, 4: codec, 5: BigInt(rows) }
    return { 2: 0n, 3: { ...described, 6: BigInt(bytes.length), 7: BigInt(bytes.length), 9: BigInt(from), ...meta } }
  })
  const elements = columns.map(({ name, type, isOptional = false }) => ({ 1: type, 3: isOptional ? 1 : 0, 4: name }))
  const footer = Uint8Array.from(
    thrift({
      1: 1,
      2: { list: [{ 4: 'schema', 5: columns.length }, ...elements] },
      3: BigInt(rows),
      4: { list: [{ 1: { list: chunks }, 2: 0n, 3: BigInt(rows) }] },
      ...changed,
    }),
  )
  const length = Buffer.alloc(4)
  length.writeUInt32LE(footer.length)
  return Buffer.concat([...parts, footer, length, Buffer.from('PAR1')])
}

/** Columns of Pick-a-Pic for some rows that are all alike. */
export function pickColumns(rows: number, jpeg: Uint8Array): MadeColumn[] {
  const column = (name: string, type: number, bytes: Uint8Array): MadeColumn => ({
    name,
    type,
    pages: [dataPage(rows, 0, bytes)],
  })
  const many = <T>(value: T) => Array<T>(rows).fill(value)
  return [
    column('caption', 6, plainBytes(many('a cat'))),
    column('jpg_0', 6, plainBytes(many(jpeg))),
    column('jpg_1', 6, plainBytes(many(jpeg))),
    column('label_0', 5, plainDoubles(many(1))),
    column('label_1', 5, plainDoubles(many(0))),
  ]
}
