import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DivergenceError, ShapeError } from '../errors.ts'
import { random } from '../random.ts'
import { livingTensors, tensorScope } from '../tensor/scope.ts'
import { kernelDistance } from './kernel-distance.ts'
import { measuredFeatures, rows } from './measures.test-helper.ts'

test('the kernel distance by hand: one feature, two images in each set', () => {
  using _scope = tensorScope()
  // k(1, 2) = 3³, k(0, 3) = 1; k(1, 0) = 1, k(1, 3) = 4³, k(2, 0) = 1, k(2, 3) = 7³.
  const [x, y] = [rows([[1], [2]]), rows([[0], [3]])]
  assert.ok(Math.abs(kernelDistance(x, y) - (27 + 1 - (2 * (1 + 64 + 1 + 343)) / 4)) < 1e-9)
  // Of pairs k(1, 0) and k(2, 3) are left out.
  assert.ok(Math.abs(kernelDistance(x, y, { isPaired: true }) - (27 + 1 - (2 * (64 + 1)) / 2)) < 1e-9)
})

test('the kernel distances of torch-fidelity', () => {
  using _scope = tensorScope()
  for (const { a, b, kernel } of measuredFeatures) {
    const near = (found: number, expected = found) =>
      assert.ok(Math.abs(found - expected) < 1e-9 * Math.abs(expected), `${found} ${expected}`)
    near(kernelDistance(rows(a), rows(b)), kernel.unpaired)
    if (kernel.paired !== undefined) near(kernelDistance(rows(a), rows(b), { isPaired: true }), kernel.paired)
  }
})

test('has no bias: of one distribution its mean is 0 within 4 standard errors, of pairs too', () => {
  const stream = random(5)
  const drawn = (n: number) => Array.from({ length: n }, () => [stream.normal(), stream.normal()])
  for (const isPaired of [false, true]) {
    const found = Array.from({ length: 300 }, () => {
      using _scope = tensorScope()
      const x = drawn(8)
      // A twin has half of what the image is.
      const y = x.map(([u]) => [u, stream.normal()])
      return kernelDistance(rows(x), rows(isPaired ? y : drawn(8)), { isPaired })
    })
    const mean = found.reduce((sum, one) => sum + one, 0) / found.length
    const error = Math.sqrt(found.reduce((sum, one) => sum + (one - mean) ** 2, 0)) / found.length
    assert.ok(Math.abs(mean) < 4 * error, `${isPaired} ${mean} ${error}`)
  }
})

test('more rows than fit into one block are summed in parts', () => {
  using _scope = tensorScope()
  const stream = random(6)
  const many = Array.from({ length: 2100 }, () => [stream.normal()])
  const kernel = (a: number, b: number) => (a * b + 1) ** 3
  let within = 0
  for (const [i, [a]] of many.entries()) for (const [j, [b]] of many.entries()) if (i !== j) within += kernel(a, b)
  const [few, other] = [0.5, -1]
  const between = many.reduce((sum, [a]) => sum + kernel(a, few) + kernel(a, other), 0)
  const expected = within / (2100 * 2099) + kernel(few, other) - between / 2100
  const found = kernelDistance(rows(many), rows([[few], [other]]))
  assert.ok(Math.abs(found - expected) < 1e-8, `${found} ${expected}`)
})

test('refuses what is no set of features, and leaves no tensor behind', () => {
  const before = livingTensors()
  {
    using _scope = tensorScope()
    const fine = rows([
      [1, 2],
      [3, 5],
    ])
    kernelDistance(fine, fine)
    assert.throws(() => kernelDistance(rows([[1, 2]]), fine), ShapeError)
    assert.throws(() => kernelDistance(fine, rows([[1], [2]])), ShapeError)
    assert.throws(() => kernelDistance(rows([[1, Infinity], [1, 1]]), fine), DivergenceError) // prettier-ignore
  }
  assert.ok(livingTensors() <= before)
})
