import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { DivergenceError, ShapeError } from '../errors.ts'
import { random } from '../random.ts'
import { bootstrapMean, pairedDifference, studentQuantile975, subsetInterval, wilsonInterval } from './interval.ts'

test('every prompt weighs the same, however many images it has', () => {
  const values = new Map([
    ['a', [1]],
    ['b', [0, 0, 0, 0]],
  ])
  assert.equal(bootstrapMean(values, { seed: 1 }).mean, 0.5)
})

test('normal prompt means give the normal interval', () => {
  const stream = random(7)
  const prompts = Array.from({ length: 400 }, () => [3 + 2 * stream.normal()])
  const { mean, low, high } = bootstrapMean(prompts, { seed: 2, resamples: 4000 })
  const centre = prompts.reduce((sum, [value]) => sum + value, 0) / 400
  const deviation = Math.sqrt(prompts.reduce((sum, [value]) => sum + (value - centre) ** 2, 0) / 400)
  assert.ok(Math.abs(mean - centre) < 1e-12)
  assert.ok(Math.abs((high - low) / (2 * 1.96 * (deviation / 20)) - 1) < 0.06)
})

test('the interval covers the true mean of prompts about 95 times in 100', () => {
  let covered = 0
  for (let trial = 0; trial < 300; trial++) {
    const stream = random(11, trial)
    // Each prompt has its own success rate (mean 1/2), each image is a coin with that rate.
    const prompts = Array.from({ length: 40 }, () => {
      const rate = stream.uniform()
      return Array.from({ length: 8 }, () => (stream.uniform() < rate ? 1 : 0))
    })
    const { low, high } = bootstrapMean(prompts, { seed: trial, resamples: 400 })
    if (low <= 0.5 && 0.5 <= high) covered++
  }
  assert.ok(covered >= 270 && covered <= 297, `covered ${covered} of 300`)
})

test('one prompt: its own values are resampled; equal values: no width; equal seeds: equal intervals', () => {
  const single = bootstrapMean([[0, 1, 0, 1, 0, 1, 0, 1]], { seed: 3 })
  assert.ok(single.low < 0.5 && single.mean === 0.5 && single.high > 0.5)
  const equal = bootstrapMean([[0.1, 0.1, 0.1], [0.1], [0.1, 0.1]], { seed: 3 })
  assert.ok(Math.abs(equal.high - equal.low) < 1e-12 && equal.low <= equal.mean && equal.mean <= equal.high)
  const values = [[1, 2], [3], [8, 1]]
  assert.deepEqual(bootstrapMean(values, { seed: 9 }), bootstrapMean(values, { seed: 9 }))
})

test('pairing removes what prompt and seed share', () => {
  const stream = random(5)
  const b = new Map(Array.from({ length: 50 }, (_, k) => [`p${k}`, [10 * stream.normal(), 10 * stream.normal()]]))
  const a = new Map([...b].reverse().map(([prompt, values]) => [prompt, values.map((value) => value + 0.25)]))
  const { mean, low, high } = pairedDifference(a, b, { seed: 1 })
  for (const value of [mean, low, high]) assert.ok(Math.abs(value - 0.25) < 1e-9)
})

test('the paired difference of anything to itself is zero', () => {
  const lists = fc.array(fc.array(fc.double({ noNaN: true, min: -1e6, max: 1e6 }), { minLength: 1, maxLength: 5 }), {
    minLength: 1,
    maxLength: 8,
  })
  fc.assert(
    fc.property(lists, fc.nat(), (values, seed) => {
      assert.deepEqual(pairedDifference(values, values, { seed, resamples: 20 }), { mean: 0, low: 0, high: 0 })
    }),
    { numRuns: 50 },
  )
})

test('subsets: mean ± t s/√m by hand', () => {
  // s = 2, m = 3, t = 4.3027: half = 4.3027 · 2/√3 = 4.9683
  const { mean, low, high } = subsetInterval([8, 10, 12])
  assert.equal(mean, 10)
  assert.ok(Math.abs(high - 14.9683) < 1e-3 && Math.abs(low - 5.0317) < 1e-3)
  assert.deepEqual(subsetInterval([4, 4]), { mean: 4, low: 4, high: 4 })
})

test('Wilson’s interval is that of the textbook, and within 0 and 1', () => {
  // R's binom::binom.confint(8, 10, methods = "wilson")
  const { mean, low, high } = wilsonInterval(0.8, 10)
  assert.deepEqual([mean, low.toFixed(4), high.toFixed(4)], [0.8, '0.4902', '0.9433'])
  for (let n = 1; n <= 300; n++) {
    for (const wins of [0, 0.5, n / 2, n - 0.5, n]) {
      const found = wilsonInterval(wins / n, n)
      const isInside = 0 <= found.low && found.low <= wins / n && wins / n <= found.high && found.high <= 1
      assert.ok(isInside && found.low < found.high, `${wins} of ${n}: ${found.low} to ${found.high}`)
    }
  }
})

test("Student's quantile at tabulated degrees of freedom", () => {
  for (const [degrees, expected] of [
    [1, 12.7062],
    [10, 2.2281],
    [11, 2.20099],
    [30, 2.04227],
    [120, 1.97993],
  ]) {
    assert.ok(Math.abs(studentQuantile975(degrees) - expected) < 2e-4, `${degrees}`)
  }
})

test('values that cannot be averaged are errors', () => {
  assert.throws(() => bootstrapMean([[1], [NaN]], { seed: 0 }), DivergenceError)
  assert.throws(() => bootstrapMean([[Infinity]], { seed: 0 }), DivergenceError)
  assert.throws(() => bootstrapMean([], { seed: 0 }), ShapeError)
  assert.throws(() => bootstrapMean(new Map([['a', []]]), { seed: 0 }), ShapeError)
  assert.throws(() => pairedDifference([[1], [2]], [[1]], { seed: 0 }), ShapeError)
  assert.throws(() => pairedDifference([[1, 2]], [[1]], { seed: 0 }), ShapeError)
  assert.throws(() => pairedDifference(new Map([['a', [1]]]), new Map([['b', [1]]]), { seed: 0 }), ShapeError)
  assert.throws(() => subsetInterval([1]), ShapeError)
  assert.throws(() => subsetInterval([1, NaN]), DivergenceError)
})
