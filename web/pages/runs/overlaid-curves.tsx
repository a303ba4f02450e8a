/** Curves of chosen runs over each other: a colour and a dash a run, and its value where the pointer is. */
import { useEffect, useRef, useState } from 'react'
import uPlot from 'uplot'
import 'uplot/dist/uPlot.min.css'
import { metricTitle, withUnit } from '../../format.ts'
import { axesOf, plotHeight, shownFirst } from '../train/curves.tsx'
import type { MetricRow } from '../train/metrics.ts'
import { texts, useTexts } from '../../texts/texts.ts'
import { useSeenTheme } from '../../theme.ts'
import { aligned, nearest, pointsOf, type AxisName } from './overlaid.ts'

/** Each can be told from the others without its colour. */
const strokes: readonly (readonly [color: string, dash: readonly number[]])[] = [
  ['--accent', []],
  ['--orange', [8, 4]],
  ['--teal', [2, 3]],
  ['--violet', [10, 3, 2, 3]],
  ['--good', [14, 5]],
  ['--bad', [4, 4]],
  ['--warn', [12, 3, 3, 3, 3, 3]],
  ['--soft', [1, 5]],
]

export interface MeasuredRun {
  readonly name: string
  readonly title: string
  readonly rows: readonly MetricRow[]
}

interface OverlaidProps {
  readonly runs: readonly MeasuredRun[]
  readonly axis: AxisName
}

export function OverlaidCurves({ runs, axis }: OverlaidProps) {
  const { curves } = useTexts().job
  const [isWhole, setWhole] = useState(false)
  const names = [...new Set(runs.flatMap(({ rows }) => rows.flatMap((row) => Object.keys(row))))]
  const { shown, rest } = shownFirst(names)
  return (
    <>
      <div className="curves">
        {[...shown, ...(isWhole ? rest : [])].map((metric) => (
          <OverlaidCurve key={metric} metric={metric} runs={runs} axis={axis} />
        ))}
      </div>
      {rest.length > 0 && (
        <div>
          <button type="button" className="button small quiet" onClick={() => setWhole(!isWhole)}>
            {isWhole ? curves.fewer : curves.more(rest.length)}
          </button>
        </div>
      )}
    </>
  )
}

function OverlaidCurve({ metric, runs, axis }: OverlaidProps & { readonly metric: string }) {
  const { curves } = useTexts().runs
  const place = useRef<HTMLDivElement>(null)
  const theme = useSeenTheme()
  const [at, setAt] = useState<number>()
  const points = runs.map(({ rows }) => pointsOf(rows, metric, axis))
  const data = aligned(points)
  const key = JSON.stringify([data, runs.map(({ name }) => name)])
  useEffect(() => {
    const element = place.current
    if (element === null) return
    const plot = new uPlot(optionsOf(metric, axis, runs.length, element, setAt), data as uPlot.AlignedData, element)
    const observer = new ResizeObserver(() => plot.setSize({ width: element.clientWidth, height: plotHeight }))
    observer.observe(element)
    return () => {
      observer.disconnect()
      plot.destroy()
    }
  }, [metric, axis, theme, key, curves])
  const title = metricTitle(metric)
  const lasts = points.map(([xs, ys]) => (at === undefined || xs.length === 0 ? ys.at(-1) : nearest([xs, ys], at)))
  const text = (value: number | undefined) => (value === undefined ? '–' : withUnit(metric, value))
  return (
    <figure className="curve">
      <figcaption>
        <span>{title}</span>
        <span className="soft small number">{at === undefined ? curves.last : curves.at[axis](placeOf(at, axis))}</span>
      </figcaption>
      <div
        ref={place}
        role="img"
        aria-label={`${title} ${curves.by[axis]}: ${runs.map((run, i) => `${run.title} ${text(points[i][1].at(-1))}`).join(', ')}`}
      />
      <ul className="curve-legend">
        {runs.map(({ name, title: run }, i) => (
          <li key={name}>
            <Stroke place={i} />
            <span dir="auto">{run}</span>
            <span className="number">{text(lasts[i])}</span>
          </li>
        ))}
      </ul>
    </figure>
  )
}

const Stroke = ({ place }: { place: number }) => (
  <svg width="30" height="6" aria-hidden="true">
    <line
      x1="0"
      x2="30"
      y1="3"
      y2="3"
      strokeWidth="2.5"
      stroke={`var(${strokes[place % strokes.length][0]})`}
      strokeDasharray={strokes[place % strokes.length][1].join(' ')}
    />
  </svg>
)

/** As exactly as it is read: there is no half a step. */
const placeOf = (at: number, axis: AxisName) => (axis === 'seconds' && at < 10 ? Number(at.toFixed(1)) : Math.round(at))

function optionsOf(
  metric: string,
  axis: AxisName,
  count: number,
  element: HTMLElement,
  tell: (at: number | undefined) => void,
): uPlot.Options {
  const style = getComputedStyle(document.documentElement)
  return {
    width: element.clientWidth || 300,
    height: plotHeight,
    legend: { show: false },
    cursor: { y: false, points: { size: 7 } },
    scales: { x: { time: false } },
    axes: axesOf(metric, texts().runs.curves.axes[axis], axis !== 'seconds'),
    hooks: {
      setCursor: [
        (plot) => {
          const { left = -1 } = plot.cursor
          tell(left < 0 ? undefined : plot.posToVal(left, 'x'))
        },
      ],
    },
    series: [
      {},
      ...Array.from({ length: count }, (_, i): uPlot.Series => {
        const [color, dash] = strokes[i % strokes.length]
        return {
          stroke: style.getPropertyValue(color).trim(),
          width: 2,
          dash: [...dash],
          spanGaps: true,
          points: { show: (plot, own) => [...plot.data[own]].filter((one) => one !== null).length === 1, size: 7 },
        }
      }),
    ],
  }
}
