import assert from 'node:assert/strict'
import { it } from 'node:test'
import type { Judgment } from '../../records.ts'
import { raterDays } from './rater-days.ts'

const said = (id: string, rater: string, image: string, answer: 'good' | 'bad' | 'skip', day = '01'): Judgment => ({
  id,
  rater,
  raterKind: 'person',
  at: `2026-01-${day}T10:00:00Z`,
  kind: 'good-bad-skip',
  images: [image],
  answer,
})

it('tells of each day how much, how fast, and how far others agree', () => {
  const rows = [
    said('1', 'ada', 'a', 'good'),
    said('2', 'ada', 'b', 'bad'),
    said('3', 'ada', 'c', 'skip'),
    said('4', 'ada', 'd', 'good', '02'),
    said('5', 'bob', 'a', 'good'),
    said('6', 'cid', 'a', 'bad'),
    said('7', 'bob', 'b', 'bad', '09'),
    said('8', 'bob', 'c', 'good'),
  ]
  const looks = new Map([
    ['1', 1000],
    ['2', 3000],
  ])
  assert.deepEqual(raterDays('ada', rows, { gold: new Map([['d', 'bad']]), looks }), [
    { day: '2026-01-02', answers: 1, skips: 0, seconds: null, compared: 0, agreed: 0, gold: { asked: 1, right: 0 } },
    { day: '2026-01-01', answers: 3, skips: 1, seconds: 2, compared: 3, agreed: 2, gold: { asked: 0, right: 0 } },
  ])
  assert.deepEqual(raterDays('nobody', rows, { gold: new Map(), looks }), [])
})
