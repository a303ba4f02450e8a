/** Live curves by uPlot; the only part of the pages that loads it. */
import { useEffect, useRef, useState } from 'react'
import uPlot from 'uplot'
import 'uplot/dist/uPlot.min.css'
import { isZigzag, pointsOf, rangeOf, stepRange, type CurvePoint } from '../../curve-points.ts'
import { isShare, metricTitle, tickText, withUnit } from '../../format.ts'
import { texts, useTexts } from '../../texts/texts.ts'
import { useSeenTheme } from '../../theme.ts'
import type { MetricRow } from './metrics.ts'

/** Shown first, in this order; alignment on probe prompts is only shown, nothing chooses by it. */
const known = [
  'reward_mean',
  'kl',
  'value_loss',
  'alignment',
  'alarm_level',
  'train_loss',
  'validation_loss',
  'accuracy',
]
/** With fewer points each is marked: a line alone does not show where they are. */
const markedPoints = 12
const families = new Set(['alignment'])
const hidden = new Set(['step', 'at', 'seconds', 'images_drawn', 'updates'])

/** Metrics that have a curve at once, and those that are asked for. */
export function shownFirst(all: readonly string[]): { readonly shown: string[]; readonly rest: string[] } {
  const names = all.filter((name) => !hidden.has(name))
  const first = known.flatMap((one) =>
    names.filter((name) => name === one || (families.has(one) && name.startsWith(`${one}_`))),
  )
  const shown = first.length === 0 ? names.slice(0, 4) : first
  return { shown, rest: names.filter((name) => !shown.includes(name)) }
}

export function Curves({ rows }: { rows: readonly MetricRow[] }) {
  const { curves } = useTexts().job
  const [isWhole, setWhole] = useState(false)
  const { shown, rest } = shownFirst([...new Set(rows.flatMap((row) => Object.keys(row)))])
  return (
    <section className="stack tight">
      <h2>{curves.title}</h2>
      <div className="curves">
        {[...shown, ...(isWhole ? rest : [])].map((name) => (
          <Curve key={name} name={name} rows={rows} />
        ))}
      </div>
      {rest.length > 0 && (
        <div>
          <button type="button" className="button small quiet" onClick={() => setWhole(!isWhole)}>
            {isWhole ? curves.fewer : curves.more(rest.length)}
          </button>
        </div>
      )}
    </section>
  )
}

export const plotHeight = 190
/** Distances between ticks below the curve: there is no half a step. */
const wholeSteps = [1, 10, 100, 1000, 10_000, 100_000].flatMap((power) => [power, 2 * power, 5 * power])

function Curve({ name, rows }: { name: string; rows: readonly MetricRow[] }) {
  const { curves } = useTexts().job
  const place = useRef<HTMLDivElement>(null)
  const plot = useRef<uPlot>(undefined)
  const theme = useSeenTheme()
  const points = pointsOf(name, rows)
  const latest = useRef(points)
  latest.current = points
  const isLoose = isZigzag(points.map(({ value }) => value))
  useEffect(() => {
    const element = place.current
    if (element === null) return
    const made = new uPlot(optionsOf(name, element, latest, isLoose), columnsOf(latest.current), element)
    plot.current = made
    const observer = new ResizeObserver(() => made.setSize({ width: element.clientWidth, height: plotHeight }))
    observer.observe(element)
    return () => {
      observer.disconnect()
      made.destroy()
      plot.current = undefined
    }
  }, [name, theme, isLoose, curves])
  const last = points.at(-1)
  const key = `${points.length} ${last?.step}`
  useEffect(() => plot.current?.setData(columnsOf(latest.current)), [key])
  const title = metricTitle(name)
  return (
    <figure className="curve">
      <figcaption>
        <span>{title}</span>
        <span className="number">{last === undefined ? '' : withUnit(name, last.value)}</span>
      </figcaption>
      <div
        ref={place}
        role="img"
        aria-label={curves.said(
          title,
          points.length,
          withUnit(name, points[0]?.value ?? NaN),
          withUnit(name, last?.value ?? NaN),
        )}
      />
    </figure>
  )
}

const columnsOf = (points: readonly CurvePoint[]): uPlot.AlignedData => [
  points.map(({ step }) => step),
  points.map(({ value }) => value),
]

/** Each point's interval as a line upwards. */
function drawIntervals({ ctx, valToPos }: uPlot, points: readonly CurvePoint[], color: string): void {
  ctx.save()
  ctx.strokeStyle = color
  ctx.lineWidth = 1.5 * devicePixelRatio
  ctx.beginPath()
  for (const { step, value, error } of points) {
    if (error === null) continue
    const x = valToPos(step, 'x', true)
    ctx.moveTo(x, valToPos(value - error, 'y', true))
    ctx.lineTo(x, valToPos(value + error, 'y', true))
  }
  ctx.stroke()
  ctx.restore()
}

const color = (variable: string) => getComputedStyle(document.documentElement).getPropertyValue(variable).trim()

/** @param isCounted there is no half of what is below the curve */
export function axesOf(name: string, below: string, isCounted: boolean): uPlot.Axis[] {
  const axis = {
    stroke: color('--soft'),
    font: `12px ${color('--sans')}`,
    grid: { stroke: color('--rule'), width: 1 },
    ticks: { show: false },
  }
  return [
    {
      ...axis,
      space: 60,
      ...(isCounted && { incrs: wholeSteps }),
      size: 24,
      label: below,
      labelFont: axis.font,
      labelSize: 16,
      labelGap: 0,
    },
    {
      ...axis,
      size: 56,
      values: (_plot, ticks, _axis, _space, step) =>
        ticks.map((tick) =>
          tick === null ? '' : isShare(name) ? `${tickText(100 * tick, 100 * step)} %` : tickText(tick, step),
        ),
    },
  ]
}

/** @param isLoose points with their intervals in place of a line */
function optionsOf(
  name: string,
  element: HTMLElement,
  points: { readonly current: readonly CurvePoint[] },
  isLoose: boolean,
): uPlot.Options {
  return {
    width: element.clientWidth || 300,
    height: plotHeight,
    legend: { show: false },
    cursor: { y: false, points: { size: 7 } },
    scales: {
      x: { time: false, range: () => stepRange(points.current) },
      y: { range: () => rangeOf(name, points.current) },
    },
    hooks: { draw: [(plot) => isLoose && drawIntervals(plot, points.current, color('--accent'))] },
    axes: axesOf(name, texts().job.curves.step, true),
    series: [
      {},
      {
        label: name,
        stroke: color('--accent'),
        width: isLoose ? 0 : 2,
        ...(!isLoose && { fill: color('--accent-soft') }),
        points: { show: (plot) => isLoose || plot.data[0].length <= markedPoints, size: 6 },
      },
    ],
  }
}
