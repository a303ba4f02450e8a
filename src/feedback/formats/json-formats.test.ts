import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { FileError } from '../../errors.ts'
import type { Judgment } from '../../records.ts'
import { awkwardTexts, judgment } from '../feedback-fixtures.test-helper.ts'
import { addGuidelines } from '../guidelines.ts'
import { exportFeedback, importFeedback, type ImportOptions } from '../transfer.ts'
import { filesIn } from './foreign-json.ts'
import { pair, picture, ranking, workspace, type Workspace } from './formats.test-helper.ts'
import type { FormatName } from './formats.ts'

/** Imports items whose images lie beside the file. */
async function imported(
  { store, at }: Workspace,
  format: FormatName,
  items: unknown,
  names: readonly string[],
  options: ImportOptions = {},
) {
  for (const [i, name] of names.entries()) {
    writeFileSync(
      at(name),
      await picture(`rgb(10, ${i * 20}, 99)`)
        .png()
        .toBuffer(),
    )
  }
  writeFileSync(at('a.json'), JSON.stringify(items))
  const folder = at(`new-${readdirSync(at()).length}`)
  return await importFeedback(store, at('a.json'), { format, folder, ...options })
}

/** Judgments with the names that their images came under. */
async function named({ store }: Workspace) {
  const names = new Map((await store.images()).map(({ record }) => [record.id, record.source?.name]))
  return (await store.judgments()).map(({ id: _id, images, ...rest }) => ({
    ...rest,
    images: images.map((image) => names.get(image)),
  }))
}

describe('ImageReward', () => {
  it('gives rankings and pairs back', async () => {
    const texts = awkwardTexts.flatMap((text) => [text, text, text])
    await using place = await workspace(texts)
    const { store, images, at } = place
    await addGuidelines(store.database, {
      text: '',
      reasons: [],
      consent: 'You may stop at any time.',
      author: null,
      createdAt: '2026-01-01T00:00:00Z',
    })
    const rows = awkwardTexts.flatMap((_, i): Judgment[] => [
      ranking(`r${i}`, images.slice(3 * i, 3 * i + 3), [3, 1, 1]),
      pair(
        `p${i}`,
        images.slice(3 * i, 3 * i + 2),
        (['first', 'second', 'tie', 'both-bad', 'skip', 'first'] as const)[i],
      ),
    ])
    await store.addJudgments([...rows, judgment('g', images[0])])
    const counts = await exportFeedback(store, at('out.json'), { licence: 'CC BY 4.0' })
    assert.deepEqual(counts, {
      rows: 11,
      leftOut: { 'good-bad-skip': 1, pair: 1 },
      beside: [at('out-images'), at('out.provenance.json')],
    })
    const items = JSON.parse(readFileSync(at('out.json'), 'utf8')) as Record<string, unknown>[]
    assert.deepEqual(items[0], {
      id: 'r0',
      prompt: awkwardTexts[0],
      generations: images.slice(0, 3).map(({ id }) => `out-images/${id}.png`),
      ranking: [3, 1, 1],
    })
    const about = JSON.parse(readFileSync(at('out.provenance.json'), 'utf8')) as Record<string, unknown>
    assert.deepEqual(about.consent, [{ from: '2026-01-01T00:00:00Z', text: 'You may stop at any time.' }])
    assert.doesNotMatch(JSON.stringify(about), /ada@example\.org/)
    assert.equal((await importFeedback(store, at('out.json'), { format: 'image-reward', folder: at('x') })).known, 11)

    await using other = await workspace()
    const back = await importFeedback(other.store, at('out.json'), {
      format: 'image-reward',
      folder: other.at('new'),
      rater: 'eve',
    })
    assert.deepEqual(back, { added: 11, known: 0, unanswered: 0, images: 18, leftOut: [] })
    const [first, second] = await other.store.judgments()
    assert.deepEqual(
      [first.kind, first.answer, first.kind === 'ranking' && first.ranks],
      ['ranking', 'ranked', [3, 1, 1]],
    )
    assert.match(first.rater, /^rater-[0-9a-f]{12}$/)
    assert.deepEqual([second.kind, second.answer], ['pair', 'first'])
    rmSync(at('out.provenance.json'))
    await using bare = await workspace()
    const options: ImportOptions = { format: 'image-reward', folder: bare.at('new'), rater: 'eve' }
    assert.equal((await importFeedback(bare.store, at('out.json'), options)).added, 11)
    assert.deepEqual(new Set((await bare.store.judgments()).map(({ rater }) => rater)), new Set(['eve']))
    await assert.rejects(exportFeedback(store, at('missing/out.json')), FileError)
  })

  it('writes nothing where an image of the store is none any more', async () => {
    await using place = await workspace(['a cat', 'a cat'])
    const { store, images, at } = place
    await store.addJudgments([pair('p', images, 'first')])
    writeFileSync(at('drawn', images[1].file), 'a secret')
    await assert.rejects(exportFeedback(store, at('out.json')), /expected a readable image: a PNG file/)
    assert.ok(!readdirSync(at()).some((name) => name.startsWith('out')))
  })

  it('leaves out what has no image', async () => {
    await using place = await workspace()
    const item = { id: '9', prompt: 'a cat', generations: ['a.png', 'b.png'], ranking: [1, 2] }
    const lost = { ...item, generations: ['a.png', 'https://example.org/c.png'] }
    const counts = await imported(place, 'image-reward', [item, lost], ['a.png', 'b.png'])
    assert.deepEqual(
      [counts.added, counts.images, counts.leftOut],
      [
        1,
        2,
        [
          'https://example.org/c.png: expected an image beside the file of judgments, received none of this name — put it there, or name the folder that it is in',
          'a.json item 2: its image https://example.org/c.png cannot be read',
        ],
      ],
    )
    assert.equal((await imported(place, 'image-reward', [item], [])).known, 1)
  })
})

