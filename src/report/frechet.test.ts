import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { DivergenceError, ShapeError } from '../errors.ts'
import { tensor } from '../tensor/create.ts'
import { livingTensors, tensorScope } from '../tensor/scope.ts'
import { frechetDistance, totalVariance } from './frechet.ts'

/** `test/fixtures/frechet.py` makes them with scipy. */
const cases = JSON.parse(readFileSync(new URL('../../test/fixtures/frechet.json', import.meta.url), 'utf8')) as {
  a: number[][]
  b: number[][]
  distance: number
}[]

const rows = (values: readonly (readonly number[])[]) =>
  tensor(Float64Array.from(values.flat()), [values.length, values[0].length])

/** Four rows with mean and exactly the covariance diag(variance), in two dimensions. */
function diagonal(mean: readonly [number, number], variance: readonly [number, number]): number[][] {
  const [x, y] = variance.map((one) => Math.sqrt((3 / 4) * one))
  return [
    [mean[0] + x, mean[1] + y],
    [mean[0] + x, mean[1] - y],
    [mean[0] - x, mean[1] + y],
    [mean[0] - x, mean[1] - y],
  ]
}

test('diagonal Gaussians: ‖μ₁ − μ₂‖² + Σ (σ₁ − σ₂)²', () => {
  using _scope = tensorScope()
  const a = rows(diagonal([1, -2], [4, 9]))
  const b = rows(diagonal([4, 2], [1, 25]))
  assert.ok(Math.abs(frechetDistance(a, b) - (9 + 16 + 1 + 4)) < 1e-10)
  assert.ok(Math.abs(frechetDistance(b, a) - 30) < 1e-10)
  assert.ok(Math.abs(totalVariance(a) - 13) < 1e-10)
})

test('the numbers of scipy', () => {
  using _scope = tensorScope()
  for (const { a, b, distance } of cases) {
    const found = frechetDistance(rows(a), rows(b))
    assert.ok(Math.abs(found - distance) < 1e-6 * distance, `${found} ${distance}`)
  }
})

test('equal sets are at distance zero, also with fewer rows than features', () => {
  using _scope = tensorScope()
  const [{ a }] = cases
  assert.ok(frechetDistance(rows(a), rows(a)) < 1e-9)
  const wide = rows([
    [1, 2, 3, 4, 5],
    [2, 0, 1, 7, 3],
    [0, 1, 0, 1, 4],
  ])
  assert.ok(frechetDistance(wide, wide) < 1e-6)
  const moved = frechetDistance(wide, wide.add(2))
  assert.ok(Math.abs(moved - 20) < 1e-6, `${moved}`)
})

test('refuses what is no set of features, and leaves no tensor behind', () => {
  const before = livingTensors()
  {
    using _scope = tensorScope()
    const fine = rows([
      [1, 2],
      [3, 5],
    ])
    frechetDistance(fine, fine)
    assert.throws(() => frechetDistance(rows([[1, 2]]), fine), ShapeError)
    assert.throws(() => frechetDistance(fine, rows([[1], [2]])), ShapeError)
    const broken = rows([
      [1, NaN],
      [3, 5],
    ])
    assert.throws(() => frechetDistance(broken, fine), DivergenceError)
  }
  assert.ok(livingTensors() <= before)
})
