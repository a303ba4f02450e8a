import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MemoryStore } from './memory-store.test-helper.ts'
import { pastPrefix } from './outbox.ts'
import { Past, type Given } from './past.ts'

const given = (id: string, task: unknown = id): Given => ({
  place: 'good-bad',
  task,
  state: { answers: [null, 'good'] },
  answer: { id, at: '2026-01-01T00:00:00.000Z' },
  counts: 1,
  group: id,
})
const idsOf = (past: Past) => past.all().map(({ answer }) => answer.id)

test('the last answer comes off first, also on another page and after a reload', () => {
  const store = new MemoryStore()
  const past = new Past('labels.Ada', store)
  past.add(given('a'), given('b'))
  const other = new Past('labels.Ada', store)
  assert.deepEqual(other.last(), given('b'))
  other.add(given('c'))
  assert.equal(past.take()?.answer.id, 'c')
  assert.equal(past.take()?.answer.id, 'b')
  assert.equal(new Past('labels.Ada', store).take()?.answer.id, 'a')
  assert.equal(past.take(), undefined)
  assert.deepEqual(new Past('labels.Ben', store).all(), [])
})

test('it tells of changes, and keeps an answer that was sent in the place of another', () => {
  const past = new Past('labels.Ada', new MemoryStore())
  let told = 0
  const end = past.subscribe(() => told++)
  past.add(given('a'), given('b'))
  past.amend('a', { id: 'c', at: '2026-01-02T00:00:00.000Z' })
  assert.deepEqual(idsOf(past), ['c', 'b'])
  assert.equal(past.all()[0].group, 'a')
  end()
  past.take()
  assert.equal(told, 2)
})

test('long prompts and long lists are cut at the old end; a torn or absent store is an empty one', () => {
  const store = new MemoryStore()
  const past = new Past('labels.Ada', store)
  for (let i = 0; i < 100; i++) past.add(given(String(i)))
  assert.deepEqual([idsOf(past).length, idsOf(past)[0]], [60, '40'])
  past.add(...['x', 'y', 'z'].map((id) => given(id, 'a long prompt '.repeat(6000))))
  assert.deepEqual(idsOf(new Past('labels.Ada', store)), ['y', 'z'])
  store.setItem(`${pastPrefix}labels.Ada`, '[{"place"')
  assert.deepEqual(new Past('labels.Ada', store).all(), [])
  const bare = new Past('labels.Ada', null)
  bare.add(given('a'))
  assert.equal(bare.take()?.answer.id, 'a')
})
