import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isZigzag, pointsOf, rangeOf, stepRange } from './curve-points.ts'

test('a mean has the interval of the images that were drawn for it', () => {
  const rows: Readonly<Record<string, number>>[] = [
    { step: 0, alignment: 0.5 },
    { step: 1, reward_mean: 0.4, reward_std: 0.2, images_drawn: 96 },
    { step: 2, reward_mean: 0.5, reward_std: 0.2, images_drawn: 196 },
    { step: 3, reward_mean: NaN, reward_std: 0.2, images_drawn: 296 },
  ]
  const points = pointsOf('reward_mean', rows)
  assert.deepEqual(points.map(({ step, error }) => [step, error?.toFixed(4)]), [
    [1, '0.0400'],
    [2, '0.0392'],
  ]) // prettier-ignore
  assert.deepEqual(pointsOf('alignment', rows), [{ step: 0, value: 0.5, error: null }])
})

test('few points that go up and down are a zigzag, a trend and many points are none', () => {
  assert.ok(isZigzag([0.5, 0.62, 0.48, 0.6, 0.55, 0.7, 0.5, 0.66, 0.58, 0.63, 0.51]))
  assert.ok(!isZigzag([1, 2, 3, 2.9, 4, 5, 6]))
  assert.ok(!isZigzag([1, 2]))
  assert.ok(!isZigzag(Array.from({ length: 100 }, (_, i) => i % 2)))
})

test('one point has a sensible range, and no share leaves 0 to 1', () => {
  const range = (name: string, ...values: number[]) =>
    rangeOf(name, values.map((value, step) => ({ step, value, error: null }))).map((end) => Number(end.toFixed(3))) // prettier-ignore
  assert.deepEqual(range('kl', 3), [2.7, 3.3])
  assert.deepEqual(range('kl', 0), [0, 1])
  assert.deepEqual(range('loss', -2), [-2.2, -1.8])
  assert.deepEqual(range('alignment', 0.5), [0.45, 0.55])
  assert.deepEqual(range('alignment', 0.98, 1), [0.978, 1])
  assert.deepEqual(range('alignment', 0), [0, 0.1])
  assert.deepEqual(rangeOf('kl', []), [0, 1])
  assert.deepEqual(rangeOf('kl', [{ step: 1, value: 1, error: 0.5 }]), [0.4, 1.6])
  assert.deepEqual(stepRange([{ step: 7, value: 1, error: null }]), [6, 8])
  assert.deepEqual(stepRange([]), [0, 1])
})
