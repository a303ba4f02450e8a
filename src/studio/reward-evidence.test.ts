import assert from 'node:assert/strict'
import { test } from 'node:test'
import { labelsWanted, lackInWords, rewardLack, type HeldOutFigures } from './reward-evidence.ts'

const nothing: HeldOutFigures = {
  n: 11,
  comparisons: 0,
  auc: null,
  aucInterval: null,
  clipScoreAuc: null,
  pairAccuracy: null,
  pairAccuracyInterval: null,
}
const rewardOf = (heldOut: Partial<HeldOutFigures>, had = { labels: 60, comparisons: 40 }, isEmbedded = false) => ({
  ...had,
  isEmbedded,
  heldOut: { ...nothing, ...heldOut },
})
const wanted = (...given: Parameters<typeof rewardOf>) => labelsWanted(rewardOf(...given))

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

test('where a reward is the CLIP score as yet, the measured curve says when it is more', () => {
  const clip: Partial<HeldOutFigures> = { auc: 0.78, aucInterval: [0.53, 1], clipScoreAuc: 0.78 }
  assert.equal(wanted(clip, { labels: 60, comparisons: 0 }, true), 300)
  assert.equal(wanted(clip, { labels: 60, comparisons: 0 }, false), 60)
  assert.equal(wanted(clip, { labels: 400, comparisons: 0 }, true), 400)
})

test('nothing can be told where nothing was measured', () => {
  assert.equal(wanted({}), undefined)
  assert.equal(labelsWanted({ labels: 60, comparisons: 0, heldOut: null, isEmbedded: true }), undefined)
})

test('what is lacking is said with the figure, its interval and about how many labels', () => {
  const said = (name: string, reward: Parameters<typeof rewardLack>[0]) => {
    const lack = rewardLack(reward)
    return lack === null ? null : lackInWords(name, lack)
  }
  const lack = (heldOut: Partial<HeldOutFigures>) => said('reward-1', rewardOf(heldOut))
  assert.equal(
    lack({ auc: 0.467, aucInterval: [0.31, 0.63], clipScoreAuc: 0.6 }),
    'reward-1 is no better than chance yet (AUC 0.47, 0.31 … 0.63, on 11 held-out labels): about 60 more labels.',
  )
  assert.match(lack({ auc: 0.6, aucInterval: [0.45, 0.75] })!, /is not shown to be better than chance yet \(AUC 0\.60/)
  assert.match(
    lack({ auc: 0.75, aucInterval: [0.6, 0.9], clipScoreAuc: 0.7 })!,
    /is better than chance, but not shown to be better than the CLIP score, .*\(0\.70; AUC 0\.75, 0\.60 … 0\.90/,
  )
  assert.match(
    lack({ pairAccuracy: 0.55, pairAccuracyInterval: [0.4, 0.7], comparisons: 1 })!,
    /not shown to be better than chance yet \(pairs in order 0\.55, 0\.40 … 0\.70, on 1 held-out pair\)/,
  )
  assert.match(lack({})!, /too few held-out labels/)
  assert.match(said('r', { ...rewardOf({}), heldOut: null })!, /no held-out prompts/)
  // Exactly at the bar is not above it.
  assert.notEqual(lack({ auc: 0.8, aucInterval: [0.5, 0.9] }), null)
  assert.equal(lack({ auc: 0.8, aucInterval: [0.51, 0.9], clipScoreAuc: 0.5 }), null)
  assert.equal(lack({ pairAccuracy: 0.7, pairAccuracyInterval: [0.6, 0.8] }), null)
})
