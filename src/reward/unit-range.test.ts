import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RewardError } from '../errors.ts'
import { unitRange } from './unit-range.ts'

const unbounded = { name: 'clip', range: undefined }
const near = (actual: number, expected: number) => assert.ok(Math.abs(actual - expected) < 1e-12, `${actual}`)

test('a reward in [0, 1] is left alone, whatever its scores', () => {
  const { low, high, map } = unitRange({ name: 'run', range: [0, 1] }, [0.5, 0.5])
  assert.deepEqual([low, high], [0, 1])
  for (const score of [0, 0.25, 1]) assert.equal(map(score), score)
})

test('the 5 % quantile becomes 0 and the 95 % quantile 1, by hand', () => {
  // Of 0, 10, …, 200 in any order: place 0.05 · 20 = 1 is 10, place 19 is 190.
  const scores = Array.from({ length: 21 }, (_, i) => ((i * 8) % 21) * 10)
  const { low, high, map } = unitRange(unbounded, scores)
  near(low, 10)
  near(high, 190)
  near(map(100), 0.5)
  near(map(55), 0.25)
  assert.deepEqual([map(10), map(0), map(-1e9), map(190), map(200), map(1e9)], [0, 0, 0, 1, 1, 1])
  assert.ok(scores.every((score, i) => scores.every((other, j) => score <= other || map(scores[i]) >= map(scores[j]))))
})

test('quantiles lie between two scores where they fall between them', () => {
  // Of -1, 1, 2: place 0.1 is −0.8, place 1.9 is 1.9.
  const { low, high } = unitRange({ name: 'aesthetic', range: [1, 10] }, [2, -1, 1])
  near(low, -0.8)
  near(high, 1.9)
})

test('where nearly all scores are one number, lowest and highest take the places of the quantiles', () => {
  const { low, high, map } = unitRange(unbounded, [...new Array<number>(98).fill(3), 2, 5])
  assert.deepEqual([low, high], [2, 5])
  near(map(3), 1 / 3)
})

test('scores that cannot tell images apart are refused', () => {
  assert.throws(() => unitRange(unbounded, [3, 3, 3]), { name: RewardError.name, received: '3 for all 3 images' })
  for (const broken of [NaN, Infinity, -Infinity]) {
    assert.throws(() => unitRange(unbounded, [1, broken, 2]), { name: RewardError.name, received: String(broken) })
  }
})
