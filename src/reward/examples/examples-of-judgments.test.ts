import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Judgment } from '../../records.ts'
import { examplesOfJudgments } from './examples-of-judgments.ts'
import type { Comparison } from './reward-examples.ts'

let count = 0
const common = (rater = 'ada') => ({
  id: `j${count++}`,
  rater,
  raterKind: 'person' as const,
  at: '2026-01-01T00:00:00Z',
})
type Answer<K extends Judgment['kind']> = Extract<Judgment, { kind: K }>['answer']

const label = (image: string, answer: Answer<'good-bad-skip'>): Judgment => ({
  ...common(),
  kind: 'good-bad-skip',
  images: [image],
  answer,
})
const pair = (first: string, second: string, answer: Answer<'pair'>, rater?: string): Judgment => ({
  ...common(rater),
  kind: 'pair',
  images: [first, second],
  answer,
})
const rating = (image: string, overall: number, rater?: string): Judgment => ({
  ...common(rater),
  kind: 'rating',
  images: [image],
  answer: 'rated',
  // Only the overall rating orders images.
  ratings: { overall, alignment: 8 - overall, fidelity: 4 },
})
const ranking = (ranks: Readonly<Record<string, number>>, rater?: string): Judgment => ({
  ...common(rater),
  kind: 'ranking',
  images: Object.keys(ranks),
  answer: 'ranked',
  ranks: Object.values(ranks),
})

/** Images a…m are of one prompt, n…z of another. */
const textOf = (image: string) => (image < 'n' ? 'one' : 'two')
const examplesOf = (...judgments: Judgment[]) => examplesOfJudgments(judgments, textOf)
const shown = ({ better, worse, isTie, weight }: Comparison<string>) =>
  `${better} ${isTie ? '=' : '>'} ${worse} · ${Number(weight.toFixed(3))}`
const comparisonsOf = (...judgments: Judgment[]) => examplesOf(...judgments).comparisons.map(shown)

describe('training examples', () => {
  it('of good and bad are labels; skips teach nothing', () => {
    const { labels, comparisons } = examplesOf(label('a', 'good'), label('b', 'skip'), label('a', 'bad'))
    assert.deepEqual(labels, [
      { image: 'a', text: 'one', good: true },
      { image: 'a', text: 'one', good: false },
    ])
    assert.deepEqual(comparisons, [])
  })

  it('of pairs are one comparison each, whichever side won', () => {
    const pairs = [pair('a', 'b', 'first'), pair('a', 'b', 'second'), pair('c', 'd', 'tie'), pair('a', 'd', 'skip')]
    assert.deepEqual(comparisonsOf(...pairs), ['a > b · 1', 'b > a · 1', 'c = d · 1'])
    assert.deepEqual(examplesOf(...pairs).labels, [])
  })

  it('of "both bad" are a tie and two bad labels', () => {
    const { labels, comparisons } = examplesOf(pair('a', 'b', 'both-bad'))
    assert.deepEqual(comparisons.map(shown), ['a = b · 1'])
    assert.deepEqual(labels, [
      { image: 'a', text: 'one', good: false },
      { image: 'b', text: 'one', good: false },
    ])
  })

  it('of images that are left out there are none', () => {
    const given = [label('a', 'good'), pair('a', 'b', 'both-bad'), ranking({ a: 1, b: 2, n: 3 })]
    const without = (...left: string[]) =>
      examplesOfJudgments(given, (image) => (left.includes(image) ? undefined : textOf(image)))
    assert.deepEqual(without('a', 'b').labels, [])
    assert.deepEqual(without('a', 'b', 'n').comparisons, [])
    assert.deepEqual(without('b').labels.map(({ image }) => image), ['a', 'a']) // prettier-ignore
  })

  it('of a ranking of n are all pairs, which weigh n − 1 together; equal ranks are ties', () => {
    assert.deepEqual(comparisonsOf(ranking({ a: 2, b: 1, c: 2 })), ['b > a · 0.667', 'a = c · 0.667', 'b > c · 0.667'])
    const { comparisons } = examplesOf(ranking({ a: 1, b: 2, c: 3, d: 4, e: 5 }))
    const total = comparisons.reduce((sum, { weight }) => sum + weight, 0)
    assert.ok(comparisons.length === 10 && Math.abs(total - 4) < 1e-12)
  })

  it('of ratings are pairs of one rater and one prompt, by the overall rating', () => {
    const ratings = [rating('a', 5), rating('b', 7), rating('c', 5), rating('n', 1), rating('a', 1, 'bob')]
    assert.deepEqual(comparisonsOf(...ratings), ['b > a · 0.667', 'a = c · 0.667', 'b > c · 0.667'])
  })

  it('take the ranking where the same rater has ranked the rated images', () => {
    const rated = [rating('a', 5), rating('b', 5), rating('c', 2)]
    const both = comparisonsOf(...rated, ranking({ a: 2, b: 1 }))
    assert.deepEqual(both, ['b > a · 1', 'a > c · 0.667', 'b > c · 0.667'])
    const other = comparisonsOf(rating('a', 5), rating('b', 4), ranking({ a: 2, b: 1 }, 'bob'))
    assert.deepEqual(other, ['b > a · 1', 'a > b · 1'])
  })

  it('never compare images of two prompts', () => {
    assert.deepEqual(comparisonsOf(pair('a', 'n', 'first'), ranking({ a: 1, b: 2, n: 3 })), ['a > b · 0.667'])
  })

  it('of votes are none, nor of answers without ranks or ratings', () => {
    const { ranks: _ranks, ...unranked } = ranking({ a: 1, b: 2 }) as Extract<Judgment, { kind: 'ranking' }>
    const vote: Judgment = {
      ...common(),
      kind: 'vote',
      images: ['a', 'b'],
      answer: 'first',
      policies: ['pretrained', 'dpok'],
      question: 'alignment',
    }
    const skipped: Judgment = { ...common(), kind: 'rating', images: ['c'], answer: 'skip' }
    assert.deepEqual(examplesOf(vote, skipped, { ...unranked, answer: 'skip' }), { labels: [], comparisons: [] })
  })
})
