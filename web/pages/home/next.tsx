/** The next sensible step as one big button, or what runs; and what did not work. */
import { isPolicyStage, stages, type RunKind } from '../../../src/stages.ts'
import type { Job } from '../../../src/studio/schemas/jobs.ts'
import type { State } from '../../../src/studio/schemas/state.ts'
import { Icon } from '../../components/icon.tsx'
import { ErrorNotice } from '../../components/notice.tsx'
import { PageHead } from '../../components/page-head.tsx'
import { ProgressBar, progressText, shareOf } from '../../components/progress-bar.tsx'
import { figure } from '../../format.ts'
import { labelsWanted } from '../../labels-wanted.ts'
import { nextStepOf } from '../../next-step.ts'
import { useAction } from '../../remote.ts'
import { to } from '../../router.ts'
import { isOpen } from '../../studio-state.tsx'

const workTitles: Readonly<Record<RunKind, string>> = {
  round: 'The model is drawing',
  reward: 'A reward is learning from the labels',
  policy: 'The model is learning',
  'best-of-n': 'The best images are being picked',
  report: 'The policies are being measured',
}

export function Next({ state, reload }: { state: State; reload: () => Promise<void> }) {
  const step = nextStepOf(state)
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
        <PageHead
          title={
            isFirst
              ? 'Teach a model what you like'
              : job === undefined
                ? 'What comes next'
                : workTitles[stages[job.stage].kind]
          }
        >
          {isFirst
            ? 'The model draws, you judge, it learns from your answers. Everything stays on this machine.'
            : job === undefined
              ? state.next.sentence
              : 'You can watch it, or go on with something else.'}
        </PageHead>
        {job === undefined && <More state={state} />}
        <Failed state={state} />
        <Alarmed state={state} />
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
          {isBusy ? 'One moment …' : step.title} <Icon name="arrow" />
        </button>
      ) : (
        job !== undefined && (
          <div className="next-job">
            <strong dir="auto">{job.run}</strong>
            <ProgressBar share={shareOf(job)} label={`Progress of ${job.run}`} />
            <span className="soft small">
              {progressText(job)}
              <Followers job={job} jobs={running} />
            </span>
            <div className="row">
              <a className="button small" href={to('train', 'job', job.id)}>
                Watch
              </a>
              {state.counts.images > 0 && (
                <a className="button small" href={to('label')}>
                  Label meanwhile
                </a>
              )}
            </div>
          </div>
        )
      )}
    </section>
  )
}

/** How far the newest reward is from being good enough to train on. */
function More({ state: { next, rewards } }: { state: State }) {
  const [reward] = rewards
  if (reward === undefined || reward.lack === null || reward.lack !== next.sentence) return null
  const more = labelsWanted(reward)
  return (
    <p className="soft small">
      No policy starts by itself on it.{' '}
      {more !== undefined && `About ${figure(more)} more answers may be needed; that is an estimate.`}{' '}
      <a className="text-link" href={to('rewards', reward.name)}>
        Look at {reward.name}
      </a>
    </p>
  )
}

/** What begins when a job has ended well. */
function Followers({ job, jobs }: { job: Job; jobs: readonly Job[] }) {
  const followers = jobs.filter(({ follows }) => follows.includes(job.run))
  if (followers.length === 0) return null
  const isGated = stages[job.stage].kind === 'reward' && followers.some(({ stage }) => isPolicyStage(stage))
  return (
    <>
      . Then {followers.map(({ run }) => run).join(' and ')} {followers.length === 1 ? 'begins' : 'begin'}
      {isGated && ', if the reward is shown to be better than chance and the CLIP score'}.
    </>
  )
}

const endings: Partial<Readonly<Record<Job['state'], readonly [look: string, what: string, then: string]>>> = {
  failed: ['notice bad', 'failed', ', and go on from there.'],
  stopped: ['notice warn', 'was stopped', ', and go on from there.'],
  held: ['notice warn', 'has not begun', ', and begin it all the same.'],
}

/** What is held, and the last thing that was tried and did not work. */
function Failed({ state: { jobs, next } }: { state: State }) {
  const ended = jobs.find((job) => !isOpen(job) && job.state !== 'held')
  const wasGivenUp = ended?.state === 'stopped' && ended.error === null
  const told = [...jobs.filter(({ state }) => state === 'held'), ...(ended === undefined || wasGivenUp ? [] : [ended])]
  return told.map((job) => <Ending key={job.id} job={job} known={next.sentence} />)
}

/** The newest policy, where its training has raised alarms. */
function Alarmed({ state: { policies } }: { state: State }) {
  const [policy] = policies
  if (policy === undefined || policy.alarms === null) return null
  return (
    <div className="notice warn" role="status">
      <strong>Signs of over-optimisation</strong>
      <span>
        <span dir="auto">{policy.name}</span> {policy.alarms}.
      </span>
      <span>Compare it with the pre-trained model before you go on with it.</span>
    </div>
  )
}

/** @param props.known what the page says already */
function Ending({ job, known }: { job: Job; known: string }) {
  const ending = endings[job.state]
  if (ending === undefined) return null
  const [look, what, then] = ending
  return (
    <div className={look} role="status">
      <strong dir="auto">
        {job.run} {what}
      </strong>
      {job.error !== known && <span dir="auto">{job.error ?? 'It ended without saying why.'}</span>}
      <span>
        <a className="text-link" href={to('train', 'job', job.id)}>
          Look at it
        </a>
        {job.can.resume && then}
      </span>
    </div>
  )
}
