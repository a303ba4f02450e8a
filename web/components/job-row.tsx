/** A job as a line of a list. */
import type { Job } from '../../src/studio/schemas/jobs.ts'
import { ago, deviceTitles, fixed, size, stageTitle } from '../format.ts'
import { to } from '../router.ts'
import { isOpen, useStudio } from '../studio-state.tsx'
import { useTexts } from '../texts/texts.ts'
import { sayError } from '../why-next.ts'
import { JobBadge } from './job-badge.tsx'
import { ProgressBar, progressText, shareOf } from './progress-bar.tsx'

export function JobRow({ job }: { job: Job }) {
  const texts = useTexts()
  const { frame, machine } = texts
  const { state } = useStudio()
  return (
    <a className="job-row" href={to('train', 'job', job.id)}>
      <span className="job-row-name">
        <strong dir="auto">{job.run}</strong>
        <span className="soft small">
          {stageTitle(job.stage)}
          {job.state === 'running' && ` · ${deviceTitles(job.devices)}`}
        </span>
      </span>
      <span className="job-row-middle">
        {isOpen(job) ? (
          <>
            <ProgressBar share={job.state === 'waiting' ? 0 : shareOf(job)} label={frame.progressOf(job.run)} />
            <span className="soft small">
              {progressText(job)}
              {job.load !== null && ` · ${machine.load.brief(fixed(job.load.cores, 1), size(job.load.memoryBytes))}`}
            </span>
          </>
        ) : (
          <span className="soft small job-row-end" dir="auto">
            {job.error === null
              ? job.finishedAt === null
                ? ''
                : ago(job.finishedAt)
              : sayError(job.error, state?.rewards ?? [], texts)}
          </span>
        )}
      </span>
      <JobBadge state={job.state} />
    </a>
  )
}
