import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { assertClose } from '../../diffusion/tensor-checks.test-helper.ts'
import { disagreements, foretold, largestDifferences } from './disagreements.ts'

const label = (image: number, good: boolean) => ({ image, text: 'a', good })
const compared = (better: number, worse: number, isTie = false, weight = 1) => ({
  better,
  worse,
  text: 'a',
  isTie,
  weight,
})

describe('what people and a reward say of an image', () => {
  it('of labels: the share of good and the score, by hand', () => {
    const all = disagreements({ labels: [label(0, true), label(1, false), label(0, false)], comparisons: [] }, [0.3, 0.9], null) // prettier-ignore
    assert.deepEqual(all, [
      { image: 0, score: 0.3, people: 0.5, judgments: 2, by: 'labels' },
      { image: 1, score: 0.9, people: 0, judgments: 1, by: 'labels' },
    ])
  })

  it('of comparisons: the share won and what Davidson expects, by hand', () => {
    // Odds 4, 1 and 1, ν = 1.5: 4 + 1 + 3, and 1 + 1 + 1.5.
    const [first, second, third] = disagreements(
      { labels: [], comparisons: [compared(1, 0, false, 2), compared(2, 1, true)] },
      [0.8, 0.5, 0.5],
      1.5,
    ).sort((a, b) => a.image - b.image)
    assert.deepEqual([first, second, third].map(({ people, judgments, by }) => [people, judgments, by]), [[0, 1, 'comparisons'], [2.5 / 3, 2, 'comparisons'], [0.5, 1, 'comparisons']]) // prettier-ignore
    assertClose([first, second, third].map(({ score }) => score), [5.5 / 8, (2 * (2.5 / 8) + 0.5) / 3, 0.5]) // prettier-ignore
  })

  it('goes by labels where an image has both', () => {
    const all = disagreements({ labels: [label(0, false)], comparisons: [compared(0, 1)] }, [0.8, 0.5], 0.1)
    assert.deepEqual(all.map(({ image, by }) => [image, by]), [[0, 'labels'], [1, 'comparisons']]) // prettier-ignore
  })
})

describe('disagreements', () => {
  it('are told by fits that have not seen the prompt, where there are any', () => {
    const fits = [
      { seen: new Set(['a']), scores: [0.1, 0.2] },
      { seen: new Set(['a', 'b']), scores: [0.3, 0.4] },
      { seen: new Set<string>(), scores: [0.5, 0.6] },
    ]
    assertClose(foretold([{ text: 'b' }, { text: 'a' }], fits, [1, 1]), [0.3, 0.6])
    assert.deepEqual(foretold([{ text: 'b' }, { text: 'a' }], fits.slice(1, 2), [0.7, 0.8]), [0.7, 0.8])
  })

  it('come with the largest first, and of equal ones those judged more often', () => {
    const row = (image: number, score: number, judgments: number) =>
      ({ image, score, people: 1, judgments, by: 'labels' }) as const
    const rows = [row(0, 0.5, 1), row(1, 0.2, 1), row(2, 0.5, 3), row(3, 0.9, 9)]
    assert.deepEqual(largestDifferences(rows, 3).map(({ image }) => image), [1, 2, 0]) // prettier-ignore
  })
})
