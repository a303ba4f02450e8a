/** Judgments, in every format that is imported. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { judgmentsOfCsv } from '../../../src/feedback/formats/csv.ts'
import { readD3po } from '../../../src/feedback/formats/d3po.ts'
import { imageFinder } from '../../../src/feedback/formats/find-image.ts'
import { filesIn, type ForeignOptions } from '../../../src/feedback/formats/foreign-json.ts'
import type { ForeignRecords } from '../../../src/feedback/formats/foreign.ts'
import { readHpdv2 } from '../../../src/feedback/formats/hpdv2.ts'
import { readImageReward } from '../../../src/feedback/formats/image-reward.ts'
import { judgmentsOfLines } from '../../../src/feedback/formats/json-lines.ts'
import { readLabelStudio } from '../../../src/feedback/formats/label-studio.ts'
import * as made from '../../../src/feedback/formats/parquet.test-helper.ts'
import { readParquet } from '../../../src/feedback/formats/parquet-judgments.ts'
import { asFile, at, fixture, image, json, type Reader, records, textOf, texts } from './reader.ts'

const shared = { rater: 'ada', raterKind: 'person', at }
const judgments = [
  { ...shared, id: '1', kind: 'good-bad-skip', images: [image(1)], answer: 'good', durationMs: 10 },
  { ...shared, id: '2', kind: 'pair', images: [image(1), image(2)], answer: 'first', undoes: '1' },
  { ...shared, id: '3', kind: 'ranking', images: [image(1), image(2), image(3)], answer: 'ranked', ranks: [1, 2, 2] },
]
const table =
  'image,answer,rater,at,duration_ms,id,rater_kind,kind,undoes,ranks,overall,alignment,fidelity,reasons,shown\n' +
  `${image(1)},good,ada,${at},12,1,person,good-bad-skip,,,,,,,\n` +
  `1.png,0,"a ""b"", c",${at},,2,person,,,,,,,,\n` +
  `${image(1)} ${image(2)},ranked,bob,${at},,3,person,ranking,,1 2,,,,,\n`

/** Reads what is foreign, and all its images. */
const foreign = (name: string, read: (file: string, options: ForeignOptions) => Promise<ForeignRecords>) =>
  asFile(name, async (file, folder) => {
    const findFile = filesIn(folder)
    const { images } = await read(file, { name, rater: 'ada', at, findFile })
    for (const { bytes } of [...images.values()].slice(0, 20)) await (typeof bytes === 'function' ? bytes() : bytes)
  })

const parquets = () => {
  const jpeg = Uint8Array.of(255, 216, 255, 1, 2, 3)
  const columns = made.pickColumns(3, jpeg)
  const caption = (pages: made.MadePage[], codec = 0) =>
    made.madeParquet(
      3,
      columns.map((column) => (column.name === 'caption' ? { ...column, codec, pages } : column)),
    )
  const texts = made.plainBytes(['a', 'b', 'c'])
  const packed = gzipSync(texts)
  return [
    made.madeParquet(3, columns),
    caption([made.dictionaryPage(3, texts), made.dataPage(3, 8, [2, 6, 1])]),
    caption([made.dataPage(3, 0, packed, { 2: texts.length })], 2),
    caption([made.dataPage(3, 0, [15, 56, ...texts], { 2: texts.length })], 1),
    caption([made.dataPage(3, 6, [128, 1, 4, 3, 2, 0, 0, 0, 0, 0, 97, 98, 99])]),
    ...['pick-a-pic.parquet', 'pick-a-pic-zstd.parquet'].map((name) => fixture(`formats/${name}`)),
  ]
}

export const judgmentReaders: readonly Reader[] = [
  {
    name: 'judgments csv',
    form: 'text',
    sound: () => texts(table, table.replaceAll(',', ';'), table.replaceAll('\n', '\r\n')),
    open: async () => {
      const stored = records.map((record) => ({ record: record as never, folder: '.' }))
      const findImage = await imageFinder(stored, [], undefined)
      const defaults = { rater: 'ada', raterKind: 'person', at } as const
      return (bytes) => judgmentsOfCsv('input', textOf(bytes), findImage, defaults)
    },
  },
  {
    name: 'judgments jsonl',
    form: 'lines',
    sound: () => texts(judgments.map((one) => JSON.stringify(one)).join('\n')),
    open: () => (bytes) => judgmentsOfLines('input', textOf(bytes), new Set(records.map(({ id }) => id))),
  },
  { name: 'pick-a-pic', form: 'bytes', sound: parquets, open: foreign('a.parquet', readParquet) },
  {
    name: 'image-reward',
    form: 'json',
    sound: () => json([{ id: '1', prompt: 'a cat', generations: ['a.png', 'b.png'], ranking: [1, 2] }]),
    open: foreign('a.json', readImageReward),
  },
  {
    name: 'hpdv2',
    form: 'json',
    sound: () =>
      json(
        [{ prompt: 'a cat', image_path: ['a.png', 'b.png'], human_preference: [1, 0] }],
        [{ prompt: 'a cat', image_path: ['a.png', 'b.png', 'c.png'], human_preference: [1, 3, 2], rank: [1, 3, 2] }],
      ),
    open: foreign('a.json', readHpdv2),
  },
  {
    name: 'label-studio',
    form: 'json',
    sound: () =>
      json(
        [
          {
            id: 1,
            data: { prompt: 'a cat', image: '/data/upload/1/0123abcd-a.png' },
            annotations: [
              {
                id: 2,
                completed_by: { id: 1, email: 'a@b.c' },
                created_at: at,
                lead_time: 2.5,
                result: [{ from_name: 'q', to_name: 'image', type: 'choices', value: { choices: ['good'] } }],
              },
            ],
          },
        ],
        [
          {
            id: 1,
            data: { prompt: 'a cat', left: 'a.png', right: 'b.png' },
            annotations: [{ id: 2, result: [{ type: 'pairwise', value: { selected: 'left' } }] }],
          },
        ],
      ),
    open: foreign('a.json', readLabelStudio),
  },
  {
    name: 'd3po',
    form: 'json',
    sound: () => json([[1, 0], [0.5, null]], [1, 2, 3, 4]), // prettier-ignore
    open: (folder) => {
      writeFileSync(join(folder, 'prompt.json'), '["a cat", "a dog"]')
      return foreign('a.json', readD3po)(folder)
    },
  },
  {
    name: 'd3po prompts',
    form: 'json',
    sound: () => json(['a cat', 'a dog']),
    open: (folder) => {
      writeFileSync(join(folder, 'a.json'), '[[1, 0], [0.5, 2]]')
      return asFile('prompt.json', async (_, own) => {
        await readD3po(join(own, 'a.json'), { name: 'a.json', rater: 'ada', at, findFile: filesIn(own) })
      })(folder)
    },
  },
]
