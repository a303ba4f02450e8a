/** What Hugging Face and pyarrow wrote: test/fixtures/formats/hugging_face.py. */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import sharp from 'sharp'
import { parquetWriteFile } from 'hyparquet-writer'
import { FormatError } from '../../errors.ts'
import { importFeedback, type ImportOptions } from '../transfer.ts'
import { picture, workspace, type Workspace } from './formats.test-helper.ts'
import { openParquet } from './parquet-file.ts'

const fixture = (name: string) => fileURLToPath(new URL(`../../../test/fixtures/formats/${name}`, import.meta.url))
const names: Readonly<Record<string, string>> = {
  '255,0,0': 'red',
  '0,255,0': 'lime',
  '0,0,255': 'blue',
  '255,255,255': 'white',
  '0,0,0': 'black',
}

async function imported(place: Workspace, name: string, options: ImportOptions = {}) {
  const counts = await importFeedback(place.store, fixture(name), { folder: place.at('new'), rater: 'ada', ...options })
  const stored = await Promise.all(
    (await place.store.images()).map(async ({ record, folder }): Promise<[string, string]> => {
      const pixels = await sharp(`${folder}/${record.file}`).raw().toBuffer()
      const level = (value: number) => (value > 127 ? 255 : 0)
      return [record.id, names[[...pixels.subarray(0, 3)].map(level).join()]]
    }),
  )
  const colors = new Map(stored)
  const judged = (await place.store.judgments()).map((one) => ({
    ...one,
    images: one.images.map((id) => colors.get(id)),
  }))
  return { counts, judged }
}

