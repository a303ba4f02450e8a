import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { RewardSummary } from '../src/studio/schemas/runs.ts'
import { labelsWanted } from './labels-wanted.ts'

type HeldOut = NonNullable<RewardSummary['heldOut']>
const nothing: HeldOut = {
  n: 11,
  prompts: 4,
  accuracy: null,
  accuracyInterval: null,
  auc: null,
  aucInterval: null,
  clipScoreAuc: null,
  calibrationError: null,
  comparisons: 0,
  pairAccuracy: null,
  pairAccuracyInterval: null,
  tieShare: null,
  expectedTieShare: null,
  frozenPairAccuracy: null,
  gain: null,
  gainInterval: null,
}
const wanted = (heldOut: Partial<HeldOut>, had = { labels: 60, comparisons: 40 }) =>
  labelsWanted({ ...had, heldOut: { ...nothing, ...heldOut } })

test('as many again where a reward seems no better than the CLIP score or than chance', () => {
  assert.equal(wanted({ auc: 0.467, aucInterval: [0.1, 0.8], clipScoreAuc: 0.6 }), 60)
  assert.equal(wanted({ auc: 0.58, aucInterval: [0.4, 0.8], clipScoreAuc: 0.6 }), 60)
  assert.equal(wanted({ pairAccuracy: 0.5, pairAccuracyInterval: [0.3, 0.7] }), 40)
})

test('by the root of their number where it seems better', () => {
  // The interval reaches 0.2 down and 0.1 is to spare: four times as many halve it.
  assert.equal(wanted({ auc: 0.7, aucInterval: [0.5, 0.9], clipScoreAuc: 0.6 }, { labels: 100, comparisons: 0 }), 300)
  assert.equal(wanted({ auc: 0.8, aucInterval: [0.49, 1], clipScoreAuc: 0.2 }), 20)
  assert.equal(wanted({ auc: 0.601, aucInterval: [0.2, 1], clipScoreAuc: 0.6 }), 5000)
})

test('nothing can be told where nothing was measured', () => {
  assert.equal(wanted({}), undefined)
  assert.equal(labelsWanted({ labels: 60, comparisons: 0, heldOut: null }), undefined)
})
