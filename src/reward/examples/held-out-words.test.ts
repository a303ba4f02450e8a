import assert from 'node:assert/strict'
import { test } from 'node:test'
import { heldOutWords } from './held-out-words.ts'
import type { Ends } from '../training/prompt-interval.ts'

const labels = (auc: number, aucInterval: Ends | null, clipScoreAuc: number) => ({
  n: 42,
  accuracy: 0.71,
  accuracyInterval: [0.6, 0.82] as const,
  auc,
  aucInterval,
  clipScoreAuc,
  clipScoreAucInterval: [0.5, 0.7] as const,
  ece: 0.1,
  comparisons: 0,
  pairAccuracy: null,
  pairAccuracyInterval: null,
  clipScorePairAccuracy: null,
  clipScorePairAccuracyInterval: null,
})

test('the figures come with their intervals, and alone where the reward is better than the CLIP score', () => {
  assert.deepEqual(heldOutWords(6, labels(0.85, [0.7, 0.95], 0.6)), [
    'held out: 42 labels of 6 prompts; accuracy 0.710 (0.600 to 0.820), AUC 0.850 (0.700 to 0.950), of the CLIP score 0.600 (0.500 to 0.700), calibration error 0.100',
  ])
})

test('an interval that holds the CLIP score, chance, or nothing gets a warning', () => {
  const warning = (...given: Parameters<typeof labels>) => heldOutWords(6, labels(...given))[1]
  assert.match(
    warning(0.447, [0.3, 0.6], 0.6),
    /^warning: the reward is not shown to be better than the CLIP score, 0\.600/,
  )
  assert.match(warning(0.7, [0.55, 0.8], 0.6), /better than the CLIP score, 0\.600: its AUC lies \(0\.550 to 0\.800\)/)
  assert.match(warning(0.6, [0.45, 0.8], 0.4), /better than chance, 0\.500/)
  assert.match(warning(1, null, 0.4), /a single prompt was held out/)
})

test('comparisons have figures of their own', () => {
  const compared = {
    ...labels(0.85, [0.7, 0.95], 0.6),
    auc: null,
    comparisons: 30,
    pairAccuracy: 0.6,
    pairAccuracyInterval: [0.45, 0.75] as const,
    clipScorePairAccuracy: 0.55,
    clipScorePairAccuracyInterval: [0.4, 0.7] as const,
  }
  const lines = heldOutWords(6, compared)
  assert.match(lines[0], /30 comparisons of 6 prompts; right 0\.600 \(0\.450 to 0\.750\), the CLIP score 0\.550/)
  assert.match(lines[1], /not shown to be better than the CLIP score, 0\.550: its share of right comparisons lies/)
  assert.match(heldOutWords(2, { ...compared, pairAccuracy: null })[0], /judgments of 2 prompts, which tell no image/)
})
