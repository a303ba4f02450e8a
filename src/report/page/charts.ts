/** The page's charts: the measure by category and against fidelity, training curves, reliability. */
import { domain, f, frame, mark, scale, svg, whisker, xAxis, yAxis } from './chart.ts'
import type { ReliabilityBin } from '../../reward/training/classification.ts'
import { compact, decimal, percent, tickText, whole } from '../format.ts'
import { frechet } from '../measures/frechet.ts'
import { html, type Markup } from './markup.ts'
import type { Curve, JudgedCategory, PolicyReport, Split } from '../schema.ts'
import type { Looks } from './policy-look.ts'
import type { Wording } from './wording.ts'

export const categoryTitles: Record<JudgedCategory, string> = {
  color: 'Colour',
  count: 'Count',
  background: 'Background',
  combination: 'Combination',
}

/**
 * The measure of every policy, over all prompts and per category: a mark at the mean, a whisker for the interval. A
 * dashed line where a win rate says neither better nor worse.
 */
export function categoryChart(
  policies: readonly PolicyReport[],
  split: Split,
  { chief }: Pick<Wording, 'chief'>,
  looks: Looks,
): Markup {
  const present = (Object.keys(categoryTitles) as JudgedCategory[]).filter((category) =>
    policies.some((policy) => policy[split].byCategory[category]),
  )
  const rows = [undefined, ...present].map((category) => ({
    title: category ? categoryTitles[category] : 'All prompts',
    cells: policies.flatMap((policy) => {
      const shown = category ? policy[split].byCategory[category] : policy[split].alignment
      return shown ? [{ look: looks(policy.name), ...shown }] : []
    }),
  }))
  const gap = 13
  const rowHeight = gap * policies.length + 15
  const at = frame(12 + rows.length * rowHeight + 44, { left: 88 })
  const x = scale([0, 1], [at.left, at.width - at.right])
  return svg(
    at,
    `${chief.title} by category, ${split} prompts. ${policies.map((policy) => `${looks(policy.name).title}: ${percent(policy[split].alignment.mean)} % over all prompts`).join('; ')}.`,
    xAxis(at, x, `${chief.title} on ${split} prompts, ${chief.unit.text}`, (tick) => percent(tick, 0)),
    chief.ofBase !== undefined
      ? html`<line
          class="diagonal"
          x1="${f(x(chief.ofBase))}"
          x2="${f(x(chief.ofBase))}"
          y1="${at.top}"
          y2="${at.height - at.bottom}"
        />`
      : undefined,
    rows.map(({ title, cells }, r) => {
      const top = at.top + r * rowHeight
      return html`<line
          class="${r === 1 ? 'rule' : 'grid'}"
          x1="4"
          x2="${at.width - at.right}"
          y1="${top}"
          y2="${top}"
        /><text class="row${r === 0 ? ' strong' : ''}" x="4" y="${f(top + rowHeight / 2 + 4)}">${title}</text
        >${cells.map(({ look, mean, low, high }, p) => {
          const y = top + 14 + p * gap
          return html`${whisker(look, x(low), y, x(high), y)}${mark(look, x(mean), y, 4.2)}`
        })}`
    }),
  )
}

/** The measure upwards, a small Fréchet distance to the right: the upper right corner is where one wants to be. */
export function tradeOffChart(
  policies: readonly PolicyReport[],
  split: Split,
  { chief, closer }: Pick<Wording, 'chief' | 'closer'>,
  looks: Looks,
): Markup {
  const at = frame(300, { top: 34 })
  const distances = policies.flatMap(({ fidelity }) => [fidelity.frechet, fidelity.low, fidelity.high])
  const [near, far] = domain(distances, 0.08, [0, Infinity])
  const alignments = policies.flatMap((policy) => [policy[split].alignment.low, policy[split].alignment.high])
  const x = scale([far, near], [at.left, at.width - at.right])
  const y = scale(domain(alignments, 0.12, [0, 1]), [at.height - at.bottom, at.top])
  return svg(
    at,
    `${chief.title} on ${split} prompts against ${frechet.title}. ${policies.map((policy) => `${looks(policy.name).title}: ${percent(policy[split].alignment.mean)} % at distance ${compact(policy.fidelity.frechet)}`).join('; ')}.`,
    xAxis(at, x, `${frechet.title}, reversed: ${closer} →`, tickText),
    yAxis(at, y, `↑ ${chief.title} on ${split} prompts, ${chief.unit.text}`, (tick) => tickText(100 * tick)),
    policies.map((policy) => {
      const { alignment } = policy[split]
      const look = looks(policy.name)
      const [cx, cy] = [x(policy.fidelity.frechet), y(alignment.mean)]
      return html`${whisker(look, cx, y(alignment.low), cx, y(alignment.high))}${whisker(look, x(policy.fidelity.high), cy, x(policy.fidelity.low), cy)}${mark(look, cx, cy, 6)}`
    }),
  )
}

