import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Judgment } from '../../records.ts'
import { isDisputed, labelsOf } from './disagreed-labels.ts'

const said = { raterKind: 'person', at: '2026-01-01T00:00:00Z' } as const
const byRaters = (of: (rater: string, place: number) => object, count: number) =>
  Array.from({ length: count }, (_, place) => {
    const rater = `rater ${place}`
    return { ...said, id: rater, rater, ...of(rater, place) } as Judgment
  })
const goodBads = (...answers: string[]) =>
  byRaters((_, i) => ({ kind: 'good-bad-skip', images: ['a'], answer: answers[i] }), answers.length)
const rated = (...overall: number[]) =>
  byRaters(
    (_, i) => ({
      kind: 'rating',
      images: ['a'],
      answer: 'rated',
      ratings: { overall: overall[i], alignment: 1, fidelity: 1 },
    }),
    overall.length,
  )
/** Every other rater sees the sides the other way round. */
const pairs = (...answers: string[]) =>
  byRaters(
    (_, i) => ({ kind: 'pair', images: i % 2 === 0 ? ['a', 'b'] : ['b', 'a'], answer: answers[i] }),
    answers.length,
  )

const cases: readonly (readonly [title: string, judgments: Judgment[], agreement: number | null, disputed: boolean])[] =
  [
    ['one rater', goodBads('good'), null, false],
    ['two who agree', goodBads('good', 'good'), 1, false],
    ['two who differ', goodBads('good', 'bad'), 0, true],
    ['one, and one who skipped', goodBads('good', 'skip'), null, false],
    ['three, of whom two agree, have a majority', goodBads('good', 'bad', 'bad'), 0, false],
    ['two against two', goodBads('good', 'bad', 'bad', 'good'), 0, true],
    ['the same side, seen from the other one', pairs('first', 'second'), 1, false],
    ['opposite sides', pairs('first', 'first'), 0, true],
    ['a side and a tie', pairs('first', 'tie'), 0.5, true],
    ['near ratings', rated(3, 5), 1 - 2 / 6, false],
    ['far ratings', rated(2, 6), 1 - 4 / 6, true],
    ['two near ratings against one', rated(2, 3, 7), 1 - 4 / 6, false],
    ['three far from each other', rated(1, 4, 7), 0.5, true],
  ]

for (const [title, judgments, agreement, disputed] of cases) {
  test(title, () => {
    const [label] = labelsOf(judgments).values()
    assert.ok(agreement === null ? label.agreement === null : Math.abs(label.agreement! - agreement) < 1e-9)
    assert.equal(isDisputed(label), disputed)
  })
}

test('skips, rankings and votes are no labels that one more rater settles', () => {
  const ranking = byRaters(() => ({ kind: 'ranking', images: ['a', 'b'], answer: 'ranked', ranks: [1, 2] }), 2)
  assert.equal(labelsOf([...ranking, ...goodBads('skip', 'skip')]).size, 0)
})
