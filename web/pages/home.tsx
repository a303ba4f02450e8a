/** The loop as a picture, what runs, and the next sensible step as one big button. */
import type { ReactNode } from 'react'
import { isPolicyStage, stages, stageTitle, type RunKind } from '../../src/stages.ts'
import type { Job } from '../../src/studio/schemas/jobs.ts'
import type { State } from '../../src/studio/schemas/state.ts'
import { client } from '../api.ts'
import { Icon, type IconName } from '../components/icon.tsx'
import { JobBadge } from '../components/job-badge.tsx'
import { ErrorNotice, Skeleton } from '../components/notice.tsx'
import { PageHead } from '../components/page-head.tsx'
import { ProgressBar, progressText, shareOf } from '../components/progress-bar.tsx'
import { ago, figure, plural, policyTitle } from '../format.ts'
import { labelsWanted } from '../labels-wanted.ts'
import { nextStepOf } from '../next-step.ts'
import { useAction } from '../remote.ts'
import { to } from '../router.ts'
import { isOpen, useStudio } from '../studio-state.tsx'
import '../styles/home.css'

export function HomePage() {
  const { state, reload } = useStudio()
  if (state === undefined) return <Skeleton heights={[160, 160, 120]} />
  if (state.user.role === 'rater') return <RaterHome state={state} />
  return (
    <div className="stack">
      <Next state={state} reload={reload} />
      <section className="stack tight">
        <h2>The loop</h2>
        <Loop state={state} />
      </section>
      <JobList jobs={state.jobs} />
      <Rounds state={state} reload={reload} />
      <Broken broken={state.broken} />
    </div>
  )
}

const fewBroken = 5

/** What cannot be read is named; everything else works without it. */
function Broken({ broken }: Pick<State, 'broken'>) {
  if (broken.length === 0) return null
  return (
    <section className="stack tight">
      <h2>Broken</h2>
      <div className="notice warn" role="status">
        <span>These cannot be read, and are left out of all lists. Everything else works without them.</span>
        <ul className="broken">
          {broken.slice(0, fewBroken).map(({ name, reason }) => (
            <li key={`${name} ${reason}`} dir="auto">
              <strong>{name}</strong>: {reason}
            </li>
          ))}
        </ul>
        {broken.length > fewBroken && <span>and {figure(broken.length - fewBroken)} more</span>}
      </div>
    </section>
  )
}

function RaterHome({ state }: { state: State }) {
  return (
    <div className="next card">
      <div>
        <PageHead title={state.user.name === null ? 'Welcome' : `Welcome, ${state.user.name}`}>
          Your answers teach the model what people want to see.
        </PageHead>
      </div>
      <a className="button primary big" href={to('label')}>
        Label <Icon name="arrow" />
      </a>
    </div>
  )
}

const workTitles: Readonly<Record<RunKind, string>> = {
  round: 'The model is drawing',
  reward: 'A reward is learning from the labels',
  policy: 'The model is learning',
  'best-of-n': 'The best images are being picked',
  report: 'The policies are being measured',
}

