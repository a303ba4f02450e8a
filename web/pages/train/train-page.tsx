/** Training: what can be started, what runs, and how it goes. */
import { useState } from 'react'
import {
  formStages,
  policyStages,
  runBase,
  stages,
  usualPolicyStage,
  type FormStage,
  type PolicyStage,
  type RunKind,
} from '../../../src/stages.ts'
import { client } from '../../api.ts'
import { LowDisk } from '../../components/disk-room.tsx'
import { JobRow } from '../../components/job-row.tsx'
import { Empty, Loaded } from '../../components/notice.tsx'
import { PageHead } from '../../components/page-head.tsx'
import { stageSentence } from '../../format.ts'
import { useRemote } from '../../remote.ts'
import { to, useSearch } from '../../router.ts'
import { isOpen, useStudio } from '../../studio-state.tsx'
import { useTexts } from '../../texts/texts.ts'
import '../../styles/train.css'
import { Devices } from './devices.tsx'
import { JobView } from './job-view.tsx'
import { StageFormView } from './stage-form.tsx'

const tabs = ['reward', 'policy', 'round', 'report'] as const satisfies readonly RunKind[]

/** The stage of `#/train/dpok`, `#/train/reward`; `policy` is the usual one. */
const stageOf = (part: string): FormStage =>
  part === 'policy' ? usualPolicyStage : (formStages.find((stage) => runBase(stage) === part) ?? 'reward train')

export function TrainPage({ rest }: { rest: readonly string[] }) {
  const { train } = useTexts()
  const [part = 'reward', id] = rest
  if (part === 'job' && id !== undefined) return <JobView key={id} id={id} />
  const stage = stageOf(part)
  const { kind } = stages[stage]
  return (
    <>
      <PageHead title={train.title}>{train.about}</PageHead>
      <div className="stack">
        <nav className="tabs" aria-label={train.whatToStart}>
          {tabs.map((one) => (
            <a key={one} href={to('train', one)} aria-current={one === kind ? 'page' : undefined}>
              {train.kinds[one]}
            </a>
          ))}
        </nav>
        <LowDisk />
        {kind === 'policy' && <Methods chosen={stage} />}
        <Form key={stage} stage={stage} />
        <Devices />
        <Queue />
      </div>
    </>
  )
}

/** Each with what it does in a sentence, however many there are. */
function Methods({ chosen }: { chosen: FormStage }) {
  const { train } = useTexts()
  const usualFirst: readonly PolicyStage[] = [
    usualPolicyStage,
    ...policyStages.filter((stage) => stage !== usualPolicyStage),
  ]
  return (
    <nav aria-label={train.method}>
      <ul className="methods">
        {usualFirst.map((stage) => (
          <li key={stage}>
            <a href={to('train', runBase(stage))} aria-current={stage === chosen ? 'page' : undefined}>
              <strong>{stages[stage].title}</strong>
              <span className="soft small">{stageSentence(stage)}</span>
            </a>
          </li>
        ))}
      </ul>
    </nav>
  )
}

function Form({ stage }: { stage: FormStage }) {
  const { state } = useStudio()
  // What is missing, and the runs to choose from, change with what is there.
  const changes = [state?.rewards.length, state?.policies.length, state?.rounds.length, state?.counts.judgments]
  const forms = useRemote(() => client.stages(), ['stages'], { changes })
  const like = useSearch().get('like')
  const runs = useRemote(() => (like === null ? Promise.resolve(null) : client.runs()), ['like', like])
  return (
    <Loaded remote={forms} heights={[280]}>
      {(value) => {
        const form = value.stages.find((one) => one.stage === stage)
        if (form === undefined) return null
        if (like === null) return <StageFormView form={form} />
        return (
          <Loaded remote={runs} heights={[280]}>
            {(all) => {
              const run = all?.runs.find((one) => one.name === like && one.stage === stage)
              return <StageFormView key={like} form={form} {...(run !== undefined && { like: run })} />
            }}
          </Loaded>
        )
      }}
    </Loaded>
  )
}

const few = 15

function Queue() {
  const { train } = useTexts()
  const { state } = useStudio()
  const [isWhole, setWhole] = useState(false)
  const isBusy = state?.jobs.some(isOpen) ?? false
  const jobs = useRemote(() => client.jobs(), ['jobs'], {
    everyMs: isBusy ? 1000 : 0,
    changes: [state?.jobs.map((job) => [job.id, job.state])],
  })
  return (
    <section className="stack tight">
      <h2>{train.jobs}</h2>
      <Loaded remote={jobs} heights={[62, 62]}>
        {({ jobs: all }) =>
          all.length === 0 ? (
            <Empty icon="train" title={train.noJobs}>
              {train.noJobsWhy}
            </Empty>
          ) : (
            <>
              <ul className="job-list">
                {(isWhole ? all : all.slice(0, few)).map((job) => (
                  <li key={job.id}>
                    <JobRow job={job} />
                  </li>
                ))}
              </ul>
              {!isWhole && all.length > few && (
                <div>
                  <button type="button" className="button" onClick={() => setWhole(true)}>
                    {train.showMore(all.length - few)}
                  </button>
                </div>
              )}
            </>
          )
        }
      </Loaded>
    </section>
  )
}
