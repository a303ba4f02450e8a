import assert from 'node:assert/strict'
import { existsSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { ConfigError, FileError, FormatError } from '../../errors.ts'
import { picture, workspace } from './formats.test-helper.ts'
import { filesIn } from './foreign-json.ts'
import type { ImportFormatName } from './formats.ts'
import { importFeedback } from '../transfer.ts'

describe('filesIn', () => {
  it('finds files of a folder and nothing else', async () => {
    await using place = await workspace()
    const { at } = place
    mkdirSync(at('data', 'images'), { recursive: true })
    writeFileSync(at('data', 'images', 'a.png'), 'a')
    writeFileSync(at('data', 'b.png'), 'b')
    writeFileSync(at('secret.png'), 'secret')
    symlinkSync(at('secret.png'), at('data', 'link.png'))
    const found = (path: string) => Buffer.from(filesIn(at('data'))(path) ?? '-').toString()
    assert.deepEqual(['images/a.png', '/elsewhere/b.png', 'upload/3/0a1b2c3d-b.png', 'C:\\x\\b.png'].map(found), [
      'a',
      'b',
      'b',
      'b',
    ])
    for (const path of ['../secret.png', at('secret.png'), 'link.png', 'images', '', '.', 'a\0', 'a.png']) {
      assert.equal(found(path), '-', path)
    }
    assert.equal(filesIn(at('missing'))('b.png'), undefined)
  })
})

describe('pictures whose folders are gone', () => {
  const pairs = (...folders: readonly string[]) =>
    JSON.stringify(
      folders.map((folder) => ({
        prompt: 'a cat',
        generations: ['1.png', '2.png'].map((name) => folder + name),
        ranking: [1, 2],
      })),
    )

  it('are not taken for one another', async () => {
    await using place = await workspace()
    const { store, at } = place
    for (const name of ['1.png', '2.png']) {
      writeFileSync(
        at(name),
        await picture(name === '1.png' ? 'red' : 'blue')
          .png()
          .toBuffer(),
      )
    }
    const options = { format: 'image-reward', folder: at('new') } as const
    for (const [first, second] of [
      ['a/', 'b/'],
      ['', 'b/'],
      ['b/', ''],
      ['/data/upload/1/01234567-', '/data/upload/1/76543210-'],
      ['C:\\a\\', 'C:\\b\\'],
    ]) {
      writeFileSync(at('a.json'), pairs(first, second))
      await assert.rejects(
        importFeedback(store, at('a.json'), options),
        (error: Error) =>
          error instanceof ConfigError &&
          error.message.includes('expected a picture of its own, received 1.png, which '),
        first,
      )
      assert.deepEqual([await store.images(), existsSync(at('new'))], [[], false])
    }
    writeFileSync(at('a.json'), pairs('a/', './a/', 'a\\'))
    const { added, known } = await importFeedback(store, at('a.json'), options)
    assert.deepEqual([added, known], [1, 2])
  })
})

describe('fields that are not needed', () => {
  const two = { prompt: 'a cat', image: 'a.png' }
  const choices = [{ type: 'choices', value: { choices: ['good'] } }]
  const cases: readonly (readonly [format: ImportFormatName, item: object, told: RegExp])[] = [
    [
      'image-reward',
      { prompt: 'a cat', generations: ['a.png', 'b.png'], ranking: [1, 2], id: {} },
      /^a\.json item 1 id: expected a text or/,
    ],
    [
      'hpdv2',
      { prompt: 'a cat', path1: 'a.png', path2: 'b.png', model1: 3 },
      /^a\.json item 1 model1: .*2 such values are not used/,
    ],
    [
      'hpdv2',
      { prompt: 'a cat', file_path: ['a.png', 'b.png'], human_preference: ['TRUE', '0.0'], user_hash: [] },
      / user_hash: /,
    ],
    [
      'label-studio',
      { data: two, annotations: [{ result: choices, lead_time: -1 }] },
      / annotations 0 lead_time: .*at least 0, received -1/,
    ],
    [
      'label-studio',
      { data: two, annotations: [{ result: choices, completed_by: [] }] },
      / completed_by: expected a name, a number/,
    ],
  ]
  for (const [format, item, told] of cases) {
    it(`are left aside where they are of another type: ${format} ${told.source}`, async () => {
      await using place = await workspace()
      const { store, at } = place
      for (const name of ['a.png', 'b.png']) {
        writeFileSync(
          at(name),
          await picture(name === 'a.png' ? 'red' : 'blue')
            .png()
            .toBuffer(),
        )
      }
      writeFileSync(at('a.json'), JSON.stringify([item, item]))
      const { added, leftOut } = await importFeedback(store, at('a.json'), { format, folder: at('new') })
      assert.deepEqual([added, leftOut.length], [1, 1])
      assert.match(leftOut[0], told)
    })
  }
})

describe('JSON of the wrong shape', () => {
  const cases: readonly (readonly [format: ImportFormatName, text: string, message: RegExp])[] = [
    ['image-reward', '{', /^a\.json: expected JSON/],
    ['image-reward', '{}', /^a\.json: expected a list of items.*received an object/],
    ['image-reward', '[]', /^a\.json: .*received an empty one/],
    ['image-reward', 'null', /^a\.json: .*received null/],
    ['image-reward', '[1]', /^a\.json item 1: expected one of items with prompt/],
    [
      'image-reward',
      '[{"prompt":"a","generations":["a.png","b.png"],"ranking":[1,"2"]}]',
      /^a\.json item 1 ranking 1: /,
    ],
    [
      'image-reward',
      '[{"prompt":"a","generations":["a.png","b.png"],"ranking":[1]}]',
      /^a\.json item 1 ranking: expected a rank of each of the 2/,
    ],
    ['hpdv2', '[{"prompt":"a"}]', /^a\.json item 1: .*received neither prompt, file_path/],
    [
      'hpdv2',
      '[{"prompt":"a","image_path":["a","b","c"],"rank":[1,2,3],"raw_annotations":[{"rank":[1],"user_hash":"x"}]}]',
      /^a\.json item 1: expected a rank of each of the 3 images, received 1/,
    ],
    ['label-studio', '[{"data":{}}]', /^a\.json item 1 annotations: /],
    ['label-studio', '[{"data":{"image":"a.png"},"annotations":[{"result":[]}]}]', /^a\.json item 1 data: .*prompt/],
    [
      'label-studio',
      '[{"data":{"prompt":"a","image":"a.tiff"},"annotations":[{"result":[]}]}]',
      /^a\.json item 1 data: expected fields that name images/,
    ],
    [
      'label-studio',
      '[{"data":{"prompt":"a","image":"a.png"},"annotations":[{"result":[{"type":"rectangle","value":{}},7]}]}]',
      /^a\.json: expected choices, pairwise or ranker results, received none/,
    ],
    [
      'label-studio',
      '[{"data":{"prompt":"a","image":"a.png"},"annotations":[{"result":[{"type":"choices","value":{"choices":["maybe"]}}]}]}]',
      /^a\.json item 1 choices: expected good, bad or skip.*received "maybe"/,
    ],
    [
      'label-studio',
      '[{"data":{"prompt":"a","image":"a.png"},"annotations":[{"result":[{"type":"choices","value":{}}]}]}]',
      /^a\.json item 1 choices: .*received nothing/,
    ],
    [
      'label-studio',
      '[{"data":{"prompt":"a","image":"a.png"},"annotations":[{"result":[{"type":"pairwise","value":{"selected":"left"}}]}]}]',
      /^a\.json item 1 pairwise: expected a task of two images/,
    ],
    [
      'label-studio',
      '[{"data":{"prompt":"a","l":"a.png","r":"b.png"},"annotations":[{"result":[{"type":"pairwise","value":{"selected":"up"}}]}]}]',
      /^a\.json item 1 pairwise selected: expected left, right or nothing, received "up"/,
    ],
    [
      'label-studio',
      '[{"data":{"prompt":"a","l":"a.png","r":"b.png"},"annotations":[{"result":[{"type":"ranker","value":{"rank":["l","x"]}}]}]}]',
      /^a\.json item 1 ranker: expected ids of its images \(l, r\), received "x"/,
    ],
    [
      'label-studio',
      '[{"data":{"prompt":"a","l":"a.png"},"annotations":[{"result":[],"created_at":"noon","was_cancelled":true}]}]',
      /^a\.json item 1 created_at: expected a time, received "noon"/,
    ],
    [
      'image-reward',
      JSON.stringify([
        { prompt: 'a', generations: Array.from({ length: 17 }, (_, i) => `${i}.png`), ranking: Array(17).fill(1) },
      ]),
      /^a\.json item 1 images: expected a judgment/,
    ],
  ]
  for (const [format, text, message] of cases) {
    it(`${format} ${text.slice(0, 90)}`, async () => {
      await using place = await workspace()
      const { store, at } = place
      writeFileSync(at('a.json'), text)
      await assert.rejects(importFeedback(store, at('a.json'), { format, folder: at('new') }), (error: Error) => {
        assert.ok(error instanceof FormatError)
        assert.match(error.message, message)
        return true
      })
      assert.deepEqual([await store.images(), await store.allRows()], [[], []])
    })
  }

  it('a file that is not there', async () => {
    await using place = await workspace()
    const { store, at } = place
    await assert.rejects(importFeedback(store, at('no.json'), { format: 'hpdv2', folder: at('new') }), FileError)
  })
})
