/** The study as one self-contained page: claims with their verdicts, then the pictures and the table of every study. */
import { domain, f, frame, mark, scale, svg, whisker, xAxis, yAxis, type Scale } from '../report/page/chart.ts'
import { html, Markup } from '../report/page/markup.ts'
import { looksOf, type PolicyLook } from '../report/page/policy-look.ts'
import { pageStyle } from '../report/page/style.ts'
import { tickText } from '../report/format.ts'
import type { Interval } from '../report/interval.ts'
import {
  columnsOf,
  measuredOf,
  overSeeds,
  valuesOf,
  verdictsOf,
  type ClaimVerdict,
  type Column,
  type Results,
  type StudyResult,
} from './results.ts'
import { armTitle, cellText, partText, provenance, rule, settingsText, verdictCounts } from './results-text.ts'
import type { Sweep } from './study.ts'
import type { Verdict } from './verdict.ts'

const badges: Readonly<Record<Verdict, string>> = {
  supported: 'met',
  'not supported': 'missed',
  inconclusive: 'unclear',
  'not measured': '',
}
const ownStyle = '.goals.claims li { grid-template-columns: 118px 1fr; } .goals.claims small { display: block; }'

export function studyPage(all: Results): string {
  const verdicts = all.results.flatMap(verdictsOf).map(({ verdict }) => verdict)
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'" />
        <meta name="color-scheme" content="light dark" />
        <link rel="icon" href="data:," />
        <title>Attune study</title>
        <style>
          ${new Markup(pageStyle + ownStyle)}
        </style>
      </head>
      <body>
        <header>
          <h1>Attune: what moves alignment and fidelity</h1>
          <p class="headline">${verdictCounts(verdicts)}</p>
          <p>${rule}</p>
        </header>
        <main>${all.results.map(studySection)}</main>
        <footer>${provenance(all).map((sentence) => html`<p>${sentence}</p>`)}</footer>
      </body>
    </html> `.text
}

function studySection(result: StudyResult): Markup {
  const { study, chosen, failures } = result
  const coefficients = Object.entries(chosen).map(([name, values]) => `${name}: ${settingsText(values)}`)
  return html`<section>
    <h2>${study.title}</h2>
    <p>${study.question}</p>
    <ul class="goals claims">
      ${verdictsOf(result).map(claimItem)}
    </ul>
    ${charts(result)}
    <div class="scroll" role="group" aria-label="${study.title}" tabindex="0">${table(result)}</div>
    ${coefficients.length > 0 ? html`<p class="soft">Chosen coefficients: ${coefficients.join('; ')}.</p>` : undefined}
    ${
      failures.length > 0
        ? html`<ul class="caveats" aria-label="Not measured">
            ${failures.map((failure) => html`<li>${failure}</li>`)}
          </ul>`
        : undefined
    }
  </section>`
}

const claimItem = ({ claim, verdict, parts }: ClaimVerdict): Markup =>
  html`<li>
    <span class="badge ${badges[verdict]}">${verdict}</span
    ><span
      >${claim.says} <small>${claim.source}</small>${parts.map((part) => html`<small>${partText(part)}</small>`)}</span
    >
  </li>`

function charts(result: StudyResult): Markup | undefined {
  const drawn = [
    pointChart(result, { measure: 'frechet' }, true),
    pointChart(result, { measure: 'kl' }, false),
    ...result.study.sweeps.flatMap((sweep) => sweepCharts(result, sweep)),
  ].filter((chart) => chart !== undefined)
  return drawn.length === 0 ? undefined : html`<div class="charts two">${drawn}</div>`
}

/** Looks of all arms of a study; of a sweep those of its lines. */
const looksFor = (titles: ReadonlyMap<string, string>) => {
  const looks = looksOf({ policies: [...titles.keys()].map((name) => ({ name })) as never })
  return (name: string): PolicyLook => ({ ...looks(name), title: titles.get(name) ?? name })
}

const titleOf = ({ measure, split }: Column) => {
  const { title, unit } = measuredOf(measure)
  return `${title}${split === undefined ? '' : `, ${split} prompts`}${unit.text && `, ${unit.text}`}`
}
const intervalOf = (result: StudyResult, arm: string, { measure, split }: Column): Interval | undefined =>
  overSeeds(valuesOf(result, arm, measure, split))

/** Alignment on unseen prompts against another quantity, a mark for every arm. */
function pointChart(result: StudyResult, across: Column, isReversed: boolean): Markup | undefined {
  const up: Column = { measure: 'alignment', split: 'unseen' }
  const looks = looksFor(new Map([...result.arms.keys()].map((name) => [name, armTitle(result, name)])))
  const points = [...result.arms.keys()].flatMap((name) => {
    const [x, y] = [intervalOf(result, name, across), intervalOf(result, name, up)]
    return x === undefined || y === undefined ? [] : [{ name, x, y }]
  })
  if (points.length < 2) return undefined
  const at = frame(340, { top: 34 })
  const [low, high] = domain(points.flatMap(({ x }) => [x.low, x.high]), 0.08, [0, Infinity]) // prettier-ignore
  const x = scale(isReversed ? [high, low] : [low, high], [at.left, at.width - at.right])
  const y = scale(domain(points.flatMap((point) => [point.y.low, point.y.high]), 0.1, [0, 1]), [at.height - at.bottom, at.top]) // prettier-ignore
  return html`<figure>
    ${svg(
      at,
      `${titleOf(up)} against ${titleOf(across)}. ${points.map(({ name, ...of }) => `${looks(name).title}: ${measuredOf(up.measure).unit.write(of.y.mean)} at ${tickText(Number(of.x.mean.toPrecision(3)))}`).join('; ')}.`,
      xAxis(at, x, `${titleOf(across)}${isReversed ? ', reversed: nearer to true images →' : ''}`, tickText),
      yAxis(at, y, `↑ ${titleOf(up)}`, measuredOf(up.measure).unit.write),
      points.map(({ name, ...of }) => {
        const look = looks(name)
        const [cx, cy] = [x(of.x.mean), y(of.y.mean)]
        return html`${whisker(look, cx, y(of.y.low), cx, y(of.y.high))}${whisker(look, x(of.x.low), cy, x(of.x.high), cy)}${mark(look, cx, cy)}`
      }),
    )}${keys(points.map(({ name }) => looks(name)))}
  </figure>`
}

function sweepCharts(result: StudyResult, sweep: Sweep): Markup[] {
  const titles = new Map(sweep.lines.map(({ title }) => [title, title]))
  const looks = looksFor(titles)
  return sweep.measures.flatMap((quantity) => {
    const lines = sweep.lines.map(({ title, arms }) => ({
      look: looks(title),
      points: arms.flatMap((arm) => {
        const [place, interval] = [result.arms.get(arm)?.at, intervalOf(result, arm, quantity)]
        return place === undefined || interval === undefined ? [] : [{ place, interval }]
      }),
    }))
    const all = lines.flatMap(({ points }) => points)
    const places = [...new Set(all.map(({ place }) => place))].sort((a, b) => a - b)
    if (places.length < 2) return []
    const at = frame(260, { top: 34 })
    const x = placeScale(places, sweep.isLogarithmic === true, [at.left + 8, at.width - at.right - 8])
    const y = scale(domain(all.flatMap(({ interval }) => [interval.low, interval.high])), [at.height - at.bottom, at.top]) // prettier-ignore
    const { unit } = measuredOf(quantity.measure)
    const told = lines.map(({ look, points }) => `${look.title}: ${points.map(({ place, interval }) => `${unit.write(interval.mean)} at ${place}`).join(', ')}`) // prettier-ignore
    return [
      html`<figure>
        ${svg(
          at,
          `${sweep.title}: ${titleOf(quantity)}. ${told.join('; ')}.`,
          xAxis(at, x, `${sweep.title}: ${sweep.axis}`, tickText),
          yAxis(at, y, titleOf(quantity), unit.write),
          lines.map(({ look, points }) => {
            const path = points.map(({ place, interval }, i) => `${i === 0 ? 'M' : 'L'}${f(x(place))} ${f(y(interval.mean))}`) // prettier-ignore
            return html`<path class="line ${look.className}" d="${path.join('')}" />${points.map(
                ({ place, interval: { mean, low, high } }) =>
                  html`${whisker(look, x(place), y(low), x(place), y(high))}${mark(look, x(place), y(mean))}`,
              )}`
          }),
        )}${lines.length > 1 ? keys(lines.map(({ look }) => look)) : undefined}
      </figure>`,
    ]
  })
}

/** Width of a digit below an axis, and the space between two numbers. */
const [digitWidth, spaceBetween] = [6.5, 3]

/**
 * With its ticks where something was measured, but for those that would be written over each other. A zero on a logarithmic
 * axis stands a step before the first place.
 */
function placeScale(places: readonly number[], isLogarithmic: boolean, ends: readonly [number, number]): Scale {
  const positive = places.filter((place) => place > 0)
  const first = Math.log(positive[0]) - (positive.length > 1 ? Math.log(positive[1] / positive[0]) : 1)
  const on = (place: number) => (!isLogarithmic ? place : place > 0 ? Math.log(place) : first)
  const linear = scale([on(places[0]), on(places.at(-1)!)], ends)
  const at = (place: number) => linear(on(place))
  const [firstTick, ...others] = places
  const ticks = [firstTick]
  for (const place of others) {
    const last = ticks.at(-1)!
    const widths = (digitWidth * (tickText(last).length + tickText(place).length)) / 2
    if (at(place) - at(last) >= widths + spaceBetween) ticks.push(place)
  }
  return Object.assign(at, { ticks })
}

const keys = (looks: readonly PolicyLook[]): Markup =>
  html`<ul class="legend">
    ${looks.map(
      (look) =>
        html`<li>
          <svg viewBox="0 0 16 16" width="16" height="16" aria-hidden="true">${mark(look, 8, 8)}</svg>${look.title}
        </li>`,
    )}
  </ul>`

function table(result: StudyResult): Markup {
  const columns = columnsOf(result)
  return html`<table class="plain">
    <thead>
      <tr>
        <th></th>
        ${columns.map((column) => html`<th>${titleOf(column)}</th>`)}
      </tr>
    </thead>
    <tbody>
      ${[...result.arms.keys()].map(
        (arm) =>
          html`<tr>
            <th>${armTitle(result, arm)}</th>
            ${columns.map((column) => html`<td>${cellText(result, arm, column)}</td>`)}
          </tr>`,
      )}
    </tbody>
  </table>`
}
