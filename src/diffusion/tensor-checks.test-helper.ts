import assert from 'node:assert/strict'
import { gradients } from '../tensor/autograd.ts'
import { tensor } from '../tensor/create.ts'
import { livingTensors, tensorScope } from '../tensor/scope.ts'
import type { Tensor } from '../tensor/tensor.ts'

export const float64 = (values: readonly number[], ...shape: number[]): Tensor =>
  tensor(values, shape.length === 0 ? [values.length] : shape, 'float64')

export function assertClose(actual: readonly number[], expected: readonly number[], tolerance = 1e-12): void {
  assert.equal(actual.length, expected.length)
  actual.forEach((value, i) => {
    const close = Math.abs(value - expected[i]) <= tolerance * Math.max(1, Math.abs(expected[i]))
    assert.ok(close, `element ${i}: ${value} is not ${expected[i]} within ${tolerance}`)
  })
}

/** Runs `body` in a scope and asserts that no tensor outlives it. */
export function withoutLeak(body: () => void): void {
  const before = livingTensors()
  {
    using _ = tensorScope()
    body()
  }
  assert.ok(livingTensors() <= before)
}

/** Compares d(Σ of(x))/dx with central differences at every element; float64. */
export function assertGradient(
  of: (x: Tensor) => Tensor,
  at: readonly number[],
  shape: readonly number[],
  tolerance = 1e-6,
): void {
  using _ = tensorScope()
  const x = float64(at, ...shape).requireGrad()
  const [gradient] = gradients([of(x).sum()], [x])
  const value = (i: number, by: number): number =>
    of(
      float64(
        at.map((element, j) => (j === i ? element + by : element)),
        ...shape,
      ),
    )
      .sum()
      .item()
  const h = 1e-5
  const differences = at.map((_element, i) => (value(i, h) - value(i, -h)) / (2 * h))
  assertClose(gradient!.toArray(), differences, tolerance)
}