describe('parquet of Hugging Face', () => {
  it('holds pictures with an Image feature, by their bytes or by a name', async () => {
    await using place = await workspace()
    const beside = await picture('black').png().toBuffer()
    const { counts, judged } = await imported(place, 'hugging-face-pairs.parquet', {
      findFile: (path) => (path === 'beside.png' ? beside : undefined),
    })
    assert.deepEqual(counts, { added: 3, known: 0, unanswered: 0, images: 6, leftOut: [] })
    assert.deepEqual(
      judged.map(({ images, answer }) => [...images, answer]),
      [
        ['red', 'lime', 'first'],
        ['blue', 'white', 'second'],
        ['red', 'black', 'tie'],
      ],
    )
    await using other = await workspace()
    const without = await imported(other, 'hugging-face-pairs.parquet')
    assert.deepEqual([without.counts.added, without.counts.leftOut.length], [2, 2])
    assert.match(without.counts.leftOut[0], /row 3 jpg_1: expected an image beside the file of judgments/)
  })

  it('ImageRewardDB: a ranking of each prompt, and the ratings of each image', async () => {
    await using place = await workspace()
    const { counts, judged } = await imported(place, 'image-reward-db.parquet')
    assert.deepEqual(counts, { added: 5, known: 0, unanswered: 0, images: 4, leftOut: [] })
    assert.deepEqual(
      judged.map((one) => [
        one.images.join(' '),
        one.kind === 'rating' ? Object.values(one.ratings ?? {}).join() : one.kind === 'ranking' && one.ranks?.join(),
      ]),
      [
        ['red', '4,5,3'],
        ['lime', '7,7,6'],
        ['blue', '4,4,4'],
        ['white', '1,2,3'],
        ['red lime blue', '2,1,2'],
      ],
    )
    const again = await importFeedback(place.store, fixture('image-reward-db.parquet'), {
      folder: place.at('again'),
      rater: 'ada',
    })
    assert.deepEqual([again.added, again.known, again.images], [0, 5, 0])
  })

  it('ImageRewardDB in pairs, and in lists', async () => {
    await using place = await workspace()
    const { judged } = await imported(place, 'image-reward-db-pair.parquet')
    assert.deepEqual([judged[0].images, judged[0].answer], [['lime', 'red'], 'first'])
    await using other = await workspace()
    const group = await imported(other, 'image-reward-db-group.parquet')
    assert.deepEqual(group.counts, { added: 1, known: 0, unanswered: 0, images: 2, leftOut: [] })
    assert.deepEqual([group.judged[0].images, group.judged[0].answer], [['red', 'lime'], 'first'])
    const again = await importFeedback(other.store, fixture('image-reward-db-group.parquet'), {
      folder: other.at('again'),
      rater: 'ada',
    })
    assert.deepEqual([again.added, again.known], [0, 1])
  })

  it('ImageRewardDB in lists that are empty, or of several lengths', async () => {
    const [red, lime, blue] = await Promise.all(
      ['red', 'lime', 'blue'].map(async (color) => new Uint8Array(await picture(color).png().toBuffer())),
    )
    const list = (name: string, type: 'BYTE_ARRAY' | 'INT32') => [
      { name, repetition_type: 'OPTIONAL', num_children: 1, converted_type: 'LIST' } as const,
      { name: 'list', repetition_type: 'REPEATED', num_children: 1 } as const,
      { name: 'element', repetition_type: 'OPTIONAL', type } as const,
    ]
    const read = async (rows: readonly (readonly [image: unknown, rank: unknown])[]) => {
      const place = await workspace()
      await using _open = place
      parquetWriteFile({
        filename: place.at('a.parquet'),
        columnData: [
          { name: 'prompt', data: rows.map((_, i) => `prompt ${i}`) },
          { name: 'image', data: rows.map(([image]) => image) },
          { name: 'rank', data: rows.map(([, rank]) => rank) },
        ],
        schema: [
          { name: 'root', num_children: 3 },
          { name: 'prompt', type: 'BYTE_ARRAY', converted_type: 'UTF8', repetition_type: 'OPTIONAL' },
          ...list('image', 'BYTE_ARRAY'),
          ...list('rank', 'INT32'),
        ],
        pageSize: 64,
        rowGroupSize: 3,
      })
      const options = { folder: place.at('new') }
      const { added, unanswered, leftOut } = await importFeedback(place.store, place.at('a.parquet'), options)
      const ranks = (await place.store.judgments()).map((one) => (one.kind === 'ranking' ? one.ranks : one.answer))
      return { added, unanswered, ranks, leftOut }
    }
    const three = [red, lime, blue]
    assert.deepEqual(
      await read([
        [three, [2, 1, 2]],
        [[], []],
        [null, null],
        [three, [1, null, 2]],
        [three, [3, 2, 1]],
      ]),
      { added: 3, unanswered: 3, ranks: [[2, 1, 2], 'first', [3, 2, 1]], leftOut: [] },
    )
    const other = await read([
      [three, [1, 2]],
      [three, [1, 2, 3]],
    ])
    assert.deepEqual([other.added, other.ranks, other.leftOut.length], [1, [[1, 2, 3]], 3])
    assert.match(other.leftOut[0], /^a\.parquet row 1 image 1: expected 2 images, as in the other lists .*received 3/)
  })

  it('RichHF-18K: scores are ratings', async () => {
    await using place = await workspace()
    const { judged } = await imported(place, 'rich-hf.parquet')
    assert.deepEqual(judged.map((one) => one.kind === 'rating' && one.ratings), [
      { overall: 4, alignment: 7, fidelity: 4 },
    ]) // prettier-ignore
  })

  it('ImageRewardDB with the paths of its images', async () => {
    await using place = await workspace()
    const { store, at } = place
    parquetWriteFile({
      filename: at('metadata.parquet'),
      columnData: [
        { name: 'image_path', type: 'STRING', data: ['images/train/1/a.webp', 'images/train/1/b.webp'] },
        { name: 'prompt', type: 'STRING', data: ['a cat', 'a cat'] },
        { name: 'prompt_id', type: 'STRING', data: ['1', '1'] },
        { name: 'rank', type: 'INT32', data: [2, 1] },
      ],
    })
    for (const [name, color] of [
      ['a.webp', 'red'],
      ['b.webp', 'blue'],
    ] as const) {
      writeFileSync(at(name), await picture(color).webp().toBuffer())
    }
    const counts = await importFeedback(store, at('metadata.parquet'), { folder: at('new') })
    assert.deepEqual([counts.added, counts.images, counts.leftOut], [1, 2, []])
    assert.equal((await store.judgments())[0].answer, 'second')
  })

  it('names what makes no sense', async () => {
    await using place = await workspace()
    const { store, at } = place
    const png = new Uint8Array(await picture('red').png().toBuffer())
    const write = (columns: Readonly<Record<string, readonly unknown[]>>) =>
      parquetWriteFile({
        filename: at('a.parquet'),
        columnData: [
          { name: 'prompt', type: 'STRING', data: ['a cat', 'a cat'] },
          { name: 'image', type: 'BYTE_ARRAY', data: [png, png] },
          ...Object.entries(columns).map(([name, data]) => ({ name, type: 'DOUBLE' as const, data: [...data] })),
        ],
      })
    for (const [columns, message] of [
      [{ rank: [1, 1.5] }, /^a\.parquet row 2 rank: expected a whole number from 1.*received 1\.5/],
      [
        { overall_rating: [1, 2], fidelity_rating: [1, 2] },
        /^a\.parquet image_text_alignment_rating: expected a column of type INT32, received none/,
      ],
      [
        { overall_rating: [9, 2], fidelity_rating: [1, 2], image_text_alignment_rating: [1, 2] },
        /^a\.parquet row 1 overall_rating: expected a whole number from 1 to 7, .*received 9/,
      ],
    ] as const) {
      write(columns)
      await assert.rejects(importFeedback(store, at('a.parquet'), { folder: at('new') }), (error: Error) => {
        assert.ok(error instanceof FormatError)
        assert.match(error.message, message)
        return true
      })
    }
    write({ overall_rating: [1, 2], fidelity_rating: [1, 2], rank: [1, 2] })
    const said = await importFeedback(store, at('a.parquet'), { folder: at('new') })
    assert.match(
      said.leftOut.join(),
      /^a\.parquet overall_rating: expected numbers in each of .*received DOUBLE, none, DOUBLE — its values are not used/,
    )
    write({ rank: [1, 2] })
    const counts = await importFeedback(store, at('a.parquet'), { folder: at('new') })
    assert.deepEqual([counts.added, counts.leftOut], [0, ['a.parquet row 1: two of its images are the same']])
  })
})

