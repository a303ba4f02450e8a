import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { FormatError } from '../../errors.ts'
import { utcTime } from '../store/judgment-times.ts'
import { imported, named, workspace, type Workspace } from './formats.test-helper.ts'
import { sidesOf } from './label-studio-sides.ts'

async function judgedIn(place: Workspace, items: unknown, config?: string) {
  if (config !== undefined) writeFileSync(place.at('config.xml'), config)
  const counts = await imported(place, 'label-studio', items, ['a.png', 'b.png', 'c.png'], { rater: 'ada' })
  return { counts, judged: await named(place) }
}

const pairwise = (data: object, selected: string, more: object = {}) => [
  {
    id: 1,
    data: { prompt: 'p', ...data },
    annotations: [{ result: [{ type: 'pairwise', value: { selected }, ...more }] }],
  },
]

async function winnerOf(items: unknown, config?: string): Promise<string | undefined> {
  await using place = await workspace()
  const { judged } = await judgedIn(place, items, config)
  assert.equal(judged.length, 1)
  const [{ images, answer }] = judged
  return { first: images[0], second: images[1] }[answer as 'first' | 'second']
}

describe('sides of a pair', () => {
  it('come from whole words, the labelling configuration, or the order of the fields', async () => {
    const [a, b] = ['a.png', 'b.png']
    assert.equal(await winnerOf(pairwise({ bright: a, dark: b }, 'left')), a)
    assert.equal(await winnerOf(pairwise({ bright: a, dark: b }, 'right')), b)
    assert.equal(await winnerOf(pairwise({ image_right: a, image_left: b }, 'left')), b)
    assert.equal(await winnerOf(pairwise({ cleft: a, upright: b }, 'left')), a)
    assert.equal(await winnerOf(pairwise({ images: [a, b] }, 'right')), b)
    const named = { from_name: 'better', to_name: 'dark,bright' }
    assert.equal(await winnerOf(pairwise({ bright: a, dark: b }, 'left', named)), b)
    const config =
      '<View><Pairwise name="better" toName="two,one"/><Image name="one" value="$first"/>' +
      "<Image value='$second' name='two'/></View>"
    const asked = pairwise({ first: a, second: b }, 'left', { from_name: 'better', to_name: 'two,one' })
    assert.equal(await winnerOf(asked, config), b)
  })

  it('of fields', () => {
    const sides = (...names: readonly string[]) =>
      sidesOf(
        names.map((name) => ({ name, path: name })),
        [],
      )
        ?.map(({ name }) => name)
        .join(' ')
    for (const [names, expected] of [
      [['left', 'right'], 'left right'],
      [['imgRight', 'imgLeft'], 'imgLeft imgRight'],
      [['RIGHT', 'other'], 'other RIGHT'],
      [['left-1', 'left-2'], undefined],
      [['left_or_right', 'other'], undefined],
      [['rightimage', 'leftimage'], undefined],
      [['leftimage', 'rightimage'], 'leftimage rightimage'],
      [['image2', 'image1'], undefined],
      [['image1', 'image2'], 'image1 image2'],
      [['second', 'first'], undefined],
      [['imageB', 'imageA'], undefined],
      [['pictureTwo', 'pictureOne'], undefined],
      [['imageA', 'imageB'], 'imageA imageB'],
      [['copyright', 'fright'], 'copyright fright'],
      [['zebra', 'apple'], 'zebra apple'],
    ] as const) {
      assert.equal(sides(...names), expected, names.join(' '))
    }
  })

  it('are asked for where they are not certain', async () => {
    await using place = await workspace()
    await assert.rejects(
      judgedIn(place, pairwise({ image_2: 'a.png', image_1: 'b.png' }, 'left')),
      /a\.json task 1 pairwise: expected fields of which it is certain .*received image_2, image_1 — .*config\.xml/,
    )
    assert.deepEqual(await place.store.images(), [])
  })
})

