import type { JobState } from '../../src/studio/schemas/jobs.ts'

const looks: Readonly<Record<JobState, string>> = {
  waiting: '',
  held: 'stopped',
  running: 'running',
  stopping: 'stopped',
  stopped: 'stopped',
  done: 'done',
  failed: 'failed',
}

export const JobBadge = ({ state }: { state: JobState }) => <span className={`badge ${looks[state]}`}>{state}</span>
