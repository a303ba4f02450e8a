/** What an image and a judgment are: what they show and say, not what a file calls them. All of an import, or nothing. */
import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { parquetWriteFile } from 'hyparquet-writer'
import { FormatError } from '../../errors.ts'
import { imageRecord } from '../feedback-fixtures.test-helper.ts'
import { ImportConfig, importLabels } from '../import-labels.ts'
import { openFeedback } from '../store/store.ts'
import { exportFeedback, importFeedback } from '../transfer.ts'
import { pair, picture, ranking, workspace, type Workspace } from './formats.test-helper.ts'
import type { ImportFormatName } from './formats.ts'

const png = async (color: string) => new Uint8Array(await picture(color).png().toBuffer())

/** The colours of the two images of each judgment. */
async function colors({ store }: Workspace) {
  const sharp = (await import('sharp')).default
  const stored = new Map((await store.images()).map((image) => [image.record.id, image]))
  const colorOf = async (id: string) => {
    const { folder, record } = stored.get(id)!
    const [red, green, blue] = await sharp(readFileSync(`${folder}/${record.file}`))
      .raw()
      .toBuffer()
    return [red, green, blue].map((level) => (level > 127 ? 1 : 0)).join('')
  }
  return await Promise.all((await store.judgments()).map(({ images }) => Promise.all(images.map(colorOf))))
}

function writePairs(file: string, pictures: readonly (readonly Uint8Array[])[]) {
  const same = <T>(value: T): T[] => pictures.map(() => value)
  parquetWriteFile({
    filename: file,
    columnData: [
      { name: 'caption', type: 'STRING', data: same('a cat') },
      { name: 'jpg_0', type: 'BYTE_ARRAY', data: pictures.map(([first]) => first) },
      { name: 'jpg_1', type: 'BYTE_ARRAY', data: pictures.map(([, second]) => second) },
      { name: 'label_0', type: 'DOUBLE', data: same(1) },
      { name: 'label_1', type: 'DOUBLE', data: same(0) },
      { name: 'image_0_uid', type: 'STRING', data: same('0') },
      { name: 'image_1_uid', type: 'STRING', data: same('1') },
      { name: 'ranking_id', type: 'INT64', data: same(0n) },
      { name: 'user_id', type: 'INT64', data: same(0n) },
    ],
  })
}