describe('JSON of ImageRewardDB', () => {
  it('holds an image an item, with a rank among those of its prompt and three ratings', async () => {
    await using place = await workspace()
    const item = (path: string, prompt_id: unknown, rank: unknown, steps: readonly unknown[]) => ({
      image_path: `images/train/${path}`,
      prompt_id,
      prompt: 'a cat',
      classification: 'People',
      image_amount_in_total: 2,
      rank,
      overall_rating: steps[0],
      image_text_alignment_rating: steps[1],
      fidelity_rating: steps[2],
    })
    const items = [item('a.png', '1-1', 2, [4, 5, 3]), item('b.png', '1-1', 1, [7, 7, 6]), item('c.png', 2, null, [])]
    const counts = await imported(place, 'image-reward', items, ['a.png', 'b.png', 'c.png'])
    assert.deepEqual([counts.added, counts.unanswered, counts.leftOut], [3, 1, []])
    assert.deepEqual(
      (await named(place)).map((one) => [one.images.join(), one.kind === 'rating' ? one.ratings : one.answer]),
      [
        ['images/train/a.png', { overall: 4, alignment: 5, fidelity: 3 }],
        ['images/train/b.png', { overall: 7, alignment: 7, fidelity: 6 }],
        ['images/train/a.png,images/train/b.png', 'second'],
      ],
    )
    for (const [changed, message] of [
      [item('a.png', 1, 1.5, [1, 1, 1]), /^a\.json item 1 rank: expected a whole number from 1.*received 1\.5/],
      [item('a.png', 1, 1, [1, 1, 9]), /^a\.json item 1 fidelity_rating: .*received 9/],
      [item('a.png', 1, '1', [1, 1, 1]), /^a\.json item 1 rank: expected a number/],
    ] as const) {
      await assert.rejects(imported(place, 'image-reward', [changed], []), (error: Error) =>
        message.test(error.message),
      )
    }
  })
})

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
