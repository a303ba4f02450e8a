/** Comparing policies: what was compared, side by side, by blind votes, and what came out. */
import { useState } from 'react'
import { client } from '../../api.ts'
import { Confirm } from '../../components/confirm.tsx'
import { Handing } from '../../components/handing.tsx'
import { ErrorNotice, Empty, Loaded } from '../../components/notice.tsx'
import { PageHead } from '../../components/page-head.tsx'
import { ProgressBar, progressText, shareOf } from '../../components/progress-bar.tsx'
import { ago, policyTitle } from '../../format.ts'
import { useAction, useRemote } from '../../remote.ts'
import { go, to } from '../../router.ts'
import { isOpen, useStudio } from '../../studio-state.tsx'
import { useTexts } from '../../texts/texts.ts'
import '../../styles/compare.css'
import { Icon } from '../../components/icon.tsx'
import { NewComparisonForm } from './new-comparison.tsx'
import { RaterComparisons } from './rater-comparisons.tsx'
import { SideBySide } from './side-by-side.tsx'
import { AlignmentFidelity } from './alignment-fidelity.tsx'
import { VotePage } from './vote-page.tsx'
import { WinRates } from './win-rates.tsx'

export function ComparePage({ rest }: { rest: readonly string[] }) {
  const { state } = useStudio()
  const [id, part] = rest
  const isRater = state?.user.role === 'rater'
  if (id !== undefined && (part === 'vote' || isRater)) return <VotePage key={id} id={id} />
  if (id !== undefined) return <Comparison key={id} id={id} />
  return isRater ? <RaterComparisons /> : <Overview />
}

function Overview() {
  const { compare: texts, frame } = useTexts()
  const { state } = useStudio()
  const comparisons = useRemote(() => client.comparisons(), ['comparisons'], {
    changes: [state?.jobs.map(({ id, state: one }) => [id, one])],
  })
  const report = state?.reports.find(({ policies }) => policies.length > 1)
  return (
    <>
      <PageHead title={frame.places.compare}>{texts.about}</PageHead>
      <div className="stack">
        <Loaded remote={comparisons} heights={[90, 200]}>
          {({ comparisons: all }) => (
            <>
              {all.length > 0 && <WinRates />}
              {all.length > 0 && <List comparisons={all} />}
              <NewComparisonForm />
            </>
          )}
        </Loaded>
        {report !== undefined && (
          <section className="card stack tight">
            <div className="row between">
              <h2>{texts.alignmentAndFidelity}</h2>
              <a className="small text-link" href={to('reports', report.name)}>
                {report.name}
              </a>
            </div>
            <AlignmentFidelity report={report} />
          </section>
        )}
      </div>
    </>
  )
}

function List({ comparisons }: { comparisons: Awaited<ReturnType<typeof client.comparisons>>['comparisons'] }) {
  const { compare: texts, vote } = useTexts()
  return (
    <ul className="job-list">
      {comparisons.map(({ id, policies, at, prompts, perPrompt, ready, opened }) => (
        <li key={id} className="comparison-row">
          <a href={to('compare', id)}>
            <strong dir="auto">{policies.map(policyTitle).join(' · ')}</strong>
            <span className="soft small">
              {texts.sizes(prompts, perPrompt)} · {ago(at)}
            </span>
          </a>
          {opened ? (
            <a className="button small" href={to('compare', id)}>
              {vote.seeResult}
            </a>
          ) : ready ? (
            <a className="button small primary" href={to('compare', id, 'vote')}>
              {vote.voteBlind}
            </a>
          ) : (
            <span className="badge running">{texts.drawing}</span>
          )}
        </li>
      ))}
    </ul>
  )
}

function Comparison({ id }: { id: string }) {
  const { compare: texts, frame, vote } = useTexts()
  const { state, reload } = useStudio()
  const [isAsking, setAsking] = useState(false)
  const mine = state?.jobs.filter(isOpen) ?? []
  const comparison = useRemote(() => client.comparison(id), ['comparison', id], {
    changes: [state?.jobs.map((job) => [job.id, job.state])],
  })
  const open = useAction(async () => {
    await client.openComparison(id)
    await comparison.reload()
  })
  const again = useAction(async (policy: string) => {
    await client.drawRound({ policy })
    await reload()
    go()
  })
  return (
    <>
      <p className="back">
        <a className="small text-link" href={to('compare')}>
          {texts.all}
        </a>
      </p>
      <Loaded remote={comparison} heights={[70, 320]}>
        {(detail) => {
          const drawing = mine.filter((job) => detail.jobs.includes(job.id))
          const policy = detail.policies.find((one) => one !== 'pretrained')
          return (
            <>
              <PageHead
                title={texts.against(detail.policies.map(policyTitle).reverse())}
                side={
                  <div className="row">
                    <Handing kind="comparison" name={id} url={client.outcomeUrl(id)} />
                    {detail.ready && policy !== undefined && (
                      <button
                        type="button"
                        className="button"
                        disabled={again.isBusy}
                        onClick={() => void again.run(policy)}
                      >
                        {texts.collectAgain(policy)}
                      </button>
                    )}
                  </div>
                }
              >
                {texts.sizes(detail.prompts, detail.perPrompt)} · {ago(detail.at)}
              </PageHead>
              <div className="stack">
                <ErrorNotice error={again.error ?? open.error} />
                {detail.ready && <WinRates policies={detail.policies} />}
                {!detail.ready && (
                  <div className="card stack tight">
                    <strong>{drawing.length > 0 ? texts.areDrawn : texts.notAllDrawn}</strong>
                    {drawing.map((job) => (
                      <div key={job.id} className="stack tight">
                        <ProgressBar
                          share={job.state === 'waiting' ? 0 : shareOf(job)}
                          label={frame.progressOf(job.run)}
                        />
                        <span className="soft small">
                          {job.run}: {progressText(job)}
                        </span>
                      </div>
                    ))}
                    {drawing.length === 0 && <a href={to('train')}>{texts.lookAtJobs}</a>}
                  </div>
                )}
                {!detail.ready ? (
                  <p className="notice">{texts.whenDrawn}</p>
                ) : detail.opened ? (
                  <section className="stack tight">
                    <h2>{texts.sideBySide}</h2>
                    <SideBySide comparison={detail} />
                  </section>
                ) : (
                  <Empty
                    icon="compare"
                    title={texts.voteFirst}
                    action={
                      <div className="row">
                        <a className="button primary big" href={to('compare', id, 'vote')}>
                          {vote.voteBlind} <Icon name="arrow" size={18} />
                        </a>
                        <button
                          type="button"
                          className="button big"
                          disabled={open.isBusy}
                          onClick={() => setAsking(true)}
                        >
                          {texts.showSideBySide}
                        </button>
                      </div>
                    }
                  >
                    {texts.voteFirstWhy}
                  </Empty>
                )}
              </div>
              {isAsking && (
                <Confirm
                  title={texts.askShow}
                  action={texts.showThem}
                  confirm={() => void open.run()}
                  close={() => setAsking(false)}
                >
                  <p>{texts.showingEnds}</p>
                </Confirm>
              )}
            </>
          )
        }}
      </Loaded>
    </>
  )
}