describe('identity is content', () => {
  it('Pick-a-Pic: two rows that call different pictures the same are two, and a repeated row counts once', async () => {
    await using place = await workspace()
    const { store, at } = place
    const [red, lime, blue, white] = await Promise.all(['#f00', '#0f0', '#00f', '#fff'].map(png))
    writePairs(at('a.parquet'), [
      [red, lime],
      [blue, white],
      [blue, white],
    ])
    const counts = await importFeedback(store, at('a.parquet'), { folder: at('new') })
    assert.deepEqual(counts, { added: 2, known: 1, unanswered: 0, images: 4, leftOut: [] })
    assert.deepEqual(await colors(place), [
      ['100', '010'],
      ['001', '111'],
    ])
  })

  it('Pick-a-Pic: an export whose pictures were changed says nothing about the images that it names', async () => {
    await using place = await workspace(['a cat', 'a cat', 'a cat'])
    const { store, at, images } = place
    await store.addJudgments([pair('1', images.slice(0, 2), 'first'), ranking('2', images, [1, 2, 3])])
    await exportFeedback(store, at('out.parquet'), { names: true })
    const whole = await importFeedback(store, at('out.parquet'), { folder: at('whole') })
    assert.deepEqual([whole.added, whole.known, whole.images], [0, 4, 0])
    const { asyncBufferFromFile, parquetMetadataAsync, parquetReadObjects } = await import('hyparquet')
    const { fileWriter, parquetWriteRows } = await import('hyparquet-writer')
    const { columns } = await import('./pick-a-pic.ts')
    const buffer = await asyncBufferFromFile(at('out.parquet'))
    const metadata = await parquetMetadataAsync(buffer)
    const rows = await parquetReadObjects({ file: buffer, metadata, utf8: false })
    const other = await png('#0f0')
    await parquetWriteRows({
      writer: fileWriter(at('changed.parquet')),
      rows: rows.map((row, i) => ({ ...row, created_at: 0n, ...(i === 0 ? { jpg_0: other } : {}) })),
      columns: Object.keys(columns).map((name) => ({ name })),
      schema: [
        { name: 'schema', num_children: Object.keys(columns).length },
        ...Object.entries(columns).map(([name, type]) => ({ name, ...type, repetition_type: 'OPTIONAL' as const })),
      ],
      kvMetadata: metadata.key_value_metadata?.map(({ key, value }) => ({ key, value: value ?? '' })),
    })
    const changed = await importFeedback(store, at('changed.parquet'), { folder: at('changed') })
    assert.deepEqual([changed.added, changed.known, changed.images], [1, 3, 1])
    const added = (await store.judgments()).at(-1)!
    assert.ok(!images.some(({ id }) => id === added.images[0]) && added.images[1] === images[1].id)
  })

  const items: Readonly<Partial<Record<ImportFormatName, unknown>>> = {
    hpdv2: [{ prompt: 'a cat', file_path: ['a.png', 'b.png'], human_preference: [1, 0] }],
    'image-reward': [{ id: 7, prompt: 'a cat', generations: ['a.png', 'b.png'], ranking: [1, 2] }],
    'label-studio': [
      {
        id: 1,
        data: { prompt: 'a cat', left: 'a.png', right: 'b.png' },
        annotations: [{ id: 1, result: [{ type: 'pairwise', value: { selected: 'left' } }] }],
      },
    ],
  }
  for (const [format, item] of Object.entries(items) as [ImportFormatName, unknown][]) {
    it(`${format}: two folders with equal names and different pictures are different judgments`, async () => {
      await using place = await workspace()
      const { store, at } = place
      for (const [folder, colors] of [
        ['one', ['#f00', '#0f0']],
        ['two', ['#00f', '#fff']],
      ] as const) {
        mkdirSync(at(folder))
        writeFileSync(at(folder, 'a.png'), await png(colors[0]))
        writeFileSync(at(folder, 'b.png'), await png(colors[1]))
        writeFileSync(at(folder, 'labels.json'), JSON.stringify(item))
        const options = { format, folder: at(`run-${folder}`) }
        const counts = await importFeedback(store, at(folder, 'labels.json'), options)
        assert.deepEqual(counts, { added: 1, known: 0, unanswered: 0, images: 2, leftOut: [] })
        const again = await importFeedback(store, at(folder, 'labels.json'), options)
        assert.deepEqual([again.added, again.known, again.images], [0, 1, 0])
      }
      assert.deepEqual(await colors(place), [
        ['100', '010'],
        ['001', '111'],
      ])
    })
  }

  it('ImageReward: an export beside which another picture lies is about that picture', async () => {
    await using place = await workspace(['a cat', 'a cat'])
    const { store, at, images } = place
    await store.addJudgments([pair('1', images, 'first')])
    await exportFeedback(store, at('out.json'), { format: 'image-reward', names: true })
    writeFileSync(at('out-images', `${images[0].id}.png`), await png('#0f0'))
    const options = { format: 'image-reward', folder: at('new') } as const
    assert.deepEqual(await importFeedback(store, at('out.json'), options), {
      added: 1,
      known: 0,
      unanswered: 0,
      images: 1,
      leftOut: [],
    })
    assert.equal((await store.judgments()).length, 2)
  })

  it('CSV: rows count by what they say, wherever they stand, and a mind that was changed back stands', async () => {
    await using place = await workspace(['a cat', 'a dog'])
    const { store, at, images } = place
    const [cat, dog] = images.map(({ id }) => id)
    const write = (...rows: readonly string[]) => writeFileSync(at('a.csv'), ['image,answer,rater', ...rows].join('\n'))
    write(`${cat},good,ada`, `${cat},good,ada`, `${dog},bad,ada`)
    assert.deepEqual(await importFeedback(store, at('a.csv')), {
      added: 2,
      known: 1,
      unanswered: 0,
      images: 0,
      leftOut: [],
    })
    write(`${dog},bad,ada`, `${cat},good,ada`)
    assert.equal((await importFeedback(store, at('a.csv'))).added, 0)
    write(`${cat},good,bob`, `${cat},bad,bob`, `${cat},good,bob`)
    assert.equal((await importFeedback(store, at('a.csv'))).added, 3)
    assert.equal((await importFeedback(store, at('a.csv'))).added, 0)
    const bobs = (await store.judgments()).filter(({ rater }) => rater === 'bob')
    assert.deepEqual(
      bobs.map(({ answer }) => answer),
      ['good'],
    )
  })
})

