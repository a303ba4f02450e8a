/** Records of jobs for tests of who comes when. */
import type { JobRecord } from './job-record.ts'

/** One that waits, and was queued as the so-manieth, for the CPU unless it is changed. */
export const recordOf = (number: number, run: string, change: Partial<JobRecord> = {}): JobRecord => ({
  id: `job-${number}`,
  stage: 'policy dpok',
  run,
  purpose: 'other',
  devices: ['cpu'],
  workers: 1,
  on: change.state === 'running' ? (change.devices ?? ['cpu']) : [],
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
