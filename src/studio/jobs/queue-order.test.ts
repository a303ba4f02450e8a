/** Who makes what another needs, and what is held, with records alone. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { JobRecord } from './job-record.ts'
import { recordOf as record } from './job-record.test-helper.ts'
import { lackOf, makersOf } from './queue-order.ts'

test('a job follows those that make what it needs, and those that make what these need', () => {
  const all = [record(1, 'dpok-1', { needs: ['reward-1'] }), record(2, 'report-1', { needs: ['dpok-1'] })]
  const reward = record(3, 'reward-1')
  const runs = (job: JobRecord) => [...makersOf(job, [...all, reward])].map(({ run }) => run)
  assert.deepEqual([...all, reward].map(runs), [['reward-1'], ['dpok-1', 'reward-1'], []])
})

test('jobs that need each other, as only broken records do, end no search', () => {
  const all = [record(1, 'a', { needs: ['b'] }), record(2, 'b', { needs: ['a'] })]
  assert.equal(makersOf(all[0], all).size, 2)
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
