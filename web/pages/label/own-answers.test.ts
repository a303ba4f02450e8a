import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { NewJudgment, OwnAnswers } from '../../../src/studio/schemas/labelling.ts'
import type { Given } from '../../past.ts'
import { mergedPast as merged } from '../../told-past.ts'
import { toldIn } from './own-answers.ts'

const at = (second: number) => `2026-01-01T00:00:${String(second).padStart(2, '0')}.000Z`
const refs = (ids: string) => [...ids].map((id) => ({ id, width: 24, height: 24 }))
type Told = OwnAnswers['answers'][number]

const told = (judgment: NewJudgment, shown: string, mode: Told['task']['mode']): Told => ({
  judgment,
  task: { id: judgment.id, mode, prompt: 'p', images: refs(shown), rated: {} },
})
const goodBad = (second: number, image: string, answer: 'good' | 'bad', shown: string): Told =>
  told({ id: `g${second}`, kind: 'good-bad-skip', images: [image], answer, at: at(second) }, shown, 'good-bad')
const local = (id: string, second: number): Given => ({
  place: 'good-bad',
  task: 'local',
  state: 'local',
  answer: { id, at: at(second) },
  counts: 1,
  group: id,
})
const mergedPast = (
  mode: Told['task']['mode'],
  kept: readonly Given[],
  answers: readonly Told[],
  isUnderWay: (id: string) => boolean,
  isWhole: boolean,
) => merged(kept, toldIn(mode, [...answers]), isUnderWay, isWhole)
const idsOf = (list: readonly Given[]) => list.map(({ answer }) => answer.id)

test('the server says what stands; what is under way stands as well, and the rest is forgotten', () => {
  const answers = [goodBad(3, 'c', 'bad', 'abc'), goodBad(1, 'a', 'good', 'abc')]
  const merged = mergedPast(
    'good-bad',
    [local('gone', 0), local('g1', 1), local('sent', 4)],
    answers,
    (id) => id === 'sent',
    true,
  )
  assert.deepEqual(idsOf(merged), ['g1', 'g3', 'sent'])
  assert.deepEqual(merged[0].state, 'local')
  assert.deepEqual(merged[1].state, { answers: ['good', null, null], focused: 2 })
  assert.equal(merged[1].isOld, true)
})

test('beyond the last ones that the server tells, the browser’s own memory holds', () => {
  const merged = mergedPast(
    'good-bad',
    [local('old', 0), local('gone', 9)],
    [goodBad(3, 'c', 'bad', 'c')],
    () => false,
    false,
  )
  assert.deepEqual(idsOf(merged), ['old', 'g3'])
})

test('a rating is asked alone, a ranking with the ratings that it must agree with, a pair as it was', () => {
  const rating = (second: number, image: string, overall: number) =>
    told(
      {
        id: `r${second}`,
        kind: 'rating',
        images: [image],
        answer: 'rated',
        ratings: { overall, alignment: 4, fidelity: 4 },
        at: at(second),
      },
      'ab',
      'rating',
    )
  const ranking: NewJudgment = {
    id: 'k',
    kind: 'ranking',
    images: ['a', 'b'],
    answer: 'ranked',
    ranks: [2, 1],
    at: at(3),
  }
  const all = [told(ranking, 'ab', 'rating'), rating(2, 'b', 6), rating(1, 'a', 5)]
  const merged = mergedPast('rating', [], all, () => false, true)
  assert.deepEqual(
    merged.map(({ counts, task }) => [counts, (task as Told['task']).images.map(({ id }) => id).join('')]),
    [
      [1, 'a'],
      [1, 'b'],
      [0, 'ab'],
    ],
  )
  assert.deepEqual(merged[2].state, {
    done: [{ overall: 5 }, { overall: 6 }],
    draft: {},
    row: 0,
    issues: [],
    slots: [2, 1],
    chosen: 0,
  })
  // Without the ratings nobody could tell whether it agrees.
  assert.deepEqual(
    mergedPast('rating', [], all.slice(0, 2), () => false, true).map(({ answer }) => answer.id),
    ['r2'],
  )
  const pair: NewJudgment = { id: 'p', kind: 'pair', images: ['b', 'a'], answer: 'first', at: at(1) }
  const [only] = mergedPast('pair', [], [told(pair, 'ba', 'pair')], () => false, true)
  assert.deepEqual(only.state, { sides: [0, 1], next: 2 })
})
