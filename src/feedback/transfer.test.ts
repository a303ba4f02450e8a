import assert from 'node:assert/strict'
import { mkdtempDisposable, readFile, readdir, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { ConfigError, FileError, FormatError, UnknownRecordError } from '../errors.ts'
import type { Judgment } from '../records.ts'
import { awkwardTexts, imageRecord, judgment } from './feedback-fixtures.test-helper.ts'
import { addGuidelines } from './guidelines.ts'
import { readSettings } from './store/settings.ts'
import { openFeedback, type FeedbackStore } from './store/store.ts'
import { exportFeedback, importFeedback, type ImportOptions } from './transfer.ts'

const noImages = { images: 0, leftOut: [] }
const images = awkwardTexts.map((text, index) => imageRecord(index, text))

async function withStore(test: (store: FeedbackStore, folder: string) => Promise<void>): Promise<void> {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'feedback-'))
  await using store = await openFeedback(join(folder.path, 'feedback.db'))
  await store.addImages(images, folder.path)
  await test(store, folder.path)
}

async function importText(
  store: FeedbackStore,
  folder: string,
  name: string,
  text: string,
  options?: ImportOptions,
): ReturnType<typeof importFeedback> {
  await writeFile(join(folder, name), text)
  return await importFeedback(store, join(folder, name), options)
}

