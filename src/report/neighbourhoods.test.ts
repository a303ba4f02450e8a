import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DivergenceError, ShapeError } from '../errors.ts'
import { random } from '../random.ts'
import { livingTensors, tensorScope } from '../tensor/scope.ts'
import { measuredFeatures, rows } from './measures.test-helper.ts'
import { neighbourhoods } from './neighbourhoods.ts'

const mean = (values: readonly number[]) => values.reduce((sum, one) => sum + one, 0) / values.length

test('by hand on a line, with one neighbour', () => {
  using _scope = tensorScope()
  // Balls of y reach 1, 1 and 4 far: [−1, 1], [0, 2], [1, 9]. Those of x 2.5, 2.5 and 17 far.
  const found = neighbourhoods(rows([[0.5], [3], [20]]), rows([[0], [1], [5]]), 1)
  assert.deepEqual(found.precision, [1, 1, 0])
  assert.deepEqual(found.density, [2, 1, 0])
  assert.deepEqual(found.recall, [1, 1, 1])
  assert.deepEqual(found.coverage, [1, 1, 1])
  const away = neighbourhoods(rows([[8], [8.5], [9]]), rows([[0], [1], [5]]), 1)
  assert.deepEqual([away.precision, away.recall, away.coverage], [[1, 1, 1], [0, 0, 0], [0, 0, 1]]) // prettier-ignore
})

test('precision, recall, density and coverage of the code of Naeem et al.', () => {
  using _scope = tensorScope()
  for (const { a, b, k, neighbours } of measuredFeatures) {
    const found = neighbourhoods(rows(a), rows(b), k)
    for (const [name, expected] of Object.entries(neighbours)) {
      const value = mean(found[name as keyof typeof neighbours])
      assert.ok(Math.abs(value - expected) < 1e-9, `${name} ${value} ${expected}`)
    }
  }
})

test('equal sets have all in them, also where all images are one', () => {
  using _scope = tensorScope()
  const same = Array.from({ length: 7 }, () => [0.1, 1e3, -3])
  for (const set of [measuredFeatures[0].a, same]) {
    const { precision, recall, coverage } = neighbourhoods(rows(set), rows(set), 5)
    assert.deepEqual([mean(precision), mean(recall), mean(coverage)], [1, 1, 1])
  }
})

test('images that are few of the true ones have precision and no recall', () => {
  using _scope = tensorScope()
  const stream = random(3)
  const places = [0, 50, 100, 150]
  const around = (centre: number) => Array.from({ length: 25 }, () => [centre + stream.normal(), stream.normal()])
  const found = neighbourhoods(rows(around(50)), rows(places.flatMap(around)), 5)
  assert.ok(mean(found.precision) > 0.8 && mean(found.density) > 0.7, `${mean(found.density)}`)
  assert.deepEqual([mean(found.recall.slice(0, 25)), mean(found.coverage.slice(50))], [0, 0])
  assert.ok(mean(found.coverage.slice(25, 50)) > 0.8)
})

test('more images than fit into one block give what a small block does', () => {
  using _scope = tensorScope()
  const stream = random(4)
  const drawn = (n: number) => Array.from({ length: n }, () => [stream.normal(), stream.normal()])
  const [x, y] = [drawn(2300), drawn(2100)]
  const whole = neighbourhoods(rows(x), rows(y), 2)
  // What is found of an image of x does not depend on the others, and each set may be either.
  const [first, second] = [x.slice(0, 1000), x.slice(1000)].map((part) => neighbourhoods(rows(part), rows(y), 2))
  assert.deepEqual(whole.density, [...first.density, ...second.density])
  assert.deepEqual(whole.precision, [...first.precision, ...second.precision])
  assert.deepEqual(
    whole.coverage,
    first.coverage.map((one, i) => Math.max(one, second.coverage[i])),
  )
  assert.deepEqual(whole.recall, neighbourhoods(rows(y), rows(x), 2).precision)
})

test('needs more images than neighbours, and leaves no tensor behind', () => {
  const before = livingTensors()
  {
    using _scope = tensorScope()
    const fine = rows([[1], [2], [4]])
    neighbourhoods(fine, fine, 2)
    assert.throws(() => neighbourhoods(fine, fine, 3), ShapeError)
    assert.throws(() => neighbourhoods(rows([[1], [NaN], [4]]), fine, 2), DivergenceError)
  }
  assert.ok(livingTensors() <= before)
})
