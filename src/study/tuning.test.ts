import assert from 'node:assert/strict'
import { test } from 'node:test'
import { choose } from './tuning.ts'

const candidate = (reward: number, frechet: number, half = 0.02) => ({
  reward: { mean: reward, low: reward - half, high: reward + half },
  frechet,
})

test('the highest reward wins among those near enough to true images', () => {
  assert.equal(choose([candidate(0.6, 1), candidate(0.9, 1.6), candidate(0.7, 1.5)], 1), 2)
})

test('of rewards within one standard error the nearest to true images is taken', () => {
  // The standard error is 0.02 / 1.96 = 0.0102.
  assert.equal(choose([candidate(0.7, 1.4), candidate(0.695, 0.9)], 1), 1)
  assert.equal(choose([candidate(0.7, 1.4), candidate(0.685, 0.9)], 1), 0)
})

test('where none is near enough the nearest is taken', () => {
  assert.equal(choose([candidate(0.9, 3), candidate(0.5, 2)], 1), 1)
})