function Next({ state, reload }: { state: State; reload: () => Promise<void> }) {
  const step = nextStepOf(state)
  const { run, isBusy, error } = useAction(async (work: () => Promise<unknown>) => {
    await work()
    await reload()
  })
  const { work } = step
  const running = state.jobs.filter(isOpen)
  const [job] = running
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

interface Station {
  readonly title: string
  readonly icon: IconName
  readonly href: string
  readonly count: string
  readonly fact: string
  readonly steps: readonly State['next']['step'][]
}

const drawnBy = (policy: string) => (policy === 'uploaded' ? 'uploaded' : `by ${policyTitle(policy)}`)

function stationsOf({ counts, rounds, rewards, policies, reports }: State): Station[] {
  const reward = rewards[0]
  const prompts = rounds.reduce((sum, round) => sum + round.prompts, 0)
  // Images of comparisons are not for labelling.
  const images = rounds.reduce((sum, round) => sum + round.images, 0)
  const auc = reward?.heldOut?.auc
  return [
    {
      title: 'Prompts',
      icon: 'prompt',
      href: to('train', 'round'),
      count: figure(prompts),
      fact: rounds.length === 0 ? 'what to draw' : plural(rounds.length, 'round'),
      steps: [],
    },
    {
      title: 'Images',
      icon: 'image',
      href: to('train', 'round'),
      count: figure(images),
      fact: rounds.length === 0 ? 'none yet' : drawnBy(rounds.at(-1)!.policy),
      steps: ['draw', 'draw-again'],
    },
    {
      title: 'Labels',
      icon: 'label',
      href: to('label'),
      count: figure(counts.judgments),
      fact: `${figure(counts.judged)} images judged`,
      steps: ['label'],
    },
    {
      title: 'Reward',
      icon: 'reward',
      href: reward === undefined ? to('train', 'reward') : to('rewards', reward.name),
      count: figure(rewards.length),
      fact: reward === undefined ? 'learns from labels' : typeof auc !== 'number' ? reward.name : `AUC ${figure(auc)}`,
      steps: ['train-reward'],
    },
    {
      title: 'Policy',
      icon: 'policy',
      href: to('train', 'policy'),
      count: figure(policies.length),
      fact: policies[0]?.name ?? 'learns from the reward',
      steps: ['train-policy'],
    },
    {
      title: 'Compare',
      icon: 'compare',
      href: to('compare'),
      count: figure(counts.votes),
      fact: counts.votes === 1 ? 'vote' : 'votes',
      steps: ['compare'],
    },
    {
      title: 'Report',
      icon: 'report',
      href: to('reports'),
      count: figure(reports.length),
      fact: reports[0] === undefined ? 'none yet' : ago(reports[0].at),
      steps: ['report'],
    },
  ]
}

function Loop({ state }: { state: State }) {
  return (
    <div className="loop">
      <ol className="stations">
        {stationsOf(state).map(({ title, icon, href, count, fact, steps }) => (
          <li key={title} className="station" data-next={steps.includes(state.next.step)}>
            <a href={href}>
              <span className="station-icon">
                <Icon name={icon} size={22} />
              </span>
              <span className="station-title">{title}</span>
              <span className="station-count">{count}</span>
              <span className="station-fact" dir="auto">
                {fact}
              </span>
            </a>
          </li>
        ))}
      </ol>
      <p className="loop-back soft small">
        <Icon name="undo" size={16} /> the next round starts from the policy
      </p>
    </div>
  )
}

function JobList({ jobs }: { jobs: readonly Job[] }) {
  if (jobs.length === 0) return null
  return (
    <section className="stack tight">
      <div className="row between">
        <h2>Jobs</h2>
        <a className="small text-link" href={to('train')}>
          All jobs
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

export function JobRow({ job, isCurrent }: { job: Job; isCurrent?: boolean }) {
  return (
    <a className="job-row" href={to('train', 'job', job.id)} aria-current={isCurrent === true ? 'true' : undefined}>
      <span className="job-row-name">
        <strong dir="auto">{job.run}</strong>
        <span className="soft small">{stageTitle(job.stage)}</span>
      </span>
      <span className="job-row-middle">
        {isOpen(job) ? (
          <>
            <ProgressBar share={job.state === 'waiting' ? 0 : shareOf(job)} label={`Progress of ${job.run}`} />
            <span className="soft small">{progressText(job)}</span>
          </>
        ) : (
          <span className="soft small job-row-end" dir="auto">
            {job.error ?? (job.finishedAt === null ? '' : ago(job.finishedAt))}
          </span>
        )}
      </span>
      <JobBadge state={job.state} />
    </a>
  )
}

function Rounds({ state, reload }: { state: State; reload: () => Promise<void> }): ReactNode {
  const policy = state.policies[0]?.name
  const { run, isBusy, error } = useAction(async () => {
    await client.drawRound({ ...(policy !== undefined && { policy }) })
    await reload()
  })
  if (state.rounds.length === 0) return null
  return (
    <section className="stack tight">
      <div className="row between">
        <h2>Rounds</h2>
        <button type="button" className="button small" disabled={isBusy} onClick={() => void run()}>
          {policy === undefined ? 'Draw more images' : `Collect again with ${policy}`}
        </button>
      </div>
      <ErrorNotice error={error} />
      <div className="card flat table-wrap" role="group" aria-label="Rounds" tabIndex={0}>
        <table className="table">
          <thead>
            <tr>
              <th scope="col">Round</th>
              <th scope="col">Drawn by</th>
              <th scope="col">Images</th>
              <th scope="col">Judged</th>
              <th scope="col">When</th>
            </tr>
          </thead>
          <tbody>
            {state.rounds.toReversed().map(({ name, policy: by, images, judged, at }) => (
              <tr key={name}>
                <td>
                  <strong dir="auto">{name}</strong>
                </td>
                <td data-title="Drawn by" dir="auto">
                  {policyTitle(by)}
                </td>
                <td data-title="Images">{figure(images)}</td>
                <td data-title="Judged">
                  <span className="judged-share">
                    <ProgressBar share={images === 0 ? 0 : judged / images} label={`Judged of ${name}`} />
                    {figure(judged)}
                  </span>
                </td>
                <td data-title="When" className="soft">
                  {ago(at)}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  )
}
