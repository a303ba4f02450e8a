import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { imported, named, workspace } from './formats.test-helper.ts'

describe('HPDv2', () => {
  it('reads pairs of the training part', async () => {
    await using place = await workspace()
    const item = { prompt: 'a cat', file_path: ['a.png', 'b.png'], human_preference: [0, 1] }
    const items = [
      item,
      { ...item, human_preference: [1, 0], user_hash: 'f00' },
      { ...item, human_preference: [0, 0], user_hash: 'bar' },
    ]
    await imported(place, 'hpdv2', items, ['a.png', 'b.png'], { rater: 'ada', at: '2026-01-01T00:00:00Z' })
    assert.deepEqual(
      (await named(place)).map(({ images, kind, answer, rater }) => [images, kind, answer, rater]),
      [
        [['a.png', 'b.png'], 'pair', 'second', 'ada'],
        [['a.png', 'b.png'], 'pair', 'first', 'f00'],
        [['a.png', 'b.png'], 'pair', 'tie', 'bar'],
      ],
    )
  })

  it('reads the raters of the test part, or the average where there are none', async () => {
    await using place = await workspace()
    const [rank, image_path] = [
      [0, 1, 2],
      ['a.png', 'b.png', 'c.png'],
    ]
    const annotations = [
      { rank: [1, 2, 3], user_hash: 'f00' },
      { rank: [2, 0, 1], user_hash: 'bar' },
    ]
    const items = [
      { prompt: 'a cat', image_path, rank, raw_annotations: annotations },
      { prompt: 'a dog', image_path, rank, raw_annotation: annotations.slice(0, 1) },
      { prompt: 'a cow', image_path, rank },
    ]
    await imported(place, 'hpdv2', items, image_path, { rater: 'average' })
    assert.deepEqual(
      (await named(place)).map((one) => [one.rater, one.kind === 'ranking' && one.ranks]),
      [
        ['f00', [1, 2, 3]],
        ['bar', [3, 1, 2]],
        ['f00', [1, 2, 3]],
        ['average', [1, 2, 3]],
      ],
    )
  })
})

describe('HPDv3', () => {
  it('reads pairs of which the first is better, and their models', async () => {
    await using place = await workspace()
    const item = { prompt: 'a cat', path1: 'b.png', path2: 'a.png', confidence: 0.99, choice_dist: [12, 7] }
    const counts = await imported(place, 'hpdv2', [{ ...item, model1: 'flux', model2: null }], ['a.png', 'b.png'])
    assert.deepEqual([counts.added, counts.images], [1, 2])
    const [{ images, answer }] = await named(place)
    assert.deepEqual([images, answer], [['b.png', 'a.png'], 'first'])
    const models = (await place.store.images()).map(({ record }) => record.source?.model)
    assert.deepEqual(models.toSorted(), ['flux', undefined])
  })

  it('takes truths for preferences', async () => {
    await using place = await workspace()
    const item = { prompt: 'a cat', file_path: ['a.png', 'b.png'], human_preference: [false, true] }
    await imported(place, 'hpdv2', [item], ['a.png', 'b.png'])
    assert.equal((await named(place))[0].answer, 'second')
  })
})
