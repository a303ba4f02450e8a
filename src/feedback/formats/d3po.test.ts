import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { importFeedback, type ImportOptions } from '../transfer.ts'
import { filesIn } from './foreign-json.ts'
import { named, picture, workspace, type Workspace } from './formats.test-helper.ts'

describe('D3PO', () => {
  async function labelled(place: Workspace, labels: unknown, prompts: unknown = ['a cat', 'a dog']) {
    mkdirSync(place.at('data', 'images'), { recursive: true })
    for (let i = 0; i < 6; i++) {
      const png = await picture(`rgb(${i * 40}, 0, 9)`)
        .png()
        .toBuffer()
      writeFileSync(place.at('data', 'images', `0000${i}.png`), png)
    }
    if (prompts !== undefined) writeFileSync(place.at('data', 'prompt.json'), JSON.stringify(prompts))
    writeFileSync(place.at('labels.json'), JSON.stringify(labels))
    const options: ImportOptions = {
      format: 'd3po',
      folder: place.at('new'),
      findFile: filesIn(place.at('data')),
    }
    return await importFeedback(place.store, place.at('labels.json'), options)
  }

  for (const [what, labels] of [
    ['a matrix', [[0.5, 1, 0.5], [3, 1, null]]], // prettier-ignore
    ['a list', [0.5, 1, 0.5, 3, 1, null]],
  ] as const) {
    it(`ranks the images of each prompt, larger is better: ${what}`, async () => {
      await using place = await workspace()
      const counts = await labelled(place, labels)
      assert.deepEqual(counts, { added: 2, known: 0, unanswered: 0, images: 6, leftOut: [] })
      assert.deepEqual(
        (await named(place)).map((one) => [one.images, one.kind === 'ranking' ? one.ranks : one.answer]),
        [
          [
            ['images/00000.png', 'images/00001.png', 'images/00002.png'],
            [2, 1, 2],
          ],
          [['images/00003.png', 'images/00004.png'], 'first'],
        ],
      )
    })
  }

  it('says what does not fit', async () => {
    for (const [labels, prompts, message] of [
      [[[1, 2]], ['a', 'b'], /^labels\.json: expected a row for each of the 2 prompts.*received 1 rows/],
      [[1, 2, 3], ['a', 'b'], /^labels\.json: expected a row for each.*received 3 numbers/],
      [[[1, 'x']], ['a'], /^labels\.json item 1/],
      [[[1, 2]], { a: 1 }, /^labels\.json prompt\.json: expected a list of the prompts/],
    ] as const) {
      await using place = await workspace()
      await assert.rejects(labelled(place, labels, prompts), (error: Error) => message.test(error.message))
      assert.deepEqual(await place.store.images(), [])
    }
  })
})
