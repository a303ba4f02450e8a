/** The curves of the runs that are chosen, as far as there are colours for them. */
import { lazy, Suspense } from 'react'
import type { RunRow } from '../../../src/studio/schemas/run-table.ts'
import { client } from '../../api.ts'
import { Loaded, Skeleton } from '../../components/notice.tsx'
import { Tabs } from '../../components/tabs.tsx'
import { useRemote } from '../../remote.ts'
import { useTexts } from '../../texts/texts.ts'
import { axes } from './overlaid.ts'

const OverlaidCurves = lazy(async () => ({ default: (await import('./overlaid-curves.tsx')).OverlaidCurves }))
/** More cannot be told from each other. */
const most = 8

interface OverlayProps {
  readonly runs: readonly RunRow[]
  readonly axis: string
  readonly change: (changes: Readonly<Record<string, string>>) => void
}

export function Overlay({ runs: all, axis: asked, change }: OverlayProps) {
  const { curves } = useTexts().runs
  const axis = axes.find((one) => one === asked) ?? 'step'
  const runs = all.slice(0, most)
  const isOpen = runs.some(({ state }) => state === 'running' || state === 'stopping')
  const measured = useRemote(
    () => Promise.all(runs.map(({ name }) => client.runMetrics(name))),
    ['run-metrics', ...runs.map(({ name }) => name)],
    { everyMs: isOpen ? 3000 : 0, changes: [runs.map(({ state }) => state)] },
  )
  return (
    <section className="stack tight">
      <div className="row between">
        <h2>{curves.title}</h2>
        <Tabs
          label={curves.below}
          value={axis}
          options={axes.map((value) => ({ value, label: curves.tabs[value] }))}
          choose={(by) => change({ by })}
        />
      </div>
      {all.length > most && <p className="notice">{curves.onlyFirst(most)}</p>}
      <Loaded remote={measured} heights={[240]}>
        {(answers) => (
          <Suspense fallback={<Skeleton heights={[240]} />}>
            <OverlaidCurves
              axis={axis}
              runs={runs.map(({ name, title }, i) => ({ name, title: title ?? name, rows: answers[i]?.rows ?? [] }))}
            />
          </Suspense>
        )}
      </Loaded>
    </section>
  )
}
