/** Exports for other trainers, read by a small program that knows nothing of Attune. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { FileError } from '../../errors.ts'
import type { Judgment } from '../../records.ts'
import { judgment } from '../feedback-fixtures.test-helper.ts'
import { exportFeedback, importFeedback } from '../transfer.ts'
import { imported, named, pair, ranking, workspace, type Workspace } from './formats.test-helper.ts'

const prompts = ['a cat', 'a cat', 'a cat', 'two\nlines, "quoted"', 'two\nlines, "quoted"']
const reader = join(import.meta.dirname, '../../../test/fixtures/other-trainers/read_pairs.py')
const readBy = (form: string, place: string) =>
  JSON.parse(execFileSync('python3', [reader, form, place], { encoding: 'utf8' })) as [string, string, string][]

function rowsOf({ images: [a, b, c, d, e] }: Workspace): Judgment[] {
  return [
    pair('1', [a, b], 'second'),
    ranking('2', [a, b, c], [2, 1, 2]),
    pair('3', [d, e], 'first'),
    { ...pair('4', [d, e], 'tie'), rater: 'bob' },
    { ...pair('5', [d, e], 'both-bad'), rater: 'eve' },
    { ...pair('6', [a, c], 'skip'), rater: 'eve' },
    judgment('7', a, 'bad'),
  ]
}

/** What the rows say, in the order of the export. */
function expectedOf({ images: [a, b, c, d, e] }: Workspace, captionOf: (text: string) => string) {
  return [
    [b, a],
    [b, a],
    [b, c],
    [d, e],
  ].map(([better, worse]) => [captionOf(better.text), better.sha256, worse.sha256])
}

const leftOut = { tie: 3, pair: 1, 'good-bad-skip': 1 }

describe('an export for another trainer', () => {
  it('kohya: folders w and l of equal names, with captions of one line', async () => {
    await using place = await workspace(prompts)
    await place.store.addJudgments(rowsOf(place))
    const folder = place.at('pairs')
    mkdirSync(folder)
    const told: string[] = []
    const stderr = { write: (text: string) => told.push(text) }
    const counts = await exportFeedback(place.store, folder, { format: 'kohya', stderr })
    assert.deepEqual({ ...counts, beside: [] }, { rows: 4, leftOut, held: 0, beside: [] })
    assert.match(told.join(''), /export: 8 images/)
    assert.deepEqual(
      readBy('kohya', folder),
      expectedOf(place, (text) => text.replace('\n', ' ')),
    )
    // the same as a data set of Flow-Factory
    assert.deepEqual(
      readBy('flow-factory', join(folder, 'train.jsonl')),
      expectedOf(place, (text) => text),
    )
    assert.doesNotMatch(readFileSync(join(folder, 'train.jsonl'), 'utf8'), /Ada/)
    // pictures that come again take no room, and none is the store's own file
    const first = statSync(join(folder, 'w', '000001.png'))
    assert.equal(statSync(join(folder, 'w', '000002.png')).ino, first.ino)
    const own = place.images.map(({ file }) => statSync(place.at('drawn', file)).ino)
    assert.ok(!own.includes(first.ino))
  })

  it('Flow-Factory: a preference a line, each image once', async () => {
    await using place = await workspace(prompts)
    await place.store.addJudgments(rowsOf(place))
    const file = place.at('train.jsonl')
    const counts = await exportFeedback(place.store, file, { format: 'flow-factory', licence: 'CC0' })
    assert.deepEqual([counts.rows, counts.leftOut], [4, leftOut])
    assert.deepEqual(
      readBy('flow-factory', file),
      expectedOf(place, (text) => text),
    )
    assert.equal(readdirSync(place.at('train-images')).length, 5)
    assert.match(readFileSync(file, 'utf8'), /"licence":"CC0"/)
  })

  for (const format of ['kohya', 'flow-factory'] as const) {
    it(`${format}: leaves nothing half-written, and what is there alone`, async () => {
      await using place = await workspace(prompts)
      await place.store.addJudgments(rowsOf(place))
      const out = place.at(format === 'kohya' ? 'out' : 'out.jsonl')
      const folder = format === 'kohya' ? out : place.at('out-images')
      const before = readdirSync(place.at())
      const lost = place.at('drawn', place.images[4].file)
      const bytes = readFileSync(lost)
      rmSync(lost)
      await assert.rejects(exportFeedback(place.store, out, { format }))
      assert.deepEqual(readdirSync(place.at()), before)
      writeFileSync(lost, bytes)
      await assert.rejects(exportFeedback(place.store, place.at('missing', 'out'), { format }), FileError)
      mkdirSync(folder)
      writeFileSync(join(folder, 'mine.txt'), 'mine')
      await assert.rejects(exportFeedback(place.store, out, { format }), /expected a new folder, or an empty one/)
      assert.deepEqual(readdirSync(folder), ['mine.txt'])
      rmSync(folder, { recursive: true })
      writeFileSync(folder, 'a file')
      await assert.rejects(exportFeedback(place.store, out, { format }), /something else of this name/)
      assert.equal(existsSync(format === 'kohya' ? place.at('out', 'w') : out), false)
    })
  }
})

