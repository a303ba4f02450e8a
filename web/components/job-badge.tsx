import type { JobState } from '../../src/studio/schemas/jobs.ts'
import { useTexts } from '../texts/texts.ts'

const looks: Readonly<Record<JobState, string>> = {
  waiting: '',
  held: 'stopped',
  running: 'running',
  stopping: 'stopped',
  stopped: 'stopped',
  done: 'done',
  failed: 'failed',
}

export function JobBadge({ state }: { state: JobState }) {
  const { states } = useTexts().jobs
  return <span className={`badge ${looks[state]}`}>{states[state]}</span>
}
