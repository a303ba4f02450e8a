/** One job: how far it is, its curves, its sample images, its settings and its log. */
import { lazy, Suspense, useEffect, useState } from 'react'
import { stages, type RunKind } from '../../../src/stages.ts'
import type { Job, JobDetail, SettingValue } from '../../../src/studio/schemas/jobs.ts'
import { client } from '../../api.ts'
import { Icon } from '../../components/icon.tsx'
import { JobBadge } from '../../components/job-badge.tsx'
import { ErrorNotice, Loaded, Skeleton } from '../../components/notice.tsx'
import { PageHead } from '../../components/page-head.tsx'
import { PolicyDownload } from '../../components/policy-download.tsx'
import { ProgressBar, progressText, shareOf } from '../../components/progress-bar.tsx'
import {
  ago,
  deviceTitles,
  duration,
  emptySetting,
  figure,
  metricTitle,
  percent,
  settingTitle,
  stageTitle,
  withUnit,
} from '../../format.ts'
import { askToNotify, useNotifying } from '../../job-news.ts'
import { useAction, useRemote } from '../../remote.ts'
import { to } from '../../router.ts'
import { isOpen, useStudio } from '../../studio-state.tsx'
import { texts, useTexts } from '../../texts/texts.ts'
import { sayError } from '../../why-next.ts'
import { JobLog } from './job-log.tsx'
import { Load } from './load.tsx'
import { SampleSlider } from './samples.tsx'
import { useMetrics } from './metrics.ts'

const Curves = lazy(async () => ({ default: (await import('./curves.tsx')).Curves }))

export function JobView({ id }: { id: string }) {
  const texts = useTexts().job
  const [isRunning, setRunning] = useState(true)
  const job = useRemote(() => client.job(id), ['job', id], { everyMs: isRunning ? 1000 : 0 })
  const { value } = job
  useEffect(() => {
    // What holds a job may go while it is looked at.
    if (value !== undefined) setRunning(isOpen(value) || value.state === 'held')
  }, [value])
  return (
    <>
      <p className="back">
        <a className="small text-link" href={to('train')}>
          {texts.all}
        </a>
      </p>
      <Loaded remote={job} heights={[70, 120, 300]}>
        {(detail) => <Detail job={detail} reload={job.reload} />}
      </Loaded>
    </>
  )
}

/** Until the browser was asked whether it may tell of jobs. */
function Notifying() {
  const { job } = useTexts()
  if (useNotifying() !== 'default') return null
  return (
    <button type="button" className="button quiet" onClick={() => void askToNotify()}>
      {job.tellMe}
    </button>
  )
}

function Detail({ job, reload }: { job: JobDetail; reload: () => Promise<void> }) {
  const all = useTexts()
  const { frame, job: texts } = all
  const studio = useStudio()
  const { run, isBusy, error } = useAction(async (work: (id: string) => Promise<unknown>) => {
    await work(job.id)
    await Promise.all([reload(), studio.reload()])
  })
  const { kind } = stages[job.stage]
  const isTraining = kind === 'policy'
  const rows = useMetrics(job.id, isOpen(job), isTraining || kind === 'reward')
  return (
    <div className="stack">
      <PageHead title={job.run} side={<JobBadge state={job.state} />}>
        {stageTitle(job.stage)} · {times(job)}
        {job.startedAt !== null && job.devices.length > 0 && ` · ${texts.on(deviceTitles(job.devices))}`}
      </PageHead>
      {isOpen(job) && (
        <div className="card stack tight">
          <ProgressBar share={job.state === 'waiting' ? 0 : shareOf(job)} label={frame.progressOf(job.run)} />
          <div className="row between">
            <span>
              {progressText(job)}
              {job.progress !== null && <span className="soft small"> · {job.progress.label}</span>}
            </span>
            {job.progress !== null && <span className="soft small">{job.progress.note}</span>}
          </div>
          <Notifying />
        </div>
      )}
      <Load job={job} />
      {job.state === 'failed' && (
        <div className="notice bad" role="alert">
          <strong>{texts.failed}</strong>
          <span dir="auto">{job.error ?? texts.saidNothing}</span>
        </div>
      )}
      {(job.state === 'held' || job.state === 'stopped') && job.error !== null && (
        <div className="notice warn" role="status">
          <strong>{job.state === 'held' ? texts.held : texts.stopped}</strong>
          <span dir="auto">{sayError(job.error, studio.state?.rewards ?? [], all)}</span>
        </div>
      )}
      {job.alarm !== null && (
        <div className="notice warn" role="status">
          <strong>{texts.alarm}</strong>
          <span>{job.alarm}</span>
          <span>{texts.alarmWhatNow}</span>
        </div>
      )}
      {(job.can.stop || job.can.resume || job.can.sample) && (
        <div className="row">
          {job.can.sample && (
            <button type="button" className="button" disabled={isBusy} onClick={() => void run(client.sampleJob)}>
              <Icon name="image" size={18} /> {texts.sampleNow}
            </button>
          )}
          {job.can.resume && (
            <button
              type="button"
              className="button primary"
              disabled={isBusy}
              onClick={() => void run(client.resumeJob)}
            >
              <Icon name="resume" size={18} /> {job.state === 'held' ? texts.startAnyhow : texts.resume}
            </button>
          )}
          {job.can.stop && (
            <button type="button" className="button danger" disabled={isBusy} onClick={() => void run(client.stopJob)}>
              <Icon name="stop" size={18} /> {job.state === 'running' ? texts.stop : texts.unqueue}
            </button>
          )}
        </div>
      )}
      <ErrorNotice error={error} />
      {job.state === 'done' && <Results job={job} />}
      {rows.length > 0 && (
        <Suspense fallback={<Skeleton heights={[240]} />}>
          <Curves rows={rows} />
        </Suspense>
      )}
      {rows.length === 0 && isTraining && isOpen(job) && <p className="notice">{texts.curvesBegin}</p>}
      {isTraining && <SampleSlider job={job} />}
      <Settings job={job} />
      <JobLog job={job} />
    </div>
  )
}

