/** The next sensible step as one big button, or what runs; and what did not work. */
import { isPolicyStage, stages } from '../../../src/stages.ts'
import type { Job } from '../../../src/studio/schemas/jobs.ts'
import type { State } from '../../../src/studio/schemas/state.ts'
import { Icon } from '../../components/icon.tsx'
import { ErrorNotice } from '../../components/notice.tsx'
import { PageHead } from '../../components/page-head.tsx'
import { ProgressBar, progressText, shareOf } from '../../components/progress-bar.tsx'
import { nextStepOf } from '../../next-step.ts'
import { sayError, sayWhy } from '../../why-next.ts'
import { useAction } from '../../remote.ts'
import { to } from '../../router.ts'
import { isOpen } from '../../studio-state.tsx'
import { useTexts } from '../../texts/texts.ts'

export function Next({ state, reload }: { state: State; reload: () => Promise<void> }) {
  const texts = useTexts()
  const { frame, home } = texts
  const why = sayWhy(state.next.why, texts)
  const step = nextStepOf(state.next, state)
  const { run, isBusy, error } = useAction(async (work: () => Promise<unknown>) => {
    await work()
    await reload()
  })
  const { work } = step
  const running = state.jobs.filter(isOpen)
  // What waits for another device may have been queued before what is at work.
  const job = running.find(({ state: now }) => now !== 'waiting') ?? running[0]
  const isFirst = state.counts.images === 0 && running.length === 0
  return (
    <section className="next card">
      <div className="next-words">
        <PageHead title={isFirst ? home.teach : job === undefined ? home.whatNext : home.work[stages[job.stage].kind]}>
          {isFirst
            ? home.teachHow
            : job === undefined
              ? why
              : state.next.step === 'wait' && state.next.others.length > 0
                ? why
                : home.meanwhile}
        </PageHead>
        <Others state={state} isBusy={isBusy} run={run} />
        <Held state={state} />
        <ErrorNotice error={error} />
      </div>
      {work !== undefined ? (
        <button
          type="button"
          className="button primary big"
          disabled={isBusy}
          data-testid="next"
          onClick={() => void run(work)}
        >
          {isBusy ? home.oneMoment : step.title} <Icon name="arrow" />
        </button>
      ) : (
        job !== undefined && (
          <div className="next-job">
            <strong dir="auto">{job.run}</strong>
            <ProgressBar share={shareOf(job)} label={frame.progressOf(job.run)} />
            <span className="soft small">
              {progressText(job)}
              <Followers job={job} jobs={running} />
            </span>
            <div className="row">
              <a className="button small" href={to('train', 'job', job.id)}>
                {home.watch}
              </a>
              {state.counts.images > 0 && (
                <a className="button small" href={to('label')}>
                  {home.labelMeanwhile}
                </a>
              )}
            </div>
          </div>
        )
      )}
    </section>
  )
}

/** What could be done in place of the main step. */
function Others({ state, isBusy, run }: OthersProps) {
  const { home } = useTexts()
  const { others } = state.next
  if (others.length === 0) return null
  return (
    <div className="row" role="group" aria-label={home.or}>
      {others.map((other) => {
        const { title, work } = nextStepOf(other, state)
        return (
          <button
            key={title}
            type="button"
            className="button small"
            disabled={isBusy || work === undefined}
            onClick={() => void run(work!)}
          >
            {title}
          </button>
        )
      })}
    </div>
  )
}

interface OthersProps {
  readonly state: State
  readonly isBusy: boolean
  readonly run: (work: () => Promise<unknown>) => Promise<void>
}

/** What begins when a job has ended well. */
function Followers({ job, jobs }: { job: Job; jobs: readonly Job[] }) {
  const { home } = useTexts()
  const followers = jobs.filter(({ follows }) => follows.includes(job.run))
  if (followers.length === 0) return null
  const isGated = stages[job.stage].kind === 'reward' && followers.some(({ stage }) => isPolicyStage(stage))
  return (
    <>
      .{' '}
      {home.then(
        followers.map(({ run }) => run),
        isGated,
      )}
    </>
  )
}

/** What has not begun, since something speaks against it. */
function Held({ state }: { state: State }) {
  const texts = useTexts()
  const { home } = texts
  const why = sayWhy(state.next.why, texts)
  return state.jobs
    .filter(({ state }) => state === 'held')
    .map((job) => (
      <div key={job.id} className="notice warn" role="status">
        <strong dir="auto">{home.hasNotBegun(job.run)}</strong>
        {job.error !== null && !why.startsWith(sayError(job.error, state.rewards, texts)) && (
          <span dir="auto">{sayError(job.error, state.rewards, texts)}</span>
        )}
        <span>
          <a className="text-link" href={to('train', 'job', job.id)}>
            {job.can.resume ? home.beginAnyhow : home.steps.look}
          </a>
        </span>
      </div>
    ))
}
