/** Who comes before whom, and what is held, with records alone. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { JobRecord } from './job-record.ts'
import { aheadOf, lackOf } from './queue-order.ts'

const record = (number: number, run: string, change: Partial<JobRecord> = {}): JobRecord => ({
  id: `job-${number}`,
  stage: 'policy dpok',
  run,
  purpose: 'other',
  device: 'cpu',
  state: 'waiting',
  needs: [],
  isWanted: false,
  settings: {},
  queuedAt: `2026-01-01T00:00:${String(number).padStart(2, '0')}.000Z`,
  startedAt: null,
  finishedAt: null,
  earlierSeconds: 0,
  stopAskedAt: null,
  owner: null,
  error: null,
  ...change,
})
const runsAhead = (job: JobRecord, all: readonly JobRecord[]) => aheadOf(job, all).map(({ run }) => run)

test('a job comes after those that make what it needs, on whatever device and however late they were queued', () => {
  const policy = record(1, 'dpok-1', { needs: ['reward-1'] })
  const report = record(2, 'report-1', { needs: ['dpok-1'], device: 'cuda' })
  const round = record(3, 'round-2')
  // It was stopped and resumed, and so stands last.
  const reward = record(4, 'reward-1')
  const all = [policy, report, round, reward]
  assert.deepEqual(runsAhead(policy, all), ['reward-1'])
  assert.deepEqual(runsAhead(report, all), ['dpok-1', 'reward-1'])
  assert.deepEqual(runsAhead(round, all), ['dpok-1'])
  assert.deepEqual(runsAhead(reward, all), ['round-2'])
})

test('jobs that need each other, as only broken records do, end no search', () => {
  const all = [record(1, 'a', { needs: ['b'] }), record(2, 'b', { needs: ['a'] })]
  assert.deepEqual(runsAhead(all[0], all), ['a', 'b'])
})

test('a job lacks what failed, was stopped, is held or has gone, and nothing that is made or will be', () => {
  const job = record(9, 'dpok-1', { needs: ['reward-1'] })
  const lack = (maker: Partial<JobRecord> | undefined, isMade = false) =>
    lackOf(job, maker === undefined ? [job] : [record(1, 'reward-1', maker), job], () => isMade)
  for (const state of ['waiting', 'running', 'stopping'] as const) assert.equal(lack({ state }), null)
  assert.equal(lack({ state: 'done' }, true), null)
  assert.equal(lack(undefined, true), null)
  assert.equal(lack(undefined), 'It is made from reward-1, which is not there.')
  assert.equal(lack({ state: 'done' }), 'It is made from reward-1, which is not there.')
  assert.match(lack({ state: 'failed', error: 'no labels' }) ?? '', /reward-1, which has failed \(no labels\): resume/)
  // What comes after a run may fail when the run is there.
  assert.match(lack({ state: 'failed' }, true) ?? '', /has failed/)
  assert.match(lack({ state: 'stopped' }) ?? '', /which was stopped: resume reward-1, and this follows by itself/)
  assert.match(lack({ state: 'held' }) ?? '', /which is held itself/)
})
