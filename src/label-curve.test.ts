import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { clipScoreAuc, firstAhead, labelCurve, labelsUntilAhead } from './label-curve.ts'

/** Means over seeds of the recorded study. */
function measured(arm: string): number {
  const rows = readFileSync(new URL('../docs/results.csv', import.meta.url), 'utf8').split('\n')
  const values = rows
    .filter((row) => row.startsWith(`rewards,${arm},`) && row.includes(',auc,'))
    .map((row) => Number(row.split(',').at(-1)))
  assert.ok(values.length > 0, arm)
  return values.reduce((sum, value) => sum + value, 0) / values.length
}

test('the curve is the one that the study has measured', () => {
  for (const { labels, auc } of labelCurve) {
    const found = measured(`usual-5%-${labels}`)
    assert.ok(Math.abs(found - auc) < 0.02, `${labels} labels: ${found} measured`)
    const clip = measured(`clip-5%-${labels}`)
    assert.ok(Math.abs(clip - clipScoreAuc) < 0.02, `CLIP score: ${clip} measured`)
  }
})

test('a reward goes ahead of the CLIP score where it is seen to', () => {
  assert.equal(firstAhead, 360)
  assert.deepEqual([0, 60, 359, 360, 5000].map(labelsUntilAhead), [360, 300, 1, 0, 0])
})