function times({ queuedAt, finishedAt, startedAt, seconds, state }: Job): string {
  const { job } = texts()
  if (state === 'waiting' || state === 'held') return job.queued(ago(queuedAt))
  const took = seconds > 0 ? ` · ${duration(seconds)}` : ''
  if (finishedAt !== null) return `${job.ended(ago(finishedAt))}${took}`
  return startedAt === null ? '' : `${job.started(ago(startedAt))}${took}`
}

const nextPages: Readonly<Record<RunKind, (run: string) => string>> = {
  round: () => to('label'),
  reward: (run) => to('rewards', run),
  policy: () => to('compare'),
  'best-of-n': () => to('compare'),
  report: (run) => to('reports', run),
}

/** They have curves; as results they say little. Runs of before 0.2 name them as their metrics do: `policy_loss`. */
const technical = new Set([
  'policyloss',
  'klloss',
  'approxkl',
  'clipfrac',
  'firstdelta',
  'noisenats',
  'rewardstd',
  'alarmlevel',
  'explainedvariance',
  'explainedvariancepromptmean',
  'gradnorm',
  'lr',
  'steps',
  'eta',
  'guidance',
  'seconds',
])

const isTechnical = (name: string) => technical.has(name.replaceAll('_', '').toLowerCase()) || name.startsWith('probe')

function Results({ job }: { job: JobDetail }) {
  const { next } = useTexts().job
  const figures = [
    ...useHeldOut(job),
    ...Object.entries(job.results).flatMap(([name, value]): [string, string][] =>
      typeof value !== 'number' || isTechnical(name) ? [] : [[resultTitle(name), withUnit(name, value)]],
    ),
  ]
  const { kind } = stages[job.stage]
  const leadsTo = job.isCompared ? 'policy' : kind
  return (
    <div className="card stack">
      {figures.length > 0 && (
        <dl className="stats">
          {figures.slice(0, 12).map(([title, value]) => (
            <div key={title}>
              <dt>{title}</dt>
              <dd>{value}</dd>
            </div>
          ))}
        </dl>
      )}
      <div className="row">
        <a className="button primary" href={nextPages[leadsTo](job.run)}>
          {next[leadsTo]} <Icon name="arrow" size={18} />
        </a>
        {kind === 'policy' && <PolicyDownload name={job.run} />}
      </div>
    </div>
  )
}

/** How good a reward has become stands before how much it has read. */
function useHeldOut({ stage, run }: Job): [string, string][] {
  const { state } = useStudio()
  const heldOut = stages[stage].kind === 'reward' ? state?.rewards.find(({ name }) => name === run)?.heldOut : undefined
  const { accuracy = null, auc = null } = heldOut ?? {}
  return [
    ...(accuracy === null ? [] : [[metricTitle('accuracy'), percent(accuracy, 1)] as [string, string]]),
    ...(auc === null ? [] : [['AUC', figure(auc)] as [string, string]]),
  ]
}

/** `promptsWithDistractors` → `Prompts with distractors` */
const resultTitle = (name: string) =>
  texts().names.metrics[name] ??
  metricTitle(
    name
      .replace(/([a-z])([A-Z])/g, '$1 $2')
      .replaceAll('.', ' ')
      .toLowerCase(),
  )

function Settings({ job }: { job: JobDetail }) {
  const texts = useTexts().job
  const settings = Object.entries(job.settings)
  if (settings.length === 0) return null
  return (
    <details>
      <summary>{texts.settings(settings.length)}</summary>
      <dl className="settings">
        {settings.map(([name, value]) => (
          <div key={name}>
            <dt>{settingTitle(name)}</dt>
            <dd dir="auto">{settingText(name, value)}</dd>
          </div>
        ))}
      </dl>
    </details>
  )
}

const longest = 8

function settingText(name: string, value: SettingValue): string {
  const { job } = texts()
  if (value === null) return emptySetting(name)
  if (typeof value === 'boolean') return value ? job.yes : job.no
  if (typeof value === 'number') return figure(value)
  if (!Array.isArray(value)) return value.replace(/^named:/, '')
  const shown = value.slice(0, longest).join(', ')
  return value.length > longest ? job.firstOf(shown, value.length - longest) : shown
}
