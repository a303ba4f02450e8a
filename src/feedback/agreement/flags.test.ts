/** Answers of one rater that somebody should look at. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import type { Judgment } from '../../records.ts'
import { flagsOf, looksOf, shortestLookMs } from './flags.ts'
import { preferenceCycles } from './preference-cycles.ts'

let count = 0
const common = () =>
  ({ id: `j${++count}`, rater: 'ada', raterKind: 'person', at: '2026-01-01T00:00:00Z', durationMs: 2000 }) as const
type GoodBad = Extract<Judgment, { kind: 'good-bad-skip' }>
const verdict = (image: string, answer: GoodBad['answer'], more: Partial<GoodBad> = {}): Judgment => ({
  ...common(),
  kind: 'good-bad-skip',
  images: [image],
  answer,
  ...more,
})
const pair = (first: string, second: string, answer: 'first' | 'second' | 'tie' | 'both-bad' | 'skip'): Judgment => ({
  ...common(),
  kind: 'pair',
  images: [first, second],
  answer,
})
const stars = (image: string, overall: number): Judgment => ({
  ...common(),
  kind: 'rating',
  images: [image],
  answer: 'rated',
  ratings: { overall, alignment: overall, fidelity: overall },
})
const ranking = (images: string[], ranks: number[]): Judgment => ({
  ...common(),
  kind: 'ranking',
  images,
  answer: 'ranked',
  ranks,
})
const basis = { gold: new Map(), leftOut: new Set<string>() }
const kindsOf = (rows: readonly Judgment[], of: Partial<Parameters<typeof flagsOf>[1]> = {}) =>
  flagsOf(rows, { ...basis, ...of }).map(({ kind, judgments }) => [kind, ...judgments.map(({ id }) => id)])

describe('flags', () => {
  it('what nobody can have looked at; a skip and a simulated rater are not flagged', () => {
    const fast = verdict('a', 'good', { durationMs: 200 })
    const rows = [
      fast,
      verdict('b', 'good', { durationMs: shortestLookMs }),
      verdict('c', 'skip', { durationMs: 10 }),
      verdict('d', 'bad', { durationMs: 10, raterKind: 'simulated' }),
      { ...pair('a', 'b', 'first'), durationMs: 199 },
    ]
    assert.deepEqual(kindsOf(rows), [
      ['fast', fast.id],
      ['fast', rows[4].id],
    ])
    const vote: Judgment = {
      ...common(),
      kind: 'vote',
      images: ['a', 'b'],
      policies: ['p', 'q'],
      question: 'alignment',
      answer: 'first',
      durationMs: 200,
    }
    assert.deepEqual(kindsOf([vote, { ...vote, id: 'slow', images: ['c', 'd'], durationMs: 900 }]), [['fast', vote.id]])
    const { durationMs: _none, ...imported } = verdict('e', 'bad')
    assert.deepEqual(kindsOf([imported]), [])
  })

  it('counts from when images side by side were shown, through reasons that come after', () => {
    const shown = ['a', 'b', 'c']
    const [a, b, c] = [900, 100, 50].map((durationMs, i) => verdict(shown[i], 'bad', { durationMs, shown }))
    assert.deepEqual(kindsOf([a, b, c]), [])
    const hurried = [200, 90, 90].map((durationMs, i) => verdict(shown[i], 'good', { durationMs, shown }))
    assert.deepEqual(kindsOf(hurried), [
      ['fast', hurried[0].id],
      ['fast', hurried[1].id],
    ])
    const first = verdict('a', 'bad', { durationMs: 200, shown })
    const explained = verdict('a', 'bad', { durationMs: 200, shown, reasons: ['wrong-color'] })
    const back = verdict('a', 'bad', { undoes: first.id, shown })
    assert.equal(looksOf([first, explained, back]).get(explained.id), 200)
    assert.deepEqual(kindsOf([first, explained, back]), [['fast', explained.id]])
  })

  it('the same question answered differently, whichever way a pair lay, and not what was taken back', () => {
    const [a, b] = [verdict('a', 'good'), verdict('a', 'bad')]
    assert.deepEqual(kindsOf([a, b]), [['changed', a.id, b.id]])
    assert.deepEqual(kindsOf([a, b, verdict('a', 'bad')]), [], 'asked again and confirmed')
    assert.deepEqual(kindsOf([a, b, verdict('a', 'good', { undoes: a.id })]), [])
    assert.deepEqual(kindsOf([a, verdict('a', 'skip')]), [])
    const [left, same, right] = [pair('a', 'b', 'first'), pair('b', 'a', 'second'), pair('b', 'a', 'first')]
    assert.deepEqual(kindsOf([left, same]), [])
    assert.deepEqual(kindsOf([left, right]), [['changed', left.id, right.id]])
    assert.deepEqual(
      kindsOf([left, pair('a', 'b', 'tie')]).map(([kind]) => kind),
      ['changed'],
    )
    assert.deepEqual(kindsOf([stars('a', 4), stars('a', 5)]), [])
    assert.deepEqual(
      kindsOf([stars('a', 4), stars('a', 6)]).map(([kind]) => kind),
      ['changed'],
    )
    assert.deepEqual(
      kindsOf([ranking(['a', 'b', 'c'], [1, 2, 3]), ranking(['c', 'b', 'a'], [1, 2, 3])]).map(([kind]) => kind),
      ['changed'],
    )
  })

  it('preferences that go round, through rankings too', () => {
    const rows = [pair('a', 'b', 'first'), pair('c', 'b', 'second'), pair('a', 'd', 'first'), pair('a', 'c', 'second')]
    assert.deepEqual(kindsOf(rows), [['cycle', rows[0].id, rows[1].id, rows[3].id]])
    assert.deepEqual(kindsOf(rows.slice(0, 3)), [])
    assert.deepEqual(kindsOf(rows, { leftOut: new Set([rows[1].id]) }), [])
    const both = [ranking(['a', 'b', 'c'], [1, 2, 3]), pair('a', 'c', 'second')]
    assert.deepEqual(kindsOf(both), [['cycle', both[0].id, both[1].id]])
    assert.deepEqual(kindsOf([ranking(['a', 'b', 'c'], [1, 2, 2]), pair('b', 'c', 'first')]), [])
  })

  it('good and bad, and stars, against which of two is better', () => {
    const rows = [verdict('a', 'good'), verdict('b', 'bad'), pair('a', 'b', 'second')]
    assert.deepEqual(kindsOf(rows), [['against', rows[1].id, rows[0].id, rows[2].id]])
    assert.deepEqual(kindsOf([rows[0], rows[1], pair('a', 'b', 'tie')]), [])
    const bad = [verdict('a', 'good'), pair('a', 'b', 'both-bad')]
    assert.deepEqual(kindsOf(bad), [['against', bad[0].id, bad[1].id]])
    assert.deepEqual(kindsOf([stars('a', 3), stars('b', 4), pair('a', 'b', 'first')]), [])
    assert.deepEqual(
      kindsOf([stars('a', 3), stars('b', 5), pair('a', 'b', 'first')]).map(([kind]) => kind),
      ['against'],
    )
  })

  it('gold answered wrongly', () => {
    const rows = [verdict('a', 'bad'), verdict('b', 'good'), verdict('c', 'skip')]
    const gold = new Map([
      ['a', 'good'],
      ['b', 'good'],
      ['c', 'bad'],
    ] as const)
    assert.deepEqual(kindsOf(rows, { gold }), [['gold', rows[0].id]])
  })
})

it('finds a circle wherever there is one, and none in an order', () => {
  const images = [...'abcdefg']
  const edge = fc.tuple(fc.nat(6), fc.nat(6)).filter(([a, b]) => a !== b)
  fc.assert(
    fc.property(fc.array(edge, { maxLength: 14 }), (edges) => {
      const preferences = edges.map(([a, b]) => ({ better: images[a], worse: images[b] }))
      const reaches = images.map((_, a) => images.map((_, b) => edges.some(([from, to]) => from === a && to === b)))
      for (const k of images.keys()) {
        for (const i of images.keys()) for (const j of images.keys()) reaches[i][j] ||= reaches[i][k] && reaches[k][j]
      }
      const cycles = preferenceCycles(preferences)
      assert.equal(
        cycles.length > 0,
        images.some((_, i) => reaches[i][i]),
      )
      for (const cycle of cycles) {
        for (const [i, { worse }] of cycle.entries()) assert.equal(cycle[(i + 1) % cycle.length].better, worse)
      }
      const ordered = edges.map(([a, b]) => ({ better: images[Math.min(a, b)], worse: images[Math.max(a, b)] }))
      assert.deepEqual(preferenceCycles(ordered), [])
    }),
  )
  const chain = Array.from({ length: 20_000 }, (_, i) => ({ better: String(i), worse: String(i + 1) }))
  assert.deepEqual(preferenceCycles(chain), [])
  assert.equal(preferenceCycles([...chain, { better: '20000', worse: '19998' }])[0].length, 3)
})