describe('Flow-Factory', () => {
  const media = (path: string, type = 'image') => ({ media: [{ type, path }] })
  const preference = (prompt: string, chosen: object, rejected: object, more: object = {}) => ({
    schema_version: 2,
    input: { prompt, media: [] },
    supervision: { type: 'preference', chosen, rejected },
    ...more,
  })
  const linesOf = (items: readonly object[]) => items.map((item) => JSON.stringify(item)).join('\n')

  async function read(place: Workspace, text: string) {
    await imported(
      place,
      'image-reward',
      [{ prompt: 'seen', generations: ['a.png', 'b.png'], ranking: [1, 2] }],
      ['a.png', 'b.png'],
    )
    writeFileSync(place.at('train.jsonl'), text)
    const options = { format: 'flow-factory', folder: place.at('new'), rater: 'ada' } as const
    return await importFeedback(place.store, place.at('train.jsonl'), options)
  }

  it('reads preferences and demonstrations, and leaves out what is about other things', async () => {
    await using place = await workspace()
    const counts = await read(
      place,
      linesOf([
        preference('a cat', media('b.png'), media('a.png'), { metadata: { annotator: 'x' } }),
        {
          schema_version: 2,
          input: { prompt: 'a dog', media: [] },
          supervision: { type: 'demonstration', target: media('a.png') },
        },
        preference('a film', media('b.mp4', 'video'), media('a.mp4', 'video')),
        { ...preference('a change', media('b.png'), media('a.png')), input: { prompt: 'x', media: [{}] } },
      ]),
    )
    assert.equal(counts.added, 2)
    assert.deepEqual(
      counts.leftOut.map((line) => line.split(':').slice(0, 2).join(':')),
      ['train.jsonl:3', 'train.jsonl:4'],
    )
    assert.deepEqual(
      (await named(place)).slice(1).map(({ images, kind, answer, rater }) => [images, kind, answer, rater]),
      [
        [['b.png', 'a.png'], 'pair', 'first', 'ada'],
        [['a.png'], 'good-bad-skip', 'good', 'ada'],
      ],
    )
  })

  it('names line and field of what is wrong', async () => {
    const cases: readonly (readonly [text: string, message: RegExp])[] = [
      ['{', /train\.jsonl:1: expected JSON/],
      ['[]', /train\.jsonl:1: expected a record of Flow-Factory, schema 2/],
      [
        linesOf([{ ...preference('a', media('a.png'), media('b.png')), schema_version: 1 }]),
        /train\.jsonl:1 schema_version/,
      ],
      [`\n${linesOf([preference('a', { media: [] }, media('b.png'))])}`, /train\.jsonl:2 supervision chosen media/],
    ]
    for (const [text, message] of cases) {
      await using place = await workspace()
      await assert.rejects(read(place, text), message)
    }
  })

  it('reads lines of a ranking that were taken out as the pairs that are left', async () => {
    await using place = await workspace(prompts)
    await place.store.addJudgments(rowsOf(place))
    const file = place.at('train.jsonl')
    await exportFeedback(place.store, file, { format: 'flow-factory', names: true })
    const lines = readFileSync(file, 'utf8').split('\n')
    writeFileSync(file, lines.toSpliced(1, 1).join('\n'))
    await using other = await workspace()
    await importFeedback(other.store, file, { format: 'flow-factory', folder: other.at('new'), rater: 'who' })
    assert.deepEqual(
      (await other.store.judgments()).map(({ kind, rater }) => [kind, rater.slice(0, 3)]),
      [
        ['pair', 'Ada'],
        ['pair', 'who'],
        ['pair', 'Ada'],
      ],
    )
  })
})