/** A quantity of the training log; `undefined` points are left out. */
export interface Quantity {
  readonly title: string
  readonly of: (point: Curve['points'][number]) => number | undefined
}

/** Points of one curve from which on it is drawn as a running mean over the measured values. */
const smoothFrom = 24
export const smoothOver = 9

/** One quantity over images drawn, one line for each run. Long curves: measured values faint, their running mean bold. */
export function curveChart(curves: readonly Curve[], { title, of }: Quantity, looks: Looks): Markup | undefined {
  const lines = curves.flatMap(({ policy, points }) => {
    const xy = points.flatMap((point) => {
      const value = of(point)
      return value === undefined ? [] : [{ x: point.imagesDrawn, y: value }]
    })
    return xy.length === 0 ? [] : [{ look: looks(policy), xy }]
  })
  if (lines.length === 0) return undefined
  const all = lines.flatMap((line) => line.xy)
  const at = frame(240, { width: 340, top: 34, left: 42, right: 22 })
  const x = scale([0, Math.max(1, ...all.map((point) => point.x))], [at.left, at.width - at.right])
  const y = scale(domain(all.map((point) => point.y)), [at.height - at.bottom, at.top])
  const path = (xy: readonly { x: number; y: number }[]) =>
    xy.map((point, i) => `${i === 0 ? 'M' : 'L'}${f(x(point.x))} ${f(y(point.y))}`).join('')
  return svg(
    at,
    `${title} over images drawn. ${lines.map(({ look, xy }) => `${look.title}: from ${decimal(xy[0].y)} to ${decimal(xy[xy.length - 1].y)}`).join('; ')}.`,
    xAxis(at, x, 'Images drawn', whole),
    yAxis(at, y, title, tickText),
    lines.map(({ look, xy }) => {
      const smooth = xy.length >= smoothFrom
      const shown = smooth ? runningMean(xy) : xy
      const last = shown[shown.length - 1]
      return html`${smooth ? html`<path class="line faint ${look.className}" d="${path(xy)}" />` : undefined}<path
          class="line ${look.className}"
          d="${path(shown)}"
        />${mark(look, x(last.x), y(last.y))}`
    }),
  )
}

/** Mean over the window centred at each point, shortened at the ends. */
function runningMean(xy: readonly { x: number; y: number }[]): { x: number; y: number }[] {
  const reach = (smoothOver - 1) / 2
  return xy.map(({ x }, i) => {
    const window = xy.slice(Math.max(0, i - reach), i + reach + 1)
    return { x, y: window.reduce((sum, point) => sum + point.y, 0) / window.length }
  })
}

/** Share of good labels against predicted reward; the area of a mark is its number of images. */
export function reliabilityChart(bins: readonly ReliabilityBin[]): Markup {
  const at = frame(330, { top: 34 })
  const x = scale([0, 1], [at.left, at.width - at.right])
  const y = scale([0, 1], [at.height - at.bottom, at.top])
  const largest = Math.max(...bins.map((bin) => bin.n))
  return svg(
    at,
    `Reliability of the reward model. ${bins.map((bin) => `Predicted ${decimal(bin.predicted)}, observed ${decimal(bin.observed)}, ${bin.n} images`).join('; ')}.`,
    xAxis(at, x, 'Predicted reward', (tick) => decimal(tick, 1)),
    yAxis(at, y, '↑ Share of good labels', (tick) => decimal(tick, 1)),
    html`<line class="diagonal" x1="${f(x(0))}" y1="${f(y(0))}" x2="${f(x(1))}" y2="${f(y(1))}" />`,
    html`<path
      class="line reward"
      d="${bins.map((bin, i) => `${i === 0 ? 'M' : 'L'}${f(x(bin.predicted))} ${f(y(bin.observed))}`).join('')}"
    />`,
    bins.map(
      (bin) =>
        html`<circle
          class="mark reward"
          cx="${f(x(bin.predicted))}"
          cy="${f(y(bin.observed))}"
          r="${f(2.5 + 8 * Math.sqrt(bin.n / largest))}"
        />`,
    ),
  )
}
