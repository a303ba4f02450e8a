import assert from 'node:assert/strict'
import { beforeEach, test } from 'node:test'
import type { Job, JobState } from '../src/studio/schemas/jobs.ts'
import type { RewardSummary } from '../src/studio/schemas/runs.ts'
import { MemoryStore } from './memory-store.test-helper.ts'
import { goOnWithTraining, plannedAfter } from './training-plan.ts'

const store = new MemoryStore()
Object.defineProperty(globalThis, 'localStorage', { value: store, configurable: true })
beforeEach(() => store.setItem('attune.then-dpok', 'job-1'))

const job = (state: JobState): Job => ({
  id: 'job-1',
  stage: 'reward train',
  run: 'reward-1',
  state,
  ahead: 0,
  queuedAt: '2026-01-01T00:00:00.000Z',
  startedAt: null,
  finishedAt: null,
  progress: null,
  etaSeconds: null,
  seconds: 0,
  error: null,
  can: { stop: false, resume: false, sample: false },
})
const reward = (lack: string | null): RewardSummary => ({
  name: 'reward-1',
  at: '2026-01-01T00:00:00.000Z',
  seconds: 1,
  head: 'mlp',
  encoder: 'shapes',
  labels: 60,
  comparisons: 0,
  prompts: 20,
  raters: 1,
  simulated: false,
  lack,
  heldOut: null,
})

async function startedOn(state: JobState, rewards: readonly RewardSummary[]): Promise<readonly string[]> {
  const started: string[] = []
  const begun = await goOnWithTraining({ jobs: [job(state)], rewards: [...rewards], policies: [] }, (name) => {
    started.push(name)
    return Promise.resolve()
  })
  assert.equal(begun, started.length > 0)
  return started
}

test('DPOK follows a reward that is proven, once', async () => {
  assert.deepEqual(await startedOn('running', []), [])
  assert.equal(plannedAfter(), 'job-1')
  assert.deepEqual(await startedOn('done', [reward(null)]), ['reward-1'])
  assert.deepEqual(await startedOn('done', [reward(null)]), [])
})

test('no policy starts by itself on a reward that is not, nor after one that failed, later on neither', async () => {
  assert.deepEqual(await startedOn('done', [reward('reward-1 is not shown to be better than chance.')]), [])
  assert.equal(plannedAfter(), null)
  assert.deepEqual(await startedOn('done', [reward(null)]), [])
  store.setItem('attune.then-dpok', 'job-1')
  assert.deepEqual(await startedOn('failed', []), [])
  assert.equal(plannedAfter(), null)
})
