import { useEffect, useRef, useState } from 'react'
import { client } from '../api.ts'
import { Handing } from '../components/handing.tsx'
import { Empty, Loaded } from '../components/notice.tsx'
import { NextNeeded } from '../components/next-needed.tsx'
import { PageHead } from '../components/page-head.tsx'
import { PolicyDownload } from '../components/policy-download.tsx'
import { ago } from '../format.ts'
import { useRemote } from '../remote.ts'
import { to } from '../router.ts'
import { useStudio } from '../studio-state.tsx'
import { useTexts } from '../texts/texts.ts'
import { useSeenTheme } from '../theme.ts'
import '../styles/report.css'

/** Reports inside the page; they can run no script and reach nothing. */
export function ReportPage({ name }: { name?: string }) {
  const { frame, reports: texts } = useTexts()
  const { state } = useStudio()
  const reports = useRemote(() => client.reports(), ['reports'], { changes: [state?.reports.length] })
  return (
    <Loaded remote={reports} heights={[60, 500]}>
      {({ reports: all }) => {
        const report = all.find((one) => one.name === name) ?? all[0]
        if (report === undefined) {
          return (
            <>
              <PageHead title={frame.places.reports}>{texts.about}</PageHead>
              <Empty
                icon="report"
                title={texts.none}
                action={<NextNeeded of={['images', 'labels', 'reward', 'report']} />}
              >
                {texts.noneWhy}
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
                    <nav className="tabs" aria-label={texts.all}>
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
                  <Handing kind="report" name={report.name} url={report.url} />
                </div>
              }
            >
              {texts.written(ago(report.at))}
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

/** Colours that a report names as the studio does. */
const sharedColours = ['--paper', '--card', '--ink', '--soft', '--rule', '--accent', '--good', '--bad']

/** The page of a report as a part of this one: as high as it is, in the same colours, with nothing to scroll inside. */
function Frame({ url, title }: { url: string; title: string }) {
  const frame = useRef<HTMLIFrameElement>(null)
  const theme = useSeenTheme()
  const [height, setHeight] = useState<number>()
  const [loads, setLoads] = useState(0)
  useEffect(() => {
    // Where the report did not come, the browser shows a page of its own, which tells nothing.
    const root = frame.current?.contentDocument?.documentElement
    if (loads === 0 || root === undefined) return
    root.dataset.theme = theme
    root.dataset.inside = 'true'
    const own = getComputedStyle(document.documentElement)
    for (const name of sharedColours) root.style.setProperty(name, own.getPropertyValue(name))
    const measure = () => setHeight(Math.ceil(root.getBoundingClientRect().height))
    measure()
    const observer = new ResizeObserver(measure)
    observer.observe(root)
    return () => observer.disconnect()
  }, [loads, theme])
  return (
    <div className="report-frame" aria-busy={loads === 0}>
      <iframe
        ref={frame}
        src={url}
        title={title}
        // No script runs there; of the same origin it is so that its height can be seen.
        sandbox="allow-same-origin"
        style={{ height }}
        onLoad={() => setLoads((count) => count + 1)}
      />
    </div>
  )
}
