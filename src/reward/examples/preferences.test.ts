import assert from 'node:assert/strict'
import { test } from 'node:test'
import { preferencesOf } from './preferences.ts'

const label = (image: number, good: boolean, text = 'a') => ({ image, good, text })

test('every good image is preferred to every bad one of its prompt, n images weighing n - 1 at most', () => {
  const labels = [label(0, true), label(1, false), label(2, false), label(3, true, 'b'), label(4, true, 'b')]
  const pairs = preferencesOf({ labels, comparisons: [] })
  assert.deepEqual(
    pairs.map(({ better, worse, text, weight }) => [better, worse, text, weight]),
    [
      [0, 1, 'a', 2 / 3],
      [0, 2, 'a', 2 / 3],
    ],
  )
})

test('what was compared directly is not told again by labels', () => {
  const direct = { better: 1, worse: 0, text: 'a', isTie: false, weight: 1 }
  const pairs = preferencesOf({ labels: [label(0, true), label(1, false)], comparisons: [direct] })
  assert.deepEqual(pairs, [direct])
})

test('raters who contradict each other cancel out', () => {
  const labels = [label(0, true), label(0, false), label(1, false), label(2, true), label(2, true), label(2, false)]
  const pairs = preferencesOf({ labels, comparisons: [] })
  assert.deepEqual(pairs.map(({ better, worse }) => [better, worse]), [[2, 1]]) // prettier-ignore
})

test('very many good and bad images of one prompt are paired in turn, and weigh as much', () => {
  const labels = Array.from({ length: 1000 }, (_, i) => label(i, i < 300))
  const pairs = preferencesOf({ labels, comparisons: [] })
  assert.equal(pairs.length, 300 * 13)
  assert.equal(new Set(pairs.map(({ better, worse }) => `${better} ${worse}`)).size, pairs.length)
  assert.deepEqual([new Set(pairs.map(({ better }) => better)).size, new Set(pairs.map(({ worse }) => worse)).size], [300, 700]) // prettier-ignore
  const sum = pairs.reduce((total, { weight }) => total + weight, 0)
  assert.ok(Math.abs(sum - (300 * 700 * 2) / 1000) < 1e-6, String(sum))
})
