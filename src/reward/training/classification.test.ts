import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { DivergenceError, RewardError, ShapeError } from '../../errors.ts'
import { accuracy, auc, expectedCalibrationError, explainedVariance, reliability } from './classification.ts'

const near = (actual: number, expected: number) => assert.ok(Math.abs(actual - expected) < 1e-12, `${actual}`)

test('accuracy by hand, a score on the threshold counting as good', () => {
  near(accuracy([0.9, 0.5, 0.4, 0.2], [true, true, true, false]), 0.75)
})

test('AUC by hand', () => {
  // Pairs (good, bad): .8>.6, .8>.2, .4<.6, .4>.2: 3 of 4.
  near(auc([0.8, 0.4, 0.6, 0.2], [true, true, false, false]), 0.75)
  // One tie counted half: (.5 = .5) and (.9 > .5).
  near(auc([0.5, 0.9, 0.5], [true, true, false]), 0.75)
  near(auc([1, 1, 1, 1], [true, false, true, false]), 0.5)
  near(auc([-3, 5], [true, false]), 0)
})

test('AUC equals the count over all pairs, and mirrors when the score is negated', () => {
  const sample = fc.array(fc.tuple(fc.integer({ min: 0, max: 6 }), fc.boolean()), { minLength: 2, maxLength: 30 })
  fc.assert(
    fc.property(sample, (rows) => {
      const scores = rows.map(([score]) => score)
      const labels = rows.map(([, label]) => label)
      const good = scores.filter((_, i) => labels[i])
      const bad = scores.filter((_, i) => !labels[i])
      fc.pre(good.length > 0 && bad.length > 0)
      const wins = good.flatMap((g) => bad.map((b) => (g > b ? 1 : g === b ? 0.5 : 0)))
      near(auc(scores, labels), wins.reduce<number>((sum, win) => sum + win, 0) / wins.length)
      near(
        auc(scores, labels) +
          auc(
            scores.map((score) => -score),
            labels,
          ),
        1,
      )
    }),
  )
})

test('reliability bins and calibration error by hand', () => {
  const probabilities = [0.05, 0.15, 0.15, 0.95, 1, 1.2]
  const labels = [false, true, false, true, true, false]
  const bins = reliability(probabilities, labels)
  assert.deepEqual(
    bins.map((bin) => [bin.low, bin.n]),
    [
      [0, 1],
      [0.1, 2],
      [0.9, 3],
    ],
  )
  near(bins[1].observed, 0.5)
  near(bins[2].predicted, 2.95 / 3)
  // (1/6)·|0 − .05| + (2/6)·|.5 − .15| + (3/6)·|2/3 − .98333|
  near(expectedCalibrationError(probabilities, labels), 0.05 / 6 + 0.7 / 6 + 0.95 / 6)
})

test('explained variance by hand', () => {
  near(explainedVariance([1, 2, 3], [1, 2, 3]), 1)
  near(explainedVariance([2, 2, 2], [1, 2, 3]), 0)
  near(explainedVariance([11, 12, 13], [1, 2, 3]), 1)
  near(explainedVariance([3, 2, 1], [1, 2, 3]), -3)
  near(explainedVariance([5, 5], [5, 5]), 1)
  near(explainedVariance([4, 5], [5, 5]), 0)
})

test('what cannot be measured is an error', () => {
  assert.throws(() => auc([0.1, 0.2], [true, true]), RewardError)
  assert.throws(() => auc([0.1], [true, false]), ShapeError)
  assert.throws(() => accuracy([], []), ShapeError)
  assert.throws(() => auc([NaN, 0.2], [true, false]), DivergenceError)
  assert.throws(() => explainedVariance([1, 2], [1, NaN]), DivergenceError)
})
