import assert from 'node:assert/strict'
import { readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { FileError } from '../../errors.ts'
import type { Judgment } from '../../records.ts'
import { awkwardTexts, judgment } from '../feedback-fixtures.test-helper.ts'
import { addGuidelines } from '../guidelines.ts'
import { exportFeedback, importFeedback, type ImportOptions } from '../transfer.ts'
import { imported, named, pair, ranking, workspace } from './formats.test-helper.ts'

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
      held: 0,
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
