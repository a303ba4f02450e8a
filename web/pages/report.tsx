import { useEffect, useState } from 'react'
import { client } from '../api.ts'
import { Empty, Loaded } from '../components/notice.tsx'
import { NextNeeded } from '../components/next-needed.tsx'
import { PageHead } from '../components/page-head.tsx'
import { PolicyDownload } from '../components/policy-download.tsx'
import { ago } from '../format.ts'
import { useRemote } from '../remote.ts'
import { to } from '../router.ts'
import { useStudio } from '../studio-state.tsx'
import '../styles/report.css'

/** Reports inside the page; their own page can run no script and reach nothing. */
export function ReportPage({ name }: { name?: string }) {
  const { state } = useStudio()
  const reports = useRemote(() => client.reports(), ['reports'], { changes: [state?.reports.length] })
  return (
    <Loaded remote={reports} heights={[60, 500]}>
      {({ reports: all }) => {
        const report = all.find((one) => one.name === name) ?? all[0]
        if (report === undefined) {
          return (
            <>
              <PageHead title="Reports">What training has changed, measured.</PageHead>
              <Empty
                icon="report"
                title="There is no report yet"
                action={<NextNeeded of={['images', 'labels', 'reward', 'report']} />}
              >
                It measures policies on prompts and noise that no training has used.
              </Empty>
            </>
          )
        }
        return (
          <>
            <PageHead
              title={report.name}
              side={
                <div className="row">
                  {all.length > 1 && (
                    <nav className="tabs" aria-label="Reports">
                      {all.slice(0, 5).map((one) => (
                        <a
                          key={one.name}
                          href={to('reports', one.name)}
                          aria-current={one === report ? 'page' : undefined}
                        >
                          {one.name}
                        </a>
                      ))}
                    </nav>
                  )}
                  <a className="button small" href={report.url} target="_blank" rel="noreferrer">
                    Open in a tab
                  </a>
                </div>
              }
            >
              written {ago(report.at)}
            </PageHead>
            <div className="row">
              {report.policies.map(
                ({ run }) =>
                  run !== null && (
                    <span key={run} className="row tight">
                      <span className="small soft">{run}</span>
                      <PolicyDownload name={run} />
                    </span>
                  ),
              )}
            </div>
            <Frame key={report.name} url={report.url} title={report.name} />
          </>
        )
      }}
    </Loaded>
  )
}

function Frame({ url, title }: { url: string; title: string }) {
  const [isLoaded, setLoaded] = useState(false)
  useEffect(() => setLoaded(false), [url])
  return (
    <div className="report-frame" aria-busy={!isLoaded}>
      <iframe src={url} title={title} sandbox="" onLoad={() => setLoaded(true)} />
    </div>
  )
}
