import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Judgment } from '../../records.ts'
import { isPlainJudgment } from './plain-judgment.ts'
import { judgmentOf, rowOf } from './rows.ts'

const given = { id: 'a', rater: 'Ada', raterKind: 'person', at: '2026-01-31T10:20:30.456Z' }
const usual: readonly Record<string, unknown>[] = [
  { ...given, kind: 'good-bad-skip', images: ['x'], answer: 'good' },
  { ...given, durationMs: 0, reasons: ['extra-limbs'], shown: ['x', 'y'], kind: 'good-bad-skip', images: ['x'], answer: 'bad' }, // prettier-ignore
  { ...given, undoes: 'b', kind: 'good-bad-skip', images: ['x'], answer: 'skip' },
  { ...given, kind: 'pair', images: ['x', 'y'], answer: 'both-bad' },
  { ...given, kind: 'rating', images: ['x'], answer: 'rated', ratings: { overall: 1, alignment: 7, fidelity: 4 } },
  { ...given, kind: 'rating', images: ['x'], answer: 'skip' },
  { ...given, kind: 'ranking', images: ['x', 'y', 'z'], answer: 'ranked', ranks: [1, 2, 2] },
  { ...given, kind: 'vote', images: ['x', 'x'], answer: 'tie', policies: ['pretrained', ''], question: 'fidelity' },
]
const values: readonly unknown[] = [
  undefined, null, '', 'x', 'a\0', '\ud800', 'x'.repeat(10_001), 0, -1, 1.5, 8, NaN, Infinity, true, {}, [], ['x'], ['x', 'x'], ['x', 'y'], ['x', ''],
  ['x', 1], [1, 2], [0, 1], [1, 1.5], Array.from({ length: 17 }, (_, place) => `i${place}`), Array.from({ length: 21 }, () => 'x'), ['x'.repeat(61)],
  'good', 'first', 'tie', 'skip', 'rated', 'ranked', 'simulated', 'pair', 'rating', 'ranking', 'vote', 'fidelity', '2026-02-30T10:20:30Z',
  '2026-02-28T10:20:30+01:00', '2026-02-28T10:20', { overall: 1, alignment: 1, fidelity: 1 }, { overall: 1, alignment: 1 },
  { overall: 1, alignment: 1, fidelity: 8 }, { overall: 1, alignment: 1, fidelity: 1, more: 1 },
  [{ image: 0, kind: 'implausible', x: 0, y: 0 }], [{ image: 0, word: 1 }],
] // prettier-ignore
const fields = [
  ...new Set(usual.flatMap((one) => Object.keys(one))),
  'undoes',
  'regions',
  'misread',
  'more',
  '__proto__',
]

test('what is plain the schema accepts and leaves as it is, whatever is changed in a judgment', () => {
  for (const judgment of usual) {
    assert.ok(isPlainJudgment(judgment), JSON.stringify(judgment))
    for (const field of fields) {
      const lacking = Object.fromEntries(Object.entries(judgment).filter(([name]) => name !== field))
      const changed: object[] = [lacking, ...values.map((value) => ({ ...judgment, [field]: value }))]
      for (const one of changed) {
        if (!isPlainJudgment(one)) continue
        const { data, error } = Judgment.safeParse(one)
        assert.equal(error, undefined, JSON.stringify(one))
        assert.deepEqual(data, one)
      }
    }
  }
})

test('a row gives the judgment that the schema makes of it, its fields in one order', () => {
  for (const judgment of usual.map((one) => Judgment.parse(one))) {
    const row = { duration_ms: null, undoes: null, ...rowOf(judgment), details: rowOf(judgment).details, sequence: 1 }
    assert.equal(JSON.stringify(judgmentOf(row)), JSON.stringify(judgment))
  }
})
