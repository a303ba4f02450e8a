import assert from 'node:assert/strict'
import { test } from 'node:test'
import { random } from '../../random.ts'
import type { Judgment } from '../../records.ts'
import { AgreementBook } from './agreement-book.ts'
import { agreementByKind, raterSummaries } from './agreement-summary.ts'

const at = '2026-01-01T00:00:00.000Z'

test('what is kept from one look to the next is what would be computed anew', () => {
  const stream = random(7)
  const book = new AgreementBook()
  const gold = new Map([['image 3', 'good']]) as ReadonlyMap<string, 'good' | 'bad'>
  let judgments: readonly Judgment[] = []
  for (let turn = 0; turn < 6; turn++) {
    const more = Array.from({ length: 40 }, (_, k): Judgment => {
      const [first, second] = stream.shuffle([0, 1, 2, 3, 4, 5, 6, 7]).map((image) => `image ${image}`)
      const given = { id: `${turn} ${k}`, rater: `rater ${stream.integer(0, 4)}`, raterKind: 'person', at } as const
      return k % 2 === 0
        ? { ...given, kind: 'good-bad-skip', images: [first], answer: stream.pick(['good', 'bad', 'skip']) }
        : { ...given, kind: 'pair', images: [first, second], answer: stream.pick(['first', 'second', 'tie']) }
    })
    // some are taken back
    judgments = [...judgments.slice(turn), ...more]
    assert.deepEqual(book.byKind(judgments), agreementByKind([...judgments]))
    assert.deepEqual(book.raters(judgments, gold), raterSummaries([...judgments], gold))
    assert.equal(book.byKind(judgments), book.byKind(judgments))
    assert.equal(book.raters(judgments, gold), book.raters(judgments, new Map(gold)))
  }
  assert.deepEqual(book.raters(judgments, new Map()), raterSummaries([...judgments], new Map()))
})
