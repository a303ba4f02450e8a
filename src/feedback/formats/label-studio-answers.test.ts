/** What kinds of answers Label Studio writes; see `label-studio.test.ts` for sides, stars and times. */
import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { imported, named, picture, workspace } from './formats.test-helper.ts'

describe('Label Studio', () => {
  const annotation = { id: 5, completed_by: 3, lead_time: 4.288, created_at: '2021-03-09T22:16:08.728353Z' }
  const choice = (word: string) => ({ from_name: 'q', to_name: 'img', type: 'choices', value: { choices: [word] } })

  it('reads choices, and who made them when', async () => {
    await using place = await workspace()
    const data = { prompt: 'a <cat>', image: '/data/upload/2/0123abcd-a.png?token=1' }
    const items = [
      { id: 1, data, annotations: [{ ...annotation, result: [choice('Good')] }] },
      {
        id: 2,
        data: { caption: 'a dog', image: '/data/local-files/?d=b%20b.png' },
        annotations: [
          { result: [choice('no'), choice('1')], completed_by: { id: 4, email: 'bob@example.org' } },
          { result: [], was_cancelled: true, completed_by: 'eve' },
          { result: [choice('skip')], completed_by: null },
          { result: [choice('good')], completed_by: { id: 8 } },
        ],
      },
      { id: 3, data, annotations: [] },
      {
        id: 4,
        data: { text: 'a cow', image: 'http://x/data/local-files/?d=%E0.png' },
        annotations: [{ result: [choice('bad')] }],
      },
    ]
    const options = { rater: 'nobody', at: '2026-01-01T00:00:00.000Z' }
    const counts = await imported(place, 'label-studio', items, ['a.png', 'b b.png'], options)
    assert.deepEqual([counts.added, counts.unanswered, counts.images, counts.leftOut.length], [6, 1, 2, 2])
    const [first, ...others] = await named(place)
    assert.deepEqual(first, {
      kind: 'good-bad-skip',
      images: ['/data/upload/2/0123abcd-a.png'],
      answer: 'good',
      rater: 'user 3',
      raterKind: 'person',
      at: '2021-03-09T22:16:08.728Z',
      durationMs: 4288,
    })
    // The second choice of a rater about the same image is the one that stands.
    assert.deepEqual(
      others.map(({ rater, answer, at }) => [rater, answer, at === options.at]),
      [
        ['bob@example.org', 'good', true],
        ['eve', 'skip', true],
        ['nobody', 'skip', true],
        ['user 8', 'good', true],
      ],
    )
  })

  it('reads pairwise and ranker', async () => {
    await using place = await workspace()
    const pairwise = (selected?: string) => ({
      result: [choice('blurred'), { type: 'pairwise', value: selected === undefined ? {} : { selected } }],
      completed_by: selected ?? 'none',
    })
    const ranker = (value: object) => ({ result: [{ type: 'ranker', value }], completed_by: 'ranker' })
    const two = { prompt: 'a cat', left: 'a.png', right: 'b.png' }
    const html = '<div><img alt="x" src="b.png"/></div>'
    const items = [
      { data: two, annotations: [pairwise('left'), pairwise('right'), pairwise()] },
      { data: two, annotations: [{ result: [], was_cancelled: true, completed_by: 'cancelled' }] },
      {
        data: {
          prompt: 'a dog',
          images: [{ id: 'x', url: 'a.png' }, { id: 'y', html }, { id: 7, image: 'c.png' }, {}],
        },
        annotations: [ranker({ rank: ['y', 7, 'x'] }), { result: [], was_cancelled: true, completed_by: 'cancelled' }],
      },
      {
        data: { prompt: 'a cow', images: ['a.png', 'b.png'] },
        annotations: [ranker({ ranker: { mine: ['1', '0'] } })],
      },
      { data: { prompt: 'a hen', images: ['a.png', 'b.png'] }, annotations: [ranker({ ranker: ['0', '1'] })] },
    ]
    const counts = await imported(place, 'label-studio', items, ['a.png', 'b.png', 'c.png'])
    assert.deepEqual([counts.added, counts.leftOut], [8, []])
    assert.deepEqual(
      (await named(place)).map((one) => [one.rater, one.kind, one.answer, one.kind === 'ranking' && one.ranks]),
      [
        ['left', 'pair', 'first', false],
        ['right', 'pair', 'second', false],
        ['none', 'pair', 'tie', false],
        ['cancelled', 'pair', 'skip', false],
        ['ranker', 'ranking', 'ranked', [3, 1, 2]],
        ['cancelled', 'ranking', 'skip', undefined],
        ['ranker', 'ranking', 'ranked', [2, 1]],
        ['ranker', 'ranking', 'ranked', [1, 2]],
      ],
    )
  })

  it('reads buckets by their names, and not by their order', async () => {
    await using place = await workspace()
    const images = ['a.png', 'b.png', 'c.png'].map((url) => ({ id: url[0], url }))
    const task = (id: number, ranker: object, completed_by: number) => ({
      id,
      data: { prompt: `p${id}`, tags: ['x', 'y'], images },
      annotations: [
        { result: [{ from_name: 'rank', to_name: 'list', type: 'ranker', value: { ranker } }], completed_by },
      ],
    })
    const items = [
      task(1, { bad: ['b'], good: ['a'], _: ['c'] }, 1),
      task(2, { 'tier 2': ['c', 'a'], 'tier 1': ['b'] }, 2),
      task(3, { 'tier 3': ['a'], 'tier 1': [], 'tier 2': ['c'], _: ['b'] }, 3),
      task(4, { _: ['a', 'b', 'c'], good: [], bad: [] }, 4),
      task(5, { best: ['c', 'a', 'b'] }, 5),
    ]
    await imported(place, 'label-studio', items, ['a.png', 'b.png', 'c.png'])
    assert.deepEqual(
      (await named(place)).map((one) => [one.rater, one.answer, one.images, one.kind === 'ranking' && one.ranks]),
      [
        ['user 1', 'bad', ['b.png'], false],
        ['user 1', 'good', ['a.png'], false],
        ['user 2', 'ranked', ['c.png', 'a.png', 'b.png'], [2, 2, 1]],
        ['user 3', 'ranked', ['a.png', 'c.png'], [2, 1]],
        ['user 4', 'skip', ['a.png', 'b.png', 'c.png'], undefined],
        ['user 5', 'ranked', ['a.png', 'b.png', 'c.png'], [2, 3, 1]],
      ],
    )
    await assert.rejects(
      imported(place, 'label-studio', [task(6, { best: ['a'], ads: ['b'] }, 1)], []),
      /a\.json task 6 ranker: expected buckets named good and bad .*received "best", "ads"/,
    )
  })

  it('takes the question that is answered by good or bad, and the left image first', async () => {
    await using place = await workspace()
    const asked = (from_name: string, word: string) => ({ ...choice(word), from_name })
    const data = { prompt: 'a cat', image: 'a.png' }
    const items = [
      { id: 1, data, annotations: [{ result: [asked('what', 'blurred'), asked('is it', 'Good')], completed_by: 1 }] },
      { id: 2, data, annotations: [{ result: [], completed_by: 2 }] },
      {
        id: 3,
        data: { right: 'b.png', prompt: 'a cat', left: 'a.png' },
        annotations: [
          { result: [{ type: 'pairwise', value: { selected: 'left' } }], completed_by: 3 },
          { result: [{ type: 'pairwise', value: { selected: 'none' } }], completed_by: 4 },
        ],
      },
    ]
    const counts = await imported(place, 'label-studio', items, ['a.png', 'b.png'])
    assert.deepEqual([counts.added, counts.unanswered], [3, 1])
    assert.deepEqual(
      (await named(place)).map(({ rater, answer, images }) => [rater, answer, images]),
      [
        ['user 1', 'good', ['a.png']],
        ['user 3', 'first', ['a.png', 'b.png']],
        ['user 4', 'tie', ['a.png', 'b.png']],
      ],
    )
    await assert.rejects(
      imported(
        place,
        'label-studio',
        [{ id: 9, data, annotations: [{ result: [asked('a', 'yes'), asked('b', 'no')] }] }],
        [],
      ),
      /a\.json task 9 choices: expected one question of good or bad, received answers to a, b/,
    )
  })

  it('reads images from a folder of their own', async () => {
    await using place = await workspace()
    const { store, at } = place
    mkdirSync(at('elsewhere'))
    writeFileSync(at('elsewhere/a.png'), await picture('red').png().toBuffer())
    const options = { findFile: () => readFileSync(at('elsewhere/a.png')) }
    const items = [{ data: { prompt: 'a', image: 'a.png' }, annotations: [{ result: [choice('yes')] }] }]
    assert.equal((await imported(place, 'label-studio', items, [], options)).added, 1)
    assert.equal((await store.counts()).good, 1)
  })
})
