import assert from 'node:assert/strict'
import { test } from 'node:test'
import { naturalOrder } from './natural-order.ts'

test('names are in the order of their numbers', () => {
  const names = ['r-10', 'r-1', 'r-11', 'r-0', 'r-2', 'R-2', 'a', 'r-02']
  assert.deepEqual(names.toSorted(naturalOrder), ['a', 'r-0', 'r-1', 'r-02', 'r-2', 'R-2', 'r-10', 'r-11'])
  assert.deepEqual(['11', '0', '10', '1'].sort(naturalOrder), ['0', '1', '10', '11'])
})