describe('an import is all or nothing', () => {
  it('keeps no image, run folder or store of one that is refused, or that adds nothing', async () => {
    await using place = await workspace()
    const { store, at } = place
    for (const name of ['a.png', 'b.png', 'c.png'])
      writeFileSync(at(name), await png(name === 'a.png' ? '#f00' : '#0f0'))
    const item = { prompt: 'a cat', generations: ['a.png', 'b.png'], ranking: [1, 2] }
    const refused = [item, { ...item, ranking: [1, 2, 3] }]
    const same = [{ ...item, generations: ['b.png', 'c.png'] }]
    for (const [list, isRefused] of [
      [refused, true],
      [same, false],
    ] as const) {
      writeFileSync(at('a.json'), JSON.stringify(list))
      const options = { format: 'image-reward', folder: at('new') } as const
      const outcome = await importFeedback(store, at('a.json'), options).catch((error: unknown) => error)
      if (isRefused) assert.ok(outcome instanceof FormatError)
      else assert.deepEqual(Object.values(outcome as object).slice(0, 4), [0, 0, 0, 0])
      assert.deepEqual([await store.images(), await store.allRows(), existsSync(at('new'))], [[], [], false])
      const feedback = at('fresh.sqlite')
      const config = ImportConfig.parse({ feedback, labels: at('a.json'), format: 'image-reward', out: at('new') })
      await assert.rejects(importLabels(config), FormatError)
      assert.ok(!readdirSync(at()).some((name) => name.startsWith('fresh')) && !existsSync(at('new')))
    }
  })

  it('says that nothing was added, and what was counted before', async () => {
    await using place = await workspace()
    const { at } = place
    writeFileSync(at('empty.csv'), 'image,answer\n')
    writeFileSync(at('empty.jsonl'), '')
    writeFileSync(at('sheet.csv'), 'number,image,answer\n1,0123456789abcdef,\n2,0123456789abcde0,\n')
    for (const [name, received] of [
      ['empty.csv', /expected at least one judgment, received none in 0 rows — give a file with judgments/],
      ['empty.jsonl', /expected at least one judgment, received none in 0 rows — give a file with judgments/],
      ['sheet.csv', /expected at least one judgment, received none in 2 rows — fill in some answers/],
    ] as const) {
      const told: unknown[] = []
      const config = ImportConfig.parse({ feedback: at('fresh.sqlite'), labels: at(name) })
      await assert.rejects(
        importLabels(config, (counts) => told.push(counts)),
        received,
      )
      assert.equal(told.length, 1)
      assert.ok(!existsSync(at('fresh.sqlite')))
    }
  })

  it('makes drawn images known with the judgments alone, whose file names mean them first', async () => {
    await using place = await workspace()
    const { at } = place
    const records = ['one', 'two'].map((text) => imageRecord(0, text))
    for (const [i, record] of records.entries()) {
      mkdirSync(at(`run-${i}`, 'images'), { recursive: true })
      writeFileSync(at(`run-${i}`, record.file), '')
      writeFileSync(at(`run-${i}`, 'images.jsonl'), `${JSON.stringify(record)}\n`)
      writeFileSync(at(`run-${i}`, 'manifest.json'), JSON.stringify(manifest))
    }
    writeFileSync(at('good.csv'), 'image,answer\n0000.png,good\n')
    writeFileSync(at('bad.csv'), 'image,answer\n0000.png,perhaps\n')
    const imported = (run: number, labels: string) =>
      importLabels(ImportConfig.parse({ feedback: at('f.sqlite'), images: [at(`run-${run}`)], labels: at(labels) }))
    await imported(0, 'good.csv')
    await assert.rejects(imported(1, 'bad.csv'), FormatError)
    {
      await using store = await openFeedback(at('f.sqlite'))
      assert.equal((await store.images()).length, 1)
    }
    await imported(1, 'good.csv')
    await using store = await openFeedback(at('f.sqlite'))
    assert.deepEqual(
      (await store.judgments()).map(({ images }) => images[0]),
      records.map(({ id }) => id),
    )
  })
})

const manifest = {
  schema: 1,
  stage: 'images generate',
  parents: {},
  startedAt: '2026-01-01T00:00:00Z',
  finishedAt: '2026-01-01T00:00:00Z',
  seconds: 1,
  version: '0.1.0',
  torch: null,
  results: {},
  files: [],
}
