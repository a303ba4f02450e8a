import assert from 'node:assert/strict'
import { test } from 'node:test'
import { judge, verdictOfAll } from './verdict.ts'

test('a part holds where its interval lies above the bound, by Student over seeds', () => {
  // Mean 3, deviation √2.5, five seeds: 3 ± 2.7764 · 0.7071.
  const { interval, verdict } = judge([1, 2, 3, 4, 5], 1)
  assert.ok(Math.abs(interval.low - (3 - 2.7764 * Math.sqrt(0.5))) < 1e-9)
  assert.equal(verdict, 'supported')
  assert.equal(judge([1, 2, 3, 4, 5], 1.1).verdict, 'inconclusive')
  assert.equal(judge([1, 2, 3, 4, 5], 4.9).verdict, 'inconclusive')
  assert.equal(judge([1, 2, 3, 4, 5], 5).verdict, 'not supported')
})

test('values that are all alike decide, but not where they are the bound itself', () => {
  assert.equal(judge([0.1, 0.1], 0).verdict, 'supported')
  assert.equal(judge([0, 0], 0).verdict, 'inconclusive')
})

test('a claim holds where all its parts do, and fails where one does', () => {
  assert.equal(verdictOfAll(['supported', 'supported']), 'supported')
  assert.equal(verdictOfAll(['supported', 'inconclusive']), 'inconclusive')
  assert.equal(verdictOfAll(['supported', 'inconclusive', 'not supported']), 'not supported')
  assert.equal(verdictOfAll(['supported', 'not measured']), 'inconclusive')
  assert.equal(verdictOfAll(['not measured', 'not measured']), 'not measured')
})
