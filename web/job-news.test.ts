import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { test } from 'node:test'
import { counted, iconOf, newsOf } from './job-news.ts'

test('news are of jobs that were on the way and are not any more', () => {
  const known = new Map([
    ['job-1', 'running'],
    ['job-2', 'waiting'],
    ['job-3', 'done'],
    ['job-4', 'stopping'],
  ] as const)
  const jobs = [
    { id: 'job-1', state: 'done' },
    { id: 'job-2', state: 'running' },
    { id: 'job-3', state: 'done' },
    { id: 'job-4', state: 'stopped' },
    { id: 'job-5', state: 'failed' },
  ] as const
  assert.deepEqual(
    newsOf(known, jobs).map(({ id }) => id),
    ['job-1', 'job-4'],
  )
})

test('the title counts them, once', () => {
  assert.equal(counted('Train · Attune', 1), '(1) Train · Attune')
  assert.equal(counted('(1) Train · Attune', 2), '(2) Train · Attune')
  assert.equal(counted('(2) Train · Attune', 0), 'Train · Attune')
})

test('the icon tells of news first, then of work', () => {
  assert.deepEqual(
    [iconOf(0, false), iconOf(0, true), iconOf(2, true), iconOf(1, false)],
    ['/favicon.svg', '/favicon-busy.svg', '/favicon-news.svg', '/favicon-news.svg'],
  )
  for (const icon of [iconOf(0, false), iconOf(0, true), iconOf(1, false)]) {
    assert.ok(existsSync(new URL(`./public${icon}`, import.meta.url)), icon)
  }
})