describe('columns that are not needed', () => {
  for (const codec of ['lz4', 'zstd']) {
    it(`are used or left aside where they are of other types: ${codec}`, async () => {
      await using place = await workspace()
      const { counts, judged } = await imported(place, `pick-a-pic-odd-${codec}.parquet`)
      const aside = `pick-a-pic-odd-${codec}.parquet ranking_id: expected a column of type BYTE_ARRAY, received list`
      assert.deepEqual(counts.leftOut, [`${aside} — its values are not used`])
      assert.deepEqual([counts.added, counts.unanswered], [1, 1])
      const [{ images, answer, rater, at }] = judged
      assert.deepEqual([images, answer], [['red', 'lime'], 'first'])
      assert.deepEqual([rater, at], ['pick-a-pic ada', '2023-05-02T12:30:00.000Z'])
    })
  }

  it('are not used where they hold no times', async () => {
    await using place = await workspace()
    const { store, at } = place
    const [red, blue] = await Promise.all(['red', 'blue'].map((one) => picture(one).png().toBuffer()))
    for (const [type, data, received] of [
      ['STRING', ['now'], 'now'],
      ['INT64', [1_700_000_000n], '1700000000'],
    ] as const) {
      parquetWriteFile({
        filename: at('a.parquet'),
        columnData: [
          { name: 'caption', type: 'STRING', data: [`a cat ${type}`] },
          { name: 'jpg_0', type: 'BYTE_ARRAY', data: [new Uint8Array(red)] },
          { name: 'jpg_1', type: 'BYTE_ARRAY', data: [new Uint8Array(blue)] },
          { name: 'label_0', type: 'DOUBLE', data: [1] },
          { name: 'label_1', type: 'DOUBLE', data: [0] },
          { name: 'created_at', type, data: [...data] },
        ],
      })
      const counts = await importFeedback(store, at('a.parquet'), { folder: at(`new-${type}`) })
      assert.equal(counts.added, 1)
      const message = `a.parquet row 1 created_at: expected a timestamp, received "${received}" — 1 are not used`
      assert.deepEqual(counts.leftOut, [message])
    }
  })
})

describe('lz4', () => {
  it('is unpacked as pyarrow packs it, and refused where it is broken', async () => {
    await using place = await workspace()
    const parquet = await openParquet(fixture('lz4.parquet'), 'lz4.parquet', ['caption', 'label_0'])
    const rows = await parquet.read(['caption', 'label_0'], 0, parquet.rows)
    assert.deepEqual(
      rows,
      Array.from({ length: 50 }, (_, i) => ({ caption: 'a cat '.repeat(400), label_0: i % 2 })),
    )
    const { readFileSync } = await import('node:fs')
    const whole = readFileSync(fixture('lz4.parquet'))
    for (let at = 4; at < 400; at += 3) {
      const changed = Buffer.from(whole)
      changed[at] ^= 0xff
      writeFileSync(place.at('b.parquet'), changed)
      await openParquet(place.at('b.parquet'), 'b.parquet', ['caption'])
        .then((one) => one.read(['caption'], 0, one.rows))
        .catch((error: unknown) => assert.ok(error instanceof FormatError, String(error)))
    }
  })
})
