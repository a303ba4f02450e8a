import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readSearch, withChange } from './gallery-search.ts'
import { noneSelected, reached, toggled } from './selection.ts'

test('a click chooses one, and with the shift key all up to there', () => {
  const all = ['a', 'b', 'c', 'd', 'e']
  const one = toggled(noneSelected, all, 3)
  assert.deepEqual([...one.ids], ['d'])
  assert.deepEqual([...reached(one, all, 1).ids].sort(), ['b', 'c', 'd'])
  assert.deepEqual([...reached(reached(one, all, 1), all, 4).ids].sort(), ['b', 'c', 'd', 'e'])
  assert.deepEqual([...toggled(one, all, 3).ids], [])
})

test('an address says what is wanted, whatever else it says', () => {
  const search = new URLSearchParams('round=images-1&verdict=fine&from=0.5&to=&sort=highest&image=x&a=b')
  assert.deepEqual(readSearch(search), { round: 'images-1', from: 0.5, sort: 'highest' })
  assert.equal(withChange(search, { round: '', to: '2' }).toString(), 'verdict=fine&from=0.5&to=2&sort=highest&a=b')
})
