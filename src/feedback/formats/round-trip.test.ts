/** What goes out comes back: the same standing judgments, as far as a format has a place for them. */
import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { asyncBufferFromFile, parquetMetadataAsync, parquetReadObjects } from 'hyparquet'
import { parquetWriteRows, fileWriter } from 'hyparquet-writer'
import type { Judgment } from '../../records.ts'
import { judgment } from '../feedback-fixtures.test-helper.ts'
import type { FeedbackStore } from '../store/store.ts'
import { exportFeedback, importFeedback } from '../transfer.ts'
import { pair, ranking, workspace, type Workspace } from './formats.test-helper.ts'
import { exportFormatNames, formats, isForeign } from './formats.ts'
import { columns } from './pick-a-pic.ts'

const texts = ['a cat', 'a cat', 'a cat', 'a "dog"', 'a "dog"']

function rowsOf({ images }: Workspace): Judgment[] {
  const [a, b, c, d, e] = images
  return [
    { ...pair('1', [a, b], 'first'), durationMs: 1234, reasons: ['wrong-color'], shown: [b.id, a.id] },
    // the same two images by the same rater, in another way of asking
    { ...ranking('2', [c, b, a], [2, 1, 2]), durationMs: 2500.5, at: '2026-01-02T04:00:00.001Z' },
    { ...pair('3', [e, d], 'both-bad'), rater: 'bob' },
    { ...pair('4', [d, e], 'tie'), rater: 'shapes-judge', raterKind: 'simulated' },
    { ...pair('5', [b, c], 'second'), rater: 'bob' },
    { ...pair('6', [b, c], 'first'), rater: 'bob', at: '2026-01-03T00:00:00Z' },
    { ...pair('7', [a, c], 'first'), rater: 'bob' },
    { ...pair('8', [a, c], 'first'), rater: 'bob', undoes: '7' },
    judgment('9', a, 'bad'),
    { ...pair('10', [a, b], 'skip'), rater: 'eve' },
  ]
}

/** Standing judgments with the prompts in place of their images. */
async function told(store: FeedbackStore, isCarried: (one: Judgment) => boolean = () => true) {
  const textOf = new Map((await store.images()).map(({ record }) => [record.id, record.text]))
  const prompts = (ids: readonly string[] = []) => ids.map((id) => textOf.get(id))
  return (await store.judgments())
    .filter(isCarried)
    .map(({ images, shown, ...rest }) => ({ ...rest, images: prompts(images), shown: prompts(shown) }))
}

describe('an export that is imported again gives the same standing judgments', () => {
  for (const format of exportFormatNames) {
    it(`${format}, with the names of raters`, async () => {
      await using place = await workspace(texts)
      const { store, at, images } = place
      await store.addJudgments(rowsOf(place))
      const file = at(`out${formats[format].ending}`)
      await exportFeedback(store, file, { format, names: true })
      await using other = await workspace()
      if (!isForeign(format)) await other.store.addImages(images, at('drawn'))
      // A folder is read by the file of Flow-Factory that lies in it.
      const read = (folder: string) =>
        format === 'kohya'
          ? importFeedback(other.store, join(file, 'train.jsonl'), { format: 'flow-factory', folder })
          : importFeedback(other.store, file, { format, folder })
      const counts = await read(other.at('new'))
      assert.deepEqual(counts.leftOut, [])
      const isCarried = ({ kind, answer }: Judgment) =>
        !isForeign(format) ||
        (formats[format].kinds.includes(kind) &&
          answer !== 'skip' &&
          (formats[format].hasTies !== false || (answer !== 'tie' && answer !== 'both-bad')))
      assert.deepEqual(await told(other.store), await told(store, isCarried))
      const again = await read(other.at('again'))
      assert.deepEqual([again.added, again.images], [0, 0])
    })
  }

  it('with pseudonyms, each rater is one other, and the ids of imported judgments do not tell who it is', async () => {
    await using place = await workspace(texts)
    const { store, at, images } = place
    const rows = images.map(({ id }, i) => `${id},good,${i % 2 === 0 ? 'Yuki' : 'Ruth'}`)
    writeFileSync(at('labels.csv'), ['image,answer,rater', ...rows].join('\n'))
    await importFeedback(store, at('labels.csv'))
    await using other = await workspace(texts)
    await importFeedback(other.store, at('labels.csv'))
    const ids = (rows: readonly Judgment[]) => rows.map(({ id }) => id)
    const [own, others] = [ids(await store.allRows()), ids(await other.store.allRows())]
    assert.equal(new Set([...own, ...others]).size, 10)
    await exportFeedback(store, at('out.jsonl'))
    assert.doesNotMatch(readFileSync(at('out.jsonl'), 'utf8'), /Yuki|Ruth/)
  })

  it('Pick-a-Pic of which rows were taken out is read row by row', async () => {
    await using place = await workspace(texts)
    const { store, at } = place
    await store.addJudgments(rowsOf(place))
    await exportFeedback(store, at('out.parquet'), { names: true })
    const buffer = await asyncBufferFromFile(at('out.parquet'))
    const metadata = await parquetMetadataAsync(buffer)
    const rows = await parquetReadObjects({ file: buffer, metadata, utf8: false })
    const ofRanking = rows.findIndex((row, i) => rows.some((one, j) => j > i && one.ranking_id === row.ranking_id))
    const created = { ...rows[0], created_at: 0n }
    const kept = rows.filter((_, i) => i !== ofRanking).map((row) => ({ ...row, created_at: created.created_at }))
    await parquetWriteRows({
      writer: fileWriter(at('cut.parquet')),
      rows: kept,
      columns: Object.keys(columns).map((name) => ({ name })),
      schema: [
        { name: 'schema', num_children: Object.keys(columns).length },
        ...Object.entries(columns).map(([name, type]) => ({ name, ...type, repetition_type: 'OPTIONAL' as const })),
      ],
      kvMetadata: metadata.key_value_metadata?.map(({ key, value }) => ({ key, value: value ?? '' })),
    })
    await using other = await workspace()
    await importFeedback(other.store, at('cut.parquet'), { folder: other.at('new') })
    const judged = await other.store.judgments()
    assert.deepEqual(judged.map(({ kind }) => kind).sort(), Array<string>(6).fill('pair'))
    assert.equal(judged.filter(({ rater }) => rater.startsWith('pick-a-pic ')).length, 2)
  })
})
