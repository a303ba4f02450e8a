import assert from 'node:assert/strict'
import { existsSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { asyncBufferFromFile, parquetMetadataAsync, parquetReadObjects } from 'hyparquet'
import { parquetWriteFile } from 'hyparquet-writer'
import sharp from 'sharp'
import { FileError, FormatError } from '../../errors.ts'
import { awkwardTexts, judgment } from '../feedback-fixtures.test-helper.ts'
import { exportFeedback, importFeedback } from '../transfer.ts'
import { pair, picture, ranking, workspace, type Workspace } from './formats.test-helper.ts'
import { columns } from './pick-a-pic.ts'

/** Made by `test/fixtures/formats/parquet_files.py`. */
const fixture = (name: string) => fileURLToPath(new URL(`../../../test/fixtures/formats/${name}`, import.meta.url))
const fromPython = fixture('pick-a-pic.parquet')

async function rowsOf(file: string) {
  const buffer = await asyncBufferFromFile(file)
  const metadata = await parquetMetadataAsync(buffer)
  return { metadata, rows: await parquetReadObjects({ file: buffer, metadata, utf8: false }) }
}

describe('export to Pick-a-Pic', () => {
  it('has the exact columns, pairs and the pairs of rankings', async () => {
    const cat = 'a "cat" <b>, \n 🐕'
    await using place = await workspace([cat, cat, cat, 'a dog'])
    const { store, images, at } = place
    const [a, b, c, dog] = images
    await store.addJudgments([
      pair('1', [a, b], 'first'),
      pair('2', [b, a], 'first'),
      { ...pair('3', [a, c], 'both-bad'), rater: 'bob' },
      ranking('4', [a, b, c], [2, 1, 2]),
      judgment('5', dog),
      { ...pair('6', [b, c], 'skip'), rater: 'eve' },
    ])
    const file = at('out.parquet')
    const counts = await exportFeedback(store, file, { licence: 'CC0' })
    assert.deepEqual(counts, { rows: 5, leftOut: { 'good-bad-skip': 1, pair: 1 }, held: 0, beside: [] })

    const { metadata, rows } = await rowsOf(file)
    const [, ...elements] = metadata.schema
    assert.deepEqual(
      elements.map(({ name, type, logical_type }) => [name, type, logical_type]),
      Object.entries(columns).map(([name, type]) => [
        name,
        type.type,
        'logical_type' in type ? type.logical_type : undefined,
      ]),
    )
    const facts = rows.map(({ image_0_uid, image_1_uid, label_0, label_1, best_image_uid }) => [
      image_0_uid,
      image_1_uid,
      label_0,
      label_1,
      best_image_uid,
    ])
    assert.deepEqual(facts, [
      [b.id, a.id, 1, 0, b.id],
      [a.id, c.id, 0.5, 0.5, 'none'],
      [a.id, b.id, 0, 1, b.id],
      [a.id, c.id, 0.5, 0.5, 'none'],
      [b.id, c.id, 1, 0, b.id],
    ])
    const [first, second, third, fourth] = rows
    assert.equal(first.caption, cat)
    assert.equal(first.num_example_per_prompt, 5n)
    assert.equal((first.created_at as Date).toISOString(), '2026-01-02T03:04:05.678Z')
    assert.equal(first.model_0, 'pretrained')
    assert.ok(first.user_id !== second.user_id && first.user_id === third.user_id)
    assert.ok(third.ranking_id === fourth.ranking_id && first.ranking_id !== third.ranking_id)
    const jpeg = await sharp(first.jpg_0 as Uint8Array).metadata()
    assert.deepEqual([jpeg.format, jpeg.width, jpeg.chromaSubsampling], ['jpeg', 8, '4:4:4'])

    const about = JSON.parse(metadata.key_value_metadata?.find(({ key }) => key === 'attune')?.value ?? '') as {
      licence: string
      images: Record<string, { sha256: string }>
      judgments: { id: string; rater: string }[]
    }
    assert.equal(about.licence, 'CC0')
    assert.equal(about.images[a.id].sha256, a.sha256)
    assert.deepEqual(
      about.judgments.map(({ id }) => id),
      ['2', '3', '4'],
    )
    assert.ok(about.judgments.every(({ rater }) => /^rater-[0-9a-f]{12}$/.test(rater)))
    assert.deepEqual(readdirSync(at()).sort(), [
      'drawn',
      'feedback.sqlite',
      'feedback.sqlite-shm',
      'feedback.sqlite-wal',
      'out.parquet',
    ])

    const back = await importFeedback(store, file, { folder: at('back') })
    assert.deepEqual(back, { added: 0, known: 5, unanswered: 0, images: 0, leftOut: [] })
  })

  it('is read into another store', async () => {
    const texts = awkwardTexts.flatMap((text) => [text, text])
    await using place = await workspace(texts)
    const { store, images, at } = place
    const pairs = awkwardTexts.map((_, i) => pair(`${i}`, images.slice(2 * i, 2 * i + 2), 'second'))
    await store.addJudgments(pairs)
    await exportFeedback(store, at('out.parquet'))
    await using other = await workspace()
    const counts = await importFeedback(other.store, at('out.parquet'), { folder: other.at('back') })
    assert.deepEqual(counts, { added: 6, known: 0, unanswered: 0, images: 12, leftOut: [] })
    const stored = new Map((await other.store.images()).map(({ record }) => [record.id, record]))
    const judged = await other.store.judgments()
    assert.deepEqual(
      judged.map(({ images: [first], answer, at: time }) => [stored.get(first)?.text, answer, time]),
      awkwardTexts.map((text) => [text, 'second', '2026-01-02T03:04:05.678Z']),
    )
    assert.match(judged[0].rater, /^rater-[0-9a-f]{12}$/)
    assert.equal(stored.get(judged[0].images[0])?.source?.model, 'pretrained')
  })

  it('leaves no half file', async () => {
    await using place = await workspace(['a', 'a'])
    const { store, images, at } = place
    assert.equal((await exportFeedback(store, at('none.parquet'))).rows, 0)
    assert.equal((await rowsOf(at('none.parquet'))).rows.length, 0)
    await store.addJudgments([pair('1', images, 'tie')])
    await assert.rejects(exportFeedback(store, at('missing/out.parquet')), FileError)
    rmSync(at('drawn', images[0].file))
    await assert.rejects(
      exportFeedback(store, at('out.parquet')),
      /^FileError: image [0-9a-f]{16} .*restore the folder/,
    )
    assert.ok(!readdirSync(at()).some((name) => name.includes('.partial')))
  })
})

describe('import of Pick-a-Pic', () => {
  it('reads what pyarrow wrote', async () => {
    await using place = await workspace()
    const { store, at } = place
    const counts = await importFeedback(store, fromPython, { folder: at('cats') })
    const leftOut = ['pick-a-pic.parquet row 4: two of its images are the same']
    assert.deepEqual(counts, { added: 3, known: 0, unanswered: 1, images: 5, leftOut })
    const stored = new Map((await store.images()).map(({ record }) => [record.id, record]))
    const [cat, , dog] = await store.judgments()
    assert.deepEqual(
      [cat.kind, cat.answer, cat.rater, cat.at],
      ['pair', 'first', 'pick-a-pic 7', '2023-05-02T12:30:00.250Z'],
    )
    assert.deepEqual([dog.answer, dog.rater], ['tie', 'pick-a-pic 9'])
    assert.equal(stored.get(dog.images[0])?.text, 'a <script>dog</script> 🐕')
    assert.equal(stored.get(dog.images[0])?.source?.model, 'dreamlike-art/dreamlike-photoreal-2.0')
    const again = await importFeedback(store, fromPython, { folder: at('again') })
    assert.deepEqual([again.added, again.known, again.images], [0, 3, 0])
  })

  for (const codec of ['zstd', 'gzip', 'brotli', 'none']) {
    it(`reads what pyarrow compressed: ${codec}`, async () => {
      await using place = await workspace()
      await using other = await workspace()
      await importFeedback(place.store, fromPython, { folder: place.at('cats') })
      const counts = await importFeedback(other.store, fixture(`pick-a-pic-${codec}.parquet`), {
        folder: other.at('new'),
      })
      assert.deepEqual([counts.added, counts.images, counts.unanswered], [3, 5, 1])
      const facts = async ({ store }: Workspace) =>
        (await store.judgments()).map(({ images, rater, at, ...rest }) => [images, rater, at, rest.answer])
      assert.deepEqual(await facts(other), await facts(place))
    })
  }

  it('reads what pandas wrote, with a rater missing', async () => {
    await using place = await workspace()
    const { store, at } = place
    const file = fixture('pick-a-pic-pandas.parquet')
    await importFeedback(store, file, { folder: at('cats'), rater: 'somebody' })
    assert.deepEqual(
      (await store.judgments()).map(({ rater, at: time }) => [rater, time]),
      ['pick-a-pic 7', 'somebody', 'pick-a-pic 9'].map((rater, i) => [rater, `2023-05-02T12:30:0${i}.250Z`]),
    )
  })

  it('unpacks no more than it should', async () => {
    await using place = await workspace()
    const { store, at } = place
    const truth = { name: 'has_label', type: 'BOOLEAN', data: Array<boolean>(2_000_001).fill(true) } as const
    parquetWriteFile({ filename: at('many.parquet'), columnData: [truth] })
    await assert.rejects(
      importFeedback(store, at('many.parquet'), { folder: at('new') }),
      /^FormatError: many\.parquet: expected at most 2000000 rows, received 2000001/,
    )
  })

  it('names what is wrong', async () => {
    await using place = await workspace()
    const { store, at } = place
    const jpeg = new Uint8Array(await picture('red').jpeg().toBuffer())
    const [label, text, bytes] = [{ type: 'DOUBLE' }, { type: 'STRING' }, { type: 'BYTE_ARRAY' }] as const
    const good = {
      caption: { ...text, data: ['a cat', 'a cat'] },
      jpg_0: { ...bytes, data: [jpeg, jpeg] },
      jpg_1: { ...bytes, data: [jpeg, new Uint8Array()] },
      label_0: { ...label, data: [1, 0] },
      label_1: { ...label, data: [0, 1] },
    }
    const write = (changed: Record<string, object | undefined>) => {
      const all = Object.entries({ ...good, ...changed }).filter((entry) => entry[1] !== undefined)
      const columnData = all.map(([name, column]) => ({ name, ...column })) as never
      parquetWriteFile({ filename: at('a.parquet'), columnData })
    }
    const refused = async (message: RegExp) => {
      await assert.rejects(importFeedback(store, at('a.parquet'), { folder: at('new') }), (error: Error) => {
        assert.ok(error instanceof FormatError)
        assert.match(error.message, message)
        assert.doesNotMatch(error.message, /\n/)
        return true
      })
    }
    write({ jpg_1: undefined })
    await refused(/^a\.parquet jpg_1: expected a column of type BYTE_ARRAY, received none \(there are caption, jpg_0,/)
    write({ caption: { type: 'INT32', data: [1, 2] } })
    await refused(/^a\.parquet caption: .*received INT32/)
    write({ jpg_0: { type: 'JSON', data: [{}, {}] }, label_1: { ...text, data: ['0', '1'] } })
    await refused(/^a\.parquet label_1: expected a column of type DOUBLE, received BYTE_ARRAY/)
    write({ label_0: { ...label, data: [1, 0.3] } })
    await refused(/^a\.parquet row 2 label_0, label_1: .*received 0.3 and 1/)
    write({ label_0: { ...label, data: [1, null] } })
    await refused(/^a\.parquet row 2 label_0, label_1: /)
    write({ has_label: { type: 'STRING', data: ['perhaps', 'true'] } })
    await refused(/^a\.parquet row 1 has_label: expected true or false, received "perhaps"/)
    write({ caption: { ...text, data: ['a cat', null] } })
    writeFileSync(at('whole.parquet'), readFileSync(at('a.parquet')))
    const whole = readFileSync(at('a.parquet'))
    for (const cut of [whole.subarray(0, -40), whole.subarray(0, 6), Buffer.from('not parquet at all')]) {
      writeFileSync(at('a.parquet'), cut)
      await refused(/^a\.parquet: expected a whole parquet file/)
    }
    await assert.rejects(importFeedback(store, at('missing.parquet'), { folder: at('new') }), FileError)
    assert.deepEqual(await store.images(), [])

    const counts = await importFeedback(store, at('whole.parquet'), { folder: at('new'), rater: 'ada' })
    assert.deepEqual([counts.added, counts.images, counts.leftOut.length], [0, 0, 2])
    assert.match(counts.leftOut[0], /^whole\.parquet row 2 caption: expected a prompt .*received an empty one/)
    assert.match(counts.leftOut[1], /^whole\.parquet row 1: two of its images are the same/)
    assert.deepEqual([await store.images(), existsSync(at('new'))], [[], false])
  })
})
