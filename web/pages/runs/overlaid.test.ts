import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { MetricRow } from '../train/metrics.ts'
import { cellText, differingSettings } from './differing.ts'
import { aligned, nearest, pointsOf } from './overlaid.ts'

const rows: MetricRow[] = [
  { step: 1, images_drawn: 8, seconds: 2.5, reward_mean: 0.1 },
  { step: 2, images_drawn: 8, seconds: 4, reward_mean: 0.2 },
  { step: 3, images_drawn: 16, seconds: 9, kl: 1 },
  { step: 4, reward_mean: 0.4 },
]

test('points stand where their axis says, each place once', () => {
  assert.deepEqual(pointsOf(rows, 'reward_mean', 'step'), [[1, 2, 4], [0.1, 0.2, 0.4]]) // prettier-ignore
  assert.deepEqual(pointsOf(rows, 'reward_mean', 'images_drawn'), [[8], [0.2]])
  assert.deepEqual(pointsOf(rows, 'kl', 'seconds'), [[9], [1]])
  assert.deepEqual(pointsOf([], 'kl', 'step'), [[], []])
})

test('runs share an axis, and have nothing where they were not measured', () => {
  const all = aligned([[[1, 3], [10, 30]], [[2, 3], [5, 6]], [[], []]]) // prettier-ignore
  assert.deepEqual(all, [[1, 2, 3], [10, null, 30], [null, 5, 6], [null, null, null]]) // prettier-ignore
  assert.equal(nearest([[1, 3], [10, 30]], 2.5), 30) // prettier-ignore
  assert.equal(nearest([[], []], 2), undefined)
})

test('only settings that differ have a column', () => {
  const [a, b] = [{ settings: { seed: 0, list: ['x', 'y'], klWeight: 1 } }, { settings: { seed: 1, list: ['x', 'y'], klWeight: 1, extra: null } }] // prettier-ignore
  assert.deepEqual(differingSettings([a, b]), ['seed', 'extra'])
  assert.deepEqual([differingSettings([a]), differingSettings([])], [[], []])
  assert.deepEqual([undefined, null, true, ['a', 'b', 'c', 'd']].map(cellText), ['–', 'automatic', 'true', 'a, b, c + 1'])
})
