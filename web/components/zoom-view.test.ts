import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fitted, moved, zoomedAt } from './zoom-view.ts'

test('what lies under the pointer stays there, and the image never leaves its place', () => {
  const place = { x: 0.25, y: -0.1 }
  const twice = zoomedAt(fitted, 2, place)
  // A point p of the image is shown at scale · p + move.
  const under = { x: (place.x - twice.x) / twice.scale, y: (place.y - twice.y) / twice.scale }
  assert.deepEqual([twice.scale, under], [2, place])
  assert.deepEqual(zoomedAt(twice, 0.5, { x: 0.4, y: 0.4 }), fitted)
  assert.deepEqual(zoomedAt(fitted, 0.1, place), fitted)
  assert.equal(zoomedAt(fitted, 1e9, place).scale, 32)
  assert.deepEqual(moved(fitted, 0.3, 0.3), fitted)
  assert.deepEqual(moved(twice, 9, -9), { scale: 2, x: 0.5, y: -0.5 })
})