describe('answers of one image', () => {
  const image = { prompt: 'p', image: 'a.png' }
  const choices = (...words: readonly string[]) => ({ from_name: 'q', type: 'choices', value: { choices: words } })
  const rating = (stars: number, from_name = 'stars') => ({ from_name, type: 'rating', value: { rating: stars } })

  it('is one of good and bad, never both', async () => {
    await using place = await workspace()
    for (const words of [
      ['Good', 'Bad'],
      ['bad', 'skip'],
      ['1', '0'],
    ]) {
      await assert.rejects(
        judgedIn(place, [{ data: image, annotations: [{ result: [choices(...words)] }] }]),
        (error: Error) =>
          error instanceof FormatError && error.message.includes(`received "${words[0]}", "${words[1]}"`),
      )
    }
    const { judged } = await judgedIn(place, [
      { data: image, annotations: [{ result: [choices('Sharp', 'Good', 'good')] }] },
      { data: { ...image, image: 'b.png' }, annotations: [{ result: [choices('FALSE')] }] },
      { data: { ...image, image: 'c.png' }, annotations: [{ result: [choices('1.0')] }] },
    ])
    assert.deepEqual(
      judged.map(({ answer }) => answer),
      ['good', 'bad', 'good'],
    )
  })

  it('keeps stars beside choices, or says that they compare with nothing', async () => {
    await using place = await workspace()
    const task = (path: string, stars: number, word: string) => ({
      data: { prompt: 'p', image: path },
      annotations: [{ result: [choices(word), rating(stars)], completed_by: 1 }],
    })
    const alone = await judgedIn(place, [task('a.png', 4, 'good')])
    assert.deepEqual([alone.counts.added, alone.counts.leftOut.length], [1, 1])
    assert.match(alone.counts.leftOut[0], /^a\.json item 1 stars: no other image of its prompt has stars of user 1/)
    await using other = await workspace()
    const { judged, counts } = await judgedIn(other, [
      task('a.png', 4, 'good'),
      task('b.png', 5, 'good'),
      task('c.png', 4, 'bad'),
    ])
    assert.deepEqual([counts.added, counts.leftOut], [4, []])
    const ranking = judged.find(({ kind }) => kind === 'ranking')
    assert.deepEqual(
      [ranking?.images, ranking?.kind === 'ranking' && ranking.ranks],
      [
        ['a.png', 'b.png', 'c.png'],
        [2, 1, 2],
      ],
    )
  })

  it('takes three questions as a rating of seven steps', async () => {
    await using place = await workspace()
    const asked = (...[overall, alignment, fidelity]: readonly number[]) => [
      rating(overall, 'overall'),
      rating(alignment, 'alignment_stars'),
      rating(fidelity, 'Fidelity'),
    ]
    const { judged } = await judgedIn(place, [
      { data: image, annotations: [{ result: asked(1, 2, 3) }] },
      { data: { ...image, image: 'b.png' }, annotations: [{ result: asked(4, 5, 5) }] },
    ])
    assert.deepEqual(
      judged.map((one) => one.kind === 'rating' && one.ratings),
      [
        { overall: 1, alignment: 2, fidelity: 4 },
        { overall: 6, alignment: 7, fidelity: 7 },
      ],
    )
    const config = '<View><Rating name="overall" toName="i" maxRating="10"/><Image name="i" value="$image"/></View>'
    await assert.rejects(
      judgedIn(place, [{ data: image, annotations: [{ result: asked(9, 3, 3) }] }], config),
      /a\.json item 1 overall: expected 1 to 7 whole stars, received 9 of 10/,
    )
  })

  it('names results that are no judgments', async () => {
    await using place = await workspace()
    const rectangle = { type: 'rectanglelabels', value: {} }
    const { counts } = await judgedIn(place, [
      { data: image, annotations: [{ result: [choices('good'), rectangle, rectangle] }] },
    ])
    assert.deepEqual(counts.leftOut, ['a.json: 2 results of type rectanglelabels, no judgment'])
  })
})

describe('times', () => {
  it('without a zone are in UTC, whatever the zone of the machine', () => {
    const before = process.env.TZ
    process.env.TZ = 'America/New_York'
    try {
      for (const [text, expected] of [
        ['2021-03-09T22:16:08.728353', '2021-03-09T22:16:08.728Z'],
        ['2021-03-09 22:16:08', '2021-03-09T22:16:08.000Z'],
        ['2021-03-09T22:16:08+02:00', '2021-03-09T20:16:08.000Z'],
        ['2021-03-09T22:16:08.5z', '2021-03-09T22:16:08.500Z'],
        ['2021-03-09 22:16:08 UTC', '2021-03-09T22:16:08.000Z'],
        ['2021-03-09', '2021-03-09T00:00:00.000Z'],
        ['2021-03-09 22:16:08.728353+00', '2021-03-09T22:16:08.728Z'],
        ['2021-03-09 22:16-0330', '2021-03-10T01:46:00.000Z'],
        ['2024-02-29', '2024-02-29T00:00:00.000Z'],
        ['2023-02-29T10:00:00Z', undefined],
        ['2021-04-31', undefined],
        ['9 March 2021', undefined],
        ['1', undefined],
        ['2021-13-09T22:16:08', undefined],
      ] as const) {
        assert.equal(utcTime(text), expected, text)
      }
    } finally {
      if (before === undefined) delete process.env.TZ
      else process.env.TZ = before
    }
  })
})
