/** Parquet as other programs write it, read as the library reads it; and files that state what is not so. */
import assert from 'node:assert/strict'
import { mkdtempDisposableSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { brotliCompressSync, gzipSync, zstdCompressSync } from 'node:zlib'
import { asyncBufferFromFile, parquetReadObjects } from 'hyparquet'
import { parquetWriteFile, type ColumnSource } from 'hyparquet-writer'
import { FormatError } from '../../errors.ts'
import { openParquet } from './parquet-file.ts'
import { dataPage, dictionaryPage, madeParquet, pickColumns, plainBytes, varint } from './parquet.test-helper.ts'
import { pickAPicColumns } from './pick-a-pic-import.ts'
import type { MadeColumn, ThriftRecord } from './parquet.test-helper.ts'

const jpeg = Uint8Array.of(255, 216, 255, 1, 2, 3)

/** What the file holds, or the complaint. */
async function contentOf(bytes: Uint8Array) {
  using folder = mkdtempDisposableSync(join(tmpdir(), 'parquet-'))
  const file = join(folder.path, 'a.parquet')
  writeFileSync(file, bytes)
  const parquet = await openParquet(file, 'a.parquet', pickAPicColumns)
  const rows = await parquet.read(['caption', 'label_0', 'label_1'], 0, parquet.rows)
  const images = await Promise.all(rows.map(async (_, row) => (await parquet.picture(row, 'jpg_0')).bytes))
  return { rows, images }
}

async function refused(bytes: Uint8Array, message: RegExp) {
  await assert.rejects(contentOf(bytes), (error: Error) => {
    assert.ok(error instanceof FormatError, error.stack)
    assert.match(error.message, message)
    return true
  })
}

const withColumn = (rows: number, changed: Partial<MadeColumn> & { name: string }, footer: ThriftRecord = {}) =>
  madeParquet(
    rows,
    pickColumns(rows, jpeg).map((column) => (column.name === changed.name ? { ...column, ...changed } : column)),
    footer,
  )

describe('parquet', () => {
  it('is read as the library reads it, in every encoding', async () => {
    using folder = mkdtempDisposableSync(join(tmpdir(), 'parquet-'))
    const file = join(folder.path, 'a.parquet')
    const rows = 300
    const of = <T>(value: (i: number) => T) => Array.from({ length: rows }, (_, i) => value(i))
    const text = of((i) => (i % 7 === 3 ? null : `a cat ${i % 50} 🐕`))
    const bytes = of((i) => Uint8Array.from({ length: i % 9 }, (_, j) => i + j))
    const whole = of((i) => BigInt(i * i) * 1_000_003n * (i % 2 === 0 ? -1n : 1n))
    const label = of((i) => (i % 3) / 2)
    for (const codec of ['UNCOMPRESSED', 'SNAPPY'] as const) {
      for (const [texts, numbers, labels] of [
        ['PLAIN', 'PLAIN', 'PLAIN'],
        [undefined, undefined, undefined],
        ['DELTA_LENGTH_BYTE_ARRAY', 'DELTA_BINARY_PACKED', 'BYTE_STREAM_SPLIT'],
        ['DELTA_BYTE_ARRAY', 'BYTE_STREAM_SPLIT', 'RLE_DICTIONARY'],
      ] as const) {
        const columnData: ColumnSource[] = [
          { name: 'caption', type: 'STRING', data: text, encoding: texts },
          { name: 'jpg_0', type: 'BYTE_ARRAY', data: bytes, encoding: texts },
          { name: 'jpg_1', type: 'BYTE_ARRAY', data: bytes, encoding: texts },
          { name: 'label_0', type: 'DOUBLE', data: label, encoding: labels },
          { name: 'label_1', type: 'FLOAT', data: label, encoding: labels },
          { name: 'user_id', type: 'INT64', data: whole, encoding: numbers },
          { name: 'ranking_id', type: 'INT32', data: of((i) => i * 7 - 99), encoding: numbers },
          { name: 'has_label', type: 'BOOLEAN', data: of((i) => i % 3 > 0), encoding: numbers && 'RLE' },
          { name: 'created_at', type: 'TIMESTAMP', data: of((i) => new Date(1e12 + i)) },
        ]
        parquetWriteFile({ filename: file, columnData, codec, rowGroupSize: 128, pageSize: 500 })
        const buffer = await asyncBufferFromFile(file)
        const names = columnData.map(({ name }) => name)
        const expected = await parquetReadObjects({ file: buffer, utf8: false })
        const parquet = await openParquet(file, 'a.parquet', pickAPicColumns)
        const found = await parquet.read(names, 0, parquet.rows)
        assert.deepEqual(
          found.map((row) => names.map((name) => row[name] ?? null)),
          expected.map((row) => names.map((name) => row[name] ?? null)),
          `${codec} ${texts}`,
        )
        assert.deepEqual(await parquet.picture(299, 'jpg_1'), { bytes: bytes[299] })
      }
    }
  })

  it('as made here is sound', async () => {
    const { rows, images } = await contentOf(madeParquet(3, pickColumns(3, jpeg)))
    assert.deepEqual(rows.map(({ label_0 }) => label_0), [1, 1, 1]) // prettier-ignore
    assert.deepEqual(images, [jpeg, jpeg, jpeg])
  })

  it('is refused where a run is longer than the page', async () => {
    const run = [...varint(2 ** 31 * 2 - 2), 0]
    const dictionary = dictionaryPage(1, plainBytes(['a cat']))
    const indices = dataPage(2, 8, [8, ...run])
    await refused(
      withColumn(2, { name: 'caption', pages: [dictionary, indices] }),
      /^a\.parquet caption: expected a run of at most 2 values, received one of 2147483647/,
    )
    const levels = [run.length, 0, 0, 0, ...run]
    await refused(
      withColumn(2, { name: 'caption', isOptional: true, pages: [dataPage(2, 0, levels)] }),
      /caption: expected a run of at most 2 values/,
    )
    const packed = [...varint(2 ** 32 - 1)]
    await refused(
      withColumn(2, { name: 'caption', pages: [dictionary, dataPage(2, 8, [32, ...packed])] }),
      /caption: expected 8 more bytes, received 0/,
    )
  })

  it('is refused where a page states more than it holds', async () => {
    const huge = 2 ** 31 - 1
    for (const [page, message] of [
      [dataPage(huge, 0, [1, 2]), /caption: expected at most 2 more values, received a page of 2147483647/],
      [dataPage(2, 0, [1, 2], { 2: huge }), /caption: expected a page of at most 268435456 bytes here/],
      [dataPage(2, 0, [1, 2], { 3: huge }), /caption: expected 2147483647 more bytes/],
      [dataPage(2, 0, [1, 2], { 2: -1 }), /caption: expected a page, received one of -1 bytes/],
      [dataPage(2, 0, [255, 255, 255, 127]), /caption: expected 2 values, received 4 bytes/],
      [dataPage(1, 0, [255, 255, 255, 127]), /caption: expected 2147483647 more bytes/],
      [dictionaryPage(huge, [1, 2, 3, 4]), /caption: expected 2147483647 values, received 4 bytes/],
      [dataPage(2, 8, [1, 2]), /caption: expected a dictionary before its use/],
      [dataPage(2, 5, [128, 1, 4, 2, 0]), /caption: expected a known encoding of BYTE_ARRAY/],
      [dataPage(2, 6, [...varint(128), ...varint(huge), 2, 0]), /caption: expected blocks of 128 numbers/],
      [dataPage(2, 6, [...varint(huge), 4, 2, 0]), /caption: expected blocks of 128 numbers/],
    ] as const) {
      await refused(withColumn(2, { name: 'caption', pages: [page] }), message)
    }
  })

  it('is refused where what is packed would be larger than stated', async () => {
    const zeros = Buffer.alloc(2 ** 24)
    for (const [codec, packed] of [
      [2, gzipSync(zeros)],
      [4, brotliCompressSync(zeros)],
      [6, zstdCompressSync(zeros)],
    ] as const) {
      const pages = [dataPage(2, 0, packed, { 2: 100 })]
      await refused(
        withColumn(2, { name: 'caption', codec, pages }),
        /^a\.parquet( caption)?: expected a whole parquet/,
      )
      await refused(
        withColumn(2, { name: 'caption', codec, pages: [dataPage(2, 0, packed, { 2: 2 ** 28 + 1 })] }),
        /caption: expected a page of at most 268435456 bytes here, received one of 268435457/,
      )
    }
    const snappy = [...varint(2 ** 28), 0, 1]
    const pages = [dataPage(2, 0, snappy, { 2: 2 ** 28 })]
    await refused(withColumn(2, { name: 'caption', codec: 1, pages }), /caption: expected \d packed bytes of 268435456/)
    const literal = [4, 252, 255, 255, 255, 127]
    await refused(
      withColumn(2, { name: 'caption', codec: 1, pages: [dataPage(2, 0, literal, { 2: 4 })] }),
      /caption: expected 2147483648 more bytes/,
    )
  })

  it('is unpacked from lz4 as it is, and from blocks with their lengths before them', async () => {
    const values = plainBytes(['a cat', 'a cat'])
    // Nine bytes as they are, then nine again from nine bytes back; the last five of a block are never a copy.
    const block = [0x95, ...values.slice(0, 9), 9, 0, 0]
    const wordOf = (value: number) => [0, 0, 0, value]
    const framed = [...wordOf(values.length), ...wordOf(block.length), ...block]
    for (const [codec, packed] of [
      [7, block],
      [5, block],
      [5, framed],
    ] as const) {
      const pages = [dataPage(2, 0, packed, { 2: values.length })]
      const { rows } = await contentOf(withColumn(2, { name: 'caption', codec, pages }))
      assert.deepEqual(
        rows.map(({ caption }) => Buffer.from(caption as Uint8Array).toString()),
        ['a cat', 'a cat'],
      )
    }
    for (const [packed, length, message] of [
      [[0x95, ...values.slice(0, 9), 10, 0, 0], 18, /caption: expected a copy of one of 9 bytes, received of 10/],
      [[0x95, ...values.slice(0, 9), 9, 0, 0], 17, /caption: expected a page of 17 bytes, received more/],
      [
        [0x9f, ...values.slice(0, 9), 9, 0, 255, 255, 255, 0],
        18,
        /caption: expected a page of 18 bytes, received more/,
      ],
      [[0xf0, 255, 255], 18, /caption: expected 1 more bytes/],
      [[0x10, 1], 2 ** 28, /caption: expected at most 510 bytes out of 2/],
    ] as const) {
      const pages = [dataPage(2, 0, packed, { 2: length })]
      await refused(withColumn(2, { name: 'caption', codec: 7, pages }), message)
    }
  })

  it('is refused where its footer states more than it holds', async () => {
    const columns = pickColumns(2, jpeg)
    const sound = madeParquet(2, columns)
    const group = { 1: { list: [] }, 2: 0n, 3: 2n }
    for (const [footer, message] of [
      [{ 3: 1n << 62n }, /^a\.parquet: expected a number below 2⁵³/],
      [{ 3: 3n }, /^a\.parquet: expected 3 rows, as the footer says, received groups of 2/],
      [{ 3: -5n, 4: { list: [{ ...group, 3: -5n }] } }, /^a\.parquet: expected groups of rows, received one of -5/],
      [{ 3: 60_000n, 4: { list: [{ ...group, 3: 60_000n }] } }, /^a\.parquet: expected at most 50\d\d\d rows in/],
      [{ 4: { list: [group], count: 2 ** 31 } }, /^a\.parquet: expected 2147483648 elements, received \d+ bytes/],
      [{ 5: { list: Array(1001).fill({}) } }, /^a\.parquet: expected a list of at most 1000, received one of 1001/],
      [{ 77: { list: [0], count: 2 ** 31 } }, /^a\.parquet: expected 2147483648 elements/],
      [{ 4: { list: [group] } }, /caption: expected this column in every group of rows/],
    ] as const) {
      await refused(madeParquet(2, columns, footer), message)
    }
    let deep: ThriftRecord = {}
    for (let i = 0; i < 500; i++) deep = { 1: deep }
    await refused(madeParquet(2, columns, { 90: deep }), /records at most 32 deep/)
    for (const [name, meta] of [
      ['far', { 9: 1n << 50n }],
      ['long', { 7: 1n << 40n }],
      ['negative', { 9: -9n }],
    ] as const) {
      await refused(withColumn(2, { name: 'caption', changed: meta }), /caption: expected bytes -?\d+ to/).catch(
        (cause: unknown) => assert.fail(`${name}: ${String(cause)}`),
      )
    }
    const tail = Buffer.from(sound)
    tail.writeUInt32LE(2 ** 32 - 1, tail.length - 8)
    await refused(tail, /^a\.parquet: expected a whole parquet file, received a footer of 4294967295 bytes/)
  })

  it('takes little where much is stated', async () => {
    const before = process.memoryUsage.rss()
    for (let i = 0; i < 20; i++) {
      const run = [...varint(2 ** 31 * 2 - 2), 0]
      const pages = [dictionaryPage(1, plainBytes(['a cat'])), dataPage(2, 8, [8, ...run])]
      await assert.rejects(contentOf(withColumn(2, { name: 'caption', pages })), FormatError)
    }
    assert.ok(process.memoryUsage.rss() - before < 200e6)
  })

  it('survives any change of one byte', async () => {
    const whole = madeParquet(3, pickColumns(3, jpeg))
    for (let at = 0; at < whole.length; at++) {
      const changed = Buffer.from(whole)
      changed[at] ^= 1 << (at % 8)
      await contentOf(changed).catch((error: unknown) => assert.ok(error instanceof FormatError, String(error)))
    }
  })
})