describe('importFeedback', () => {
  it('needs only image and answer', () =>
    withStore(async (store, folder) => {
      const text = `\uFEFF Image ,ANSWER\r\n${images[0].id},Good\r\n\r\nimages/0001.png,0\r\n"0002.png",\r\n`
      const options = { rater: 'ada', at: '2026-01-01T00:00:00Z' }
      const counts = await importText(store, folder, 'labels.csv', text, options)
      assert.deepEqual(counts, { added: 3, known: 0, unanswered: 0, ...noImages })
      const rows = await store.allRows()
      assert.deepEqual(
        rows.map((row) => [row.images[0], row.answer, row.rater, row.raterKind, row.at]),
        (['good', 'bad', 'skip'] as const).map((answer, index) => [
          images[index].id,
          answer,
          'ada',
          'person',
          options.at,
        ]),
      )
    }))

  it('counts a file that is imported twice once, and takes a corrected answer', () =>
    withStore(async (store, folder) => {
      const text = `image;answer;rater\n${images[0].id};1;ada\n${images[1].id};1;bob\n`
      await importText(store, folder, 'a.csv', text)
      assert.deepEqual(await importText(store, folder, 'a.csv', text), {
        added: 0,
        known: 2,
        unanswered: 0,
        ...noImages,
      })
      const corrected = await importText(store, folder, 'a.csv', text.replace('1;bob', '0;bob'))
      assert.deepEqual(corrected, { added: 1, known: 1, unanswered: 0, ...noImages })
      assert.deepEqual(
        (await store.judgments()).map(({ rater, answer }) => [rater, answer]),
        [
          ['ada', 'good'],
          ['bob', 'bad'],
        ],
      )
    }))

  it('knows the numbers of a contact sheet', () =>
    withStore(async (store, folder) => {
      await writeFile(join(folder, 'sheet.csv'), `number,image\n1,${images[3].id}\n2,${images[4].id}\n`)
      const options = { sheet: join(folder, 'sheet.csv') }
      await importText(store, folder, 'a.csv', 'image,answer\n2,bad\n', options)
      assert.deepEqual((await store.allRows())[0].images, [images[4].id])
      await assert.rejects(importText(store, folder, 'a.csv', 'image,answer\n3,bad\n', options), UnknownRecordError)
      await writeFile(join(folder, 'sheet.csv'), `number,image\n1,${images[3].id}\n1,${images[4].id}\n`)
      const twice = importText(store, folder, 'a.csv', 'image,answer\n1,bad\n', options)
      await assert.rejects(twice, /^FormatError: sheet\.csv:3 number: expected each number once/)
    }))

  it('asks for ids where a file name is not enough', () =>
    withStore(async (store, folder) => {
      await store.addImages([imageRecord(0, 'another run')], 'elsewhere')
      await assert.rejects(importText(store, folder, 'a.csv', 'image,answer\n0000.png,bad\n'), /which 2 images have/)
    }))

  it('names file, row and column, and imports nothing', () =>
    withStore(async (store, folder) => {
      const good = `image,answer,at,duration_ms\n${images[0].id},good,,\n`
      const image = images[1].id
      const cases: readonly (readonly [string, string, abstract new (...args: never) => Error, RegExp])[] = [
        ['a.csv', `${good}${image},maybe,,\n`, FormatError, /^a\.csv:3 answer: expected good.*received "maybe"/],
        ['a.csv', `${good}\n0123456789abcdef,bad,,\n`, UnknownRecordError, /^a\.csv:4 image: .*unknown image 0123/],
        ['a.csv', `${good},bad,,\n`, UnknownRecordError, /^a\.csv:3 image: .*received nothing/],
        ['a.csv', `${good}${image},bad,yesterday,\n`, FormatError, /^a\.csv:3 at: /],
        ['a.csv', `${good}${image},bad,,-4\n`, FormatError, /^a\.csv:3 duration_ms: /],
        ['a.csv', `${good}${image},bad,,,5\n`, FormatError, /^a\.csv:3: expected 4 cells/],
        ['a.csv', `${good}"${image},bad\n`, FormatError, /^a\.csv:\d+: expected CSV with balanced quotes/],
        ['a.csv', `${good}${image},constructor\n`, FormatError, /^a\.csv:3 answer/],
        ['a.csv', `image\n${image}\n`, FormatError, /^a\.csv:1 answer: .*received image/],
        ['a.csv', '', FormatError, /^a\.csv:1 image: .*received an empty file/],
        ['a.jsonl', `${JSON.stringify(judgment('1', images[0]))}\n{`, FormatError, /^a\.jsonl:2: expected JSON/],
        ['a.jsonl', `{"id":"1"}`, FormatError, /^a\.jsonl:1 kind: /],
        ['a.jsonl', JSON.stringify(judgment('1', imageRecord(99))), UnknownRecordError, /^a\.jsonl:1 images: /],
        ['a.jsonl', '\n', FormatError, /^a\.jsonl: .*an empty file/],
        [
          'a.csv',
          `image,answer,kind\n${image} ${images[2].id},good,pair\n`,
          FormatError,
          /^a\.csv:2 answer: .*received "good"/,
        ],
        ['a.csv', `image,answer,kind\n${image},first,pair\n`, FormatError, /^a\.csv:2 image: /],
        ['a.csv', `image,answer,kind\n${image},good,poll\n`, FormatError, /^a\.csv:2 kind: .*received "poll"/],
        ['a.csv', `image,answer,kind,overall\n${image},rated,rating,8\n`, FormatError, /^a\.csv:2 overall: .*"8"/],
        ['a.csv', `image,answer,ranks\n${image},good,1 2\n`, FormatError, /^a\.csv:2 ranks: /],
        ['a.csv', `image,answer,kind,ranks\n[${image}],ranked,ranking,1\n`, UnknownRecordError, /^a\.csv:2 image: /],
        [
          'a.csv',
          `image,answer,id\n${image},good,x\n${image},bad,x\n`,
          FormatError,
          /^a\.csv:3 judgment x: expected an id of its own/,
        ],
        ['a.csv', `image,answer,rater\n${image},good,${'x'.repeat(1e6)}\n`, FormatError, /^a\.csv:2 rater: .{0,1000}$/],
        ['a.csv', `image,answer,rater\n${image},good,a\0b\n`, FormatError, /^a\.csv:2 rater: expected a name .*"a b"/],
        ['a.csv', `image,answer\n${image},"not\nsure"\n`, FormatError, /^a\.csv:2 answer: .*received "not sure" — /],
        ['a.csv', `image,answer\n${image},"\xff"\n`, FormatError, /^a\.csv:2 answer/],
        ['a.jsonl', '[1]', FormatError, /^a\.jsonl:1: .*a Judgment record/],
        [
          'a.csv',
          `image,answer,kind\n${image} ${image},first,pair\n`,
          FormatError,
          /^a\.csv:2 image: expected different images, received ".*" — correct the cell$/,
        ],
        [
          'a.csv',
          `image,answer,kind,overall,alignment,fidelity\n${image},rated,rating,3,,4\n`,
          FormatError,
          /^a\.csv:2 alignment: expected a whole number from 1 to 7.*received nothing — fill in the cell$/,
        ],
        [
          'a.csv',
          `image,answer,kind,overall\n${image},skip,rating,3\n`,
          FormatError,
          /^a\.csv:2 (alignment|overall): expected no ratings beside the answer skip/,
        ],
        [
          'a.csv',
          `image,answer,kind,ranks\n${image} ${images[0].id},ranked,ranking,1.5 2\n`,
          FormatError,
          /^a\.csv:2 ranks: expected a rank of each of the 2 images: whole numbers .*received "1\.5 2"/,
        ],
        ['a.csv', `${good}${image},bad,2026-01-01 10:00,\n`, FormatError, /^a\.csv:3 at: expected a time in UTC/],
        [
          'a.csv',
          `${good}${image},bad,9999-01-01T00:00:00Z,\n`,
          FormatError,
          /^a\.csv:3 at: expected a time that is not ahead of .*received 9999/,
        ],
        [
          'a.jsonl',
          JSON.stringify({ ...judgment('1', images[0]), kind: 'pair', images: [image, image], answer: 'first' }),
          FormatError,
          /^a\.jsonl:1 images: expected different images, received \[/,
        ],
        [
          'a.jsonl',
          JSON.stringify({ ...judgment('1', images[0]), rater: 5 }),
          FormatError,
          /^a\.jsonl:1 rater: expected a text, received 5/,
        ],
        [
          'a.jsonl',
          JSON.stringify({ ...judgment('1', images[0]), at: '9999-01-01T00:00:00Z' }),
          FormatError,
          /^a\.jsonl:1 at: expected a time that is not ahead/,
        ],
        ['a.ods', '', ConfigError, /^a\.ods: expected a file named \.csv, \.jsonl, \.parquet, \.json/],
        ['a.json', '[]', ConfigError, /^a\.json: expected --format image-reward, hpdv2, label-studio/],
        ['a.parquet', '', ConfigError, /^a\.parquet: expected a run folder for the images of Pick-a-Pic/],
      ]
      for (const [name, text, kind, message] of cases) {
        await assert.rejects(importText(store, folder, name, text), (error) => {
          assert.ok(error instanceof kind)
          assert.match(error.message, message)
          return true
        })
      }
      await assert.rejects(importFeedback(store, join(folder, 'missing.csv')), FileError)
      assert.deepEqual(await store.allRows(), [])
    }))
})

describe('exportFeedback', () => {
  const [first, second, third, fourth] = images.map(({ id }) => id)
  const shared = { rater: 'ada', raterKind: 'person', at: '2026-01-01T00:00:00Z' } as const
  const rows: Judgment[] = [
    { ...judgment('1', images[0]), durationMs: 1234.5 },
    ...awkwardTexts.map((rater, index): Judgment => ({
      ...judgment(`r${index}`, images[index], 'skip'),
      rater,
      raterKind: 'simulated',
    })),
    { ...judgment('2', images[0]), undoes: '1' },
    {
      ...shared,
      id: '3',
      kind: 'pair',
      images: [second, first],
      answer: 'both-bad',
      reasons: ['wrong-color', 'a b', '[c]'],
      shown: [first, second, third],
    },
    {
      ...shared,
      id: '4',
      kind: 'rating',
      images: [third],
      answer: 'rated',
      ratings: { overall: 7, alignment: 6, fidelity: 1 },
    },
    { ...shared, id: '5', kind: 'rating', images: [fourth], answer: 'skip', reasons: ['blurred'] },
    { ...shared, id: '6', kind: 'ranking', images: [first, second, third], answer: 'ranked', ranks: [2, 1, 2] },
    {
      ...shared,
      id: '7',
      kind: 'vote',
      images: [first, second],
      answer: 'tie',
      policies: ['pretrained', 'runs/my dpok'],
      question: 'fidelity',
      reasons: [],
    },
  ]

  for (const name of ['out.csv', 'out.jsonl']) {
    it(`gives the same rows back: ${name}`, () =>
      withStore(async (store, folder) => {
        const file = join(folder, name)
        await store.addJudgments(rows)
        await writeFile(file, 'older')
        assert.deepEqual(await exportFeedback(store, file, { names: true }), {
          rows: rows.length,
          leftOut: {},
          held: 0,
          beside: [],
        })
        assert.deepEqual(
          (await readdir(folder)).filter((entry) => !entry.startsWith('feedback.db')),
          [name],
        )
        await withStore(async (other) => {
          const counts = await importFeedback(other, file)
          assert.deepEqual(counts, { added: rows.length, known: 0, unanswered: 0, ...noImages })
          assert.deepEqual(await other.allRows(), rows)
        })
        assert.equal((await importFeedback(store, file)).added, 0)
      }))

    it(`hides who judged, and says what was agreed to: ${name}`, () =>
      withStore(async (store, folder) => {
        const file = join(folder, name)
        await store.addJudgments(rows)
        for (const [createdAt, consent] of [
          ['2025-01-01T00:00:00Z', 'You may "stop", at\nany time.'],
          ['2026-02-01T00:00:00Z', 'later'],
        ]) {
          await addGuidelines(store.database, { text: '', reasons: [], consent, author: null, createdAt })
        }
        await exportFeedback(store, file, { licence: 'CC0' })
        const text = await readFile(file, 'utf8')
        assert.doesNotMatch(text, /\bada\b/)
        assert.doesNotMatch(text, /later/)
        assert.match(text, /rater-[0-9a-f]{12}/)
        assert.ok(text.includes(images[0].sha256))
        assert.ok(
          name.endsWith('csv')
            ? text.includes('"You may ""stop"", at\nany time.",CC0,')
            : text.includes('"licence":"CC0"'),
        )
        assert.ok(!JSON.stringify(await readSettings(store.database)).includes('salt'))
        // At home the pseudonym is known; elsewhere it is a rater.
        assert.equal((await importFeedback(store, file)).known, rows.length)
        await withStore(async (other) => {
          await importFeedback(other, file)
          const raters = new Set((await other.allRows()).map(({ rater }) => rater))
          assert.equal(raters.size, awkwardTexts.length + 1)
          await exportFeedback(other, join(folder, `other-${name}`))
          const [own, others] = [text, await readFile(join(folder, `other-${name}`), 'utf8')].map(
            (one) => /rater-\w{12}/.exec(one)?.[0],
          )
          assert.notEqual(own, others, 'stores do not share pseudonyms')
        })
      }))
  }

  it('writes no cell that a spreadsheet computes', () =>
    withStore(async (store, folder) => {
      await store.addJudgments(rows)
      await exportFeedback(store, join(folder, 'out.csv'))
      assert.doesNotMatch(await readFile(join(folder, 'out.csv'), 'utf8'), /(^|,)"?[=+@]/m)
    }))

  it('keeps the older file where it cannot write', () =>
    withStore(async (store, folder) => {
      await assert.rejects(exportFeedback(store, join(folder, 'missing', 'out.csv')), FileError)
      await assert.rejects(exportFeedback(store, join(folder, 'out.txt')), ConfigError)
      await exportFeedback(store, join(folder, 'out.csv'))
      assert.equal(
        await readFile(join(folder, 'out.csv'), 'utf8'),
        'image,answer,rater,at,duration_ms,id,rater_kind,kind,undoes,ranks,overall,alignment,fidelity,reasons,shown,' +
          'policies,question,prompt,sha256,consent,licence,version\n',
      )
    }))
})
