import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DivergenceError, ShapeError } from '../errors.ts'
import { livingTensors, tensorScope } from '../tensor/scope.ts'
import { measuredFeatures, rows } from './measures.test-helper.ts'
import { vendiScore } from './vendi-score.ts'

const near = (found: number, expected: number) =>
  assert.ok(Math.abs(found - expected) < 1e-9 * expected, `${found} ${expected}`)

test('by hand: one for equal directions, n for right angles, and of two at an angle', () => {
  using _scope = tensorScope()
  near(vendiScore(rows([[1, 2]])), 1)
  near(vendiScore(rows([[1, 2], [2, 4], [0.5, 1]])), 1) // prettier-ignore
  near(vendiScore(rows([[3, 0, 0], [0, 1, 0], [0, 0, 9]])), 3) // prettier-ignore
  // Eigenvalues (1 ± cos 60°)/2.
  near(vendiScore(rows([[1, 0], [1, Math.sqrt(3)]])), Math.exp(-(0.75 * Math.log(0.75) + 0.25 * Math.log(0.25)))) // prettier-ignore
})

test('the scores of the authors’ code, with more images than features and with fewer', () => {
  using _scope = tensorScope()
  for (const { a, b, vendi } of measuredFeatures) {
    near(vendiScore(rows(a)), vendi[0])
    near(vendiScore(rows(b)), vendi[1])
  }
  const [{ a }] = measuredFeatures
  // Features that are 0 everywhere change nothing, but the other matrix is taken.
  near(vendiScore(rows(a.map((row) => [...row, ...new Array<number>(50).fill(0)]))), measuredFeatures[0].vendi[0])
})

test('images without features are like each other alone, and nothing is NaN', () => {
  using _scope = tensorScope()
  near(vendiScore(rows([[0, 0], [0, 0]])), 1) // prettier-ignore
  near(vendiScore(rows([[0, 0], [0, 0], [1, 0], [1, 0]])), 2) // prettier-ignore
})

test('refuses what is no set of features, and leaves no tensor behind', () => {
  const before = livingTensors()
  {
    using _scope = tensorScope()
    vendiScore(rows([[1, 2]]))
    assert.throws(() => vendiScore(rows([[1, NaN]])), DivergenceError)
    assert.throws(() => vendiScore(rows([[1, 2]]).slice(0, 0, 0)), ShapeError)
  }
  assert.ok(livingTensors() <= before)
})
