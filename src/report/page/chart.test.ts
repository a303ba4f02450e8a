import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { domain, scale, ticks } from './chart.ts'
import { compact, duration, points, tickText } from '../format.ts'

test('ticks are round, few and inside their range', () => {
  assert.deepEqual(ticks(0, 1), [0, 0.2, 0.4, 0.6, 0.8, 1])
  assert.deepEqual(ticks(149, 433), [200, 300, 400])
  assert.deepEqual(ticks(433, 149), [200, 300, 400])
  assert.deepEqual(ticks(2, 2), [2])
  fc.assert(
    fc.property(
      fc.double({ min: -1e6, max: 1e6, noNaN: true }),
      fc.double({ min: 1e-3, max: 1e6, noNaN: true }),
      (low, span) => {
        const found = ticks(low, low + span)
        assert.ok(found.length >= 1 && found.length <= 8, `${found.length}`)
        assert.ok(found.every((tick) => tick >= low - span * 1e-3 && tick <= low + span * 1.001))
      },
    ),
  )
})

test('a scale maps its ends, also when reversed or without width', () => {
  const x = scale([400, 100], [0, 300])
  assert.deepEqual([x(400), x(100), x(250)], [0, 300, 150])
  assert.equal(scale([5, 5], [0, 10])(5), 0)
  assert.deepEqual(domain([1, 3], 0.5, [0.5, 10]), [0.5, 4])
})

test('numbers as the page writes them', () => {
  assert.deepEqual([points(0.162), points(-0.03), points(-0.0001)], ['+16.2', '−3.0', '0.0'])
  assert.deepEqual(
    [duration(0), duration(8.44), duration(59.6), duration(250), duration(3725)],
    ['0 s', '8.4 s', '60 s', '4 min 10 s', '1 h 2 min'],
  )
  assert.deepEqual([compact(152.4), compact(18.44), compact(-3.516)], ['152', '18.4', '−3.52'])
  assert.deepEqual([tickText(0.1 + 0.2), tickText(-0.2), tickText(50)], ['0.3', '−0.2', '50'])
})
