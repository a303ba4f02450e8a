/** The loop as a picture, what runs, and the next sensible step. */
import type { Job } from '../../src/studio/schemas/jobs.ts'
import type { State } from '../../src/studio/schemas/state.ts'
import { LowDisk } from '../components/disk-room.tsx'
import { Icon } from '../components/icon.tsx'
import { JobRow } from '../components/job-row.tsx'
import { Skeleton } from '../components/notice.tsx'
import { PageHead } from '../components/page-head.tsx'
import { to } from '../router.ts'
import { useStudio } from '../studio-state.tsx'
import { useTexts } from '../texts/texts.ts'
import '../styles/home.css'
import { Broken } from './home/broken.tsx'
import { FromPairs } from './home/from-pairs.tsx'
import { Loop } from './home/loop.tsx'
import { Next } from './home/next.tsx'
import { Rounds } from './home/rounds.tsx'

export function HomePage() {
  const { home } = useTexts()
  const { state, reload } = useStudio()
  if (state === undefined) return <Skeleton heights={[160, 160, 120]} />
  if (state.user.role === 'rater') return <RaterHome state={state} />
  return (
    <div className="stack">
      <Next state={state} reload={reload} />
      <LowDisk />
      <FromPairs state={state} reload={reload} />
      <section className="stack tight">
        <h2>{home.loop}</h2>
        <Loop state={state} />
      </section>
      <JobList jobs={state.jobs} />
      <Rounds state={state} reload={reload} />
      <Broken broken={state.broken} />
    </div>
  )
}

function RaterHome({ state }: { state: State }) {
  const { home } = useTexts()
  return (
    <div className="next card">
      <div>
        <PageHead title={home.welcome(state.user.name)}>{home.answersTeach}</PageHead>
      </div>
      <a className="button primary big" href={to('label')}>
        {home.label} <Icon name="arrow" />
      </a>
    </div>
  )
}

function JobList({ jobs }: { jobs: readonly Job[] }) {
  const { home } = useTexts()
  if (jobs.length === 0) return null
  return (
    <section className="stack tight">
      <div className="row between">
        <h2>{home.jobs}</h2>
        <a className="small text-link" href={to('train')}>
          {home.allJobs}
        </a>
      </div>
      <ul className="job-list">
        {jobs.slice(0, 5).map((job) => (
          <li key={job.id}>
            <JobRow job={job} />
          </li>
        ))}
      </ul>
    </section>
  )
}
