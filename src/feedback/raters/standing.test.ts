import assert from 'node:assert/strict'
import { it } from 'node:test'
import fc from 'fast-check'
import type { Judgment } from '../../records.ts'
import { imageRecord, judgment } from '../feedback-fixtures.test-helper.ts'
import { StandingJudgments, questionOf, standing } from './standing.ts'

const images = [0, 1].map((index) => imageRecord(index))

/** From the end, every row is settled before the one that it takes back. */
function bySettlingFromTheEnd(rows: readonly Judgment[]): Judgment[] {
  const undone = new Set<string>()
  for (const row of rows.toReversed()) if (row.undoes !== undefined && !undone.has(row.id)) undone.add(row.undoes)
  const left = rows.filter((row) => row.undoes === undefined && !undone.has(row.id))
  return left.filter((row, place) =>
    left.every((other, otherPlace) => {
      const isSame = other.rater === row.rater && questionOf(other) === questionOf(row)
      return !isSame || otherPlace <= place
    }),
  )
}

it('after every row, those stand that came last and are not taken back, whatever their times, through undone undoing too', () => {
  const row = fc.record({
    image: fc.nat(1),
    rater: fc.constantFrom('ada', 'bob'),
    second: fc.nat(3),
    undoes: fc.option(fc.nat(), { freq: 1, nil: undefined }),
  })
  fc.assert(
    fc.property(fc.array(row, { maxLength: 25 }), (drawn) => {
      const judgments = new StandingJudgments()
      const rows: Judgment[] = []
      for (const [place, { image, rater, second, undoes }] of drawn.entries()) {
        const undone = undoes === undefined || place === 0 ? {} : { undoes: String(undoes % place) }
        const at = `2026-01-01T00:00:0${second}Z`
        const next: Judgment = { ...judgment(String(place), images[image]), rater, at, ...undone }
        rows.push(next)
        judgments.add(next)
        assert.deepEqual(judgments.all(), bySettlingFromTheEnd(rows))
      }
      assert.deepEqual(standing(rows), judgments.all())
    }),
  )
})

it('takes the other order of a pair for the same question, and a vote on something else for another', () => {
  const common = { id: '1', rater: 'ada', raterKind: 'person', at: '2026-01-01T00:00:00Z' } as const
  const ids = images.map(({ id }) => id)
  const pair: Judgment = { ...common, kind: 'pair', images: ids, answer: 'tie' }
  const vote: Judgment = {
    ...common,
    kind: 'vote',
    images: ids,
    answer: 'tie',
    policies: ['a', 'b'],
    question: 'fidelity',
  }
  assert.equal(questionOf(pair), questionOf({ ...pair, images: ids.toReversed() }))
  assert.equal(questionOf(vote), questionOf({ ...vote, images: ids.toReversed() }))
  assert.notEqual(questionOf(vote), questionOf({ ...vote, question: 'alignment' }))
  assert.notEqual(questionOf(vote), questionOf(pair))
  assert.notEqual(questionOf(judgment('1', images[0])), questionOf(judgment('1', images[1])))
})
