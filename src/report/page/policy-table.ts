/** The policies side by side, and against each other. */
import { duration, percentagePoints, rangeIn, whole } from '../format.ts'
import type { Interval } from '../interval.ts'
import { measures } from '../measures/index.ts'
import { canTake, type Measure } from '../measures/measure.ts'
import { isMeasured, valueOf } from '../measures/value-of.ts'
import { splits, type Comparison, type PolicyReport, type Report, type Split } from '../schema.ts'
import { direction, subjectOf } from './headline.ts'
import { folded, html, type Markup } from './markup.ts'
import { algorithmTitle, looksOf } from './policy-look.ts'
import { wordingOf } from './wording.ts'

const dash = html`<td><small>–</small></td>`

/** One measure a row. */
export function policyTable(report: Report): Markup {
  const { policies } = report
  const words = wordingOf(report)
  const looks = looksOf(report)
  const shown = measures.filter((measure) => canTake(measure, words.measuredBy) && isMeasured(report, measure))
  const group = (title: string) =>
    html`<tr class="group">
      <th scope="colgroup" colspan="${policies.length + 1}">${title}</th>
    </tr>`
  const ofSection = (title: string, section: Measure['section'], split?: Split) => {
    const rows = shown.filter((measure) => measure.section === section)
    if (rows.length === 0) return undefined
    return html`${group(title)} ${rows.map((measure) => measureRow(report, measure, split))}`
  }
  const fact = (title: string, write: (policy: PolicyReport) => string) =>
    html`<tr>
      <th scope="row">${title}</th>
      ${policies.map((policy) => html`<td><b>${write(policy)}</b></td>`)}
    </tr>`
  return folded(
    'The policies side by side',
    html`
      <p class="soft">
        Every policy draws the same prompts with the same seeds, sampler and guidance. An arrow tells which direction is
        the better one. Small figures are 95 % intervals; ${words.tableNote}.
      </p>
      <div class="scroll" role="group" aria-label="The policies side by side" tabindex="0">
        <table class="numbers" style="--columns: ${policies.length}">
          <thead>
            <tr>
              <th scope="col"></th>
              ${policies.map(({ name, algorithm }) => {
                const { className, title } = looks(name)
                const kind = algorithm === undefined || algorithm === name ? undefined : algorithmTitle(algorithm)
                return html`<th scope="col">
                  <span class="key ${className}"></span>${title}${kind && html`<small>${kind}</small>`}
                </th>`
              })}
            </tr>
          </thead>
          <tbody>
            ${splits.map((split) =>
              ofSection(
                `${words.chief.title} on ${split} prompts, n = ${whole(policies[0][split].n)} images per policy`,
                'splits',
                split,
              ),
            )}
            ${ofSection('People’s blind votes', 'people')} ${ofSection('Fidelity', 'quality')}
            ${ofSection('Diversity', 'diversity')} ${ofSection('What was optimised', 'training')} ${group('Cost')}
            ${fact('Images drawn', ({ imagesDrawn }) => whole(imagesDrawn))}
            ${fact('Updates', ({ updates }) => whole(updates))} ${fact('Time', ({ seconds }) => duration(seconds))}
          </tbody>
        </table>
      </div>
      ${comparisonTable(report)}
    `,
  )
}

/** So that no arrow begins a line. */
const noBreak = '\u00a0'
const arrows = { higher: '↑', lower: '↓' }

function measureRow(report: Report, measure: Measure, split?: Split): Markup {
  const { title, unit, better, note, ofBase } = measure
  const small = [unit.text, note?.(report)].filter(Boolean).join(', ')
  return html`<tr>
    <th scope="row">
      ${title}${better && html`${noBreak}<span class="arrow" title="${better} is better" role="img" aria-label="${better} is better">${arrows[better]}</span>`}${small && html`<small>${small}</small>`}
    </th>
    ${report.policies.map((policy) => {
      const value = ofBase !== undefined && policy.name === 'base' ? undefined : valueOf(policy, measure, split)
      if (value === undefined) return dash
      const below = measure.remark?.(policy) ?? rangeIn(unit, value)
      return html`<td class="${ofBase === undefined ? 'unclear' : standing(value, ofBase, better)}">
        <b>${unit.write(value.mean)}</b>${below && html`<small>${below}</small>`}
      </td>`
    })}
  </tr>`
}

/** Class of a value that is clearly better or worse than another. */
function standing({ low, high }: Interval, than: number, better: Measure['better']): string {
  const found = direction({ low: low - than, high: high - than })
  return better === 'lower' ? { up: 'down', down: 'up', unclear: 'unclear' }[found] : found
}

/** From so many pairs on, those without the policy that the report is about are folded away. */
const foldFrom = 7

function comparisonTable(report: Report): Markup | undefined {
  const comparisons = report.details?.comparisons ?? []
  if (comparisons.length === 0) return undefined
  const subject = subjectOf(report)?.name
  const pairs = [...new Map(comparisons.map((row) => [`${row.policy} ${row.against}`, row])).values()]
  const isFirst = ({ policy, against }: Comparison) =>
    pairs.length < foldFrom || policy === subject || against === subject
  const others = pairs.filter((pair) => !isFirst(pair))
  return html`<h3>Policies against each other</h3>
    ${pairTable(report, comparisons, pairs.filter(isFirst))}
    ${
      others.length > 0
        ? html`<details>
            <summary>The other ${whole(others.length)} pairs</summary>
            ${pairTable(report, comparisons, others)}
          </details>`
        : undefined
    }`
}

function pairTable(report: Report, comparisons: readonly Comparison[], pairs: readonly Comparison[]): Markup {
  const looks = looksOf(report)
  return html`<table class="plain">
    <thead>
      <tr>
        <th scope="col">Difference in ${wordingOf(report).chief.title.toLowerCase()}, points</th>
        ${splits.map((split) => html`<th scope="col">${split}</th>`)}
      </tr>
    </thead>
    <tbody>
      ${pairs.map(
        ({ policy, against }) =>
          html`<tr>
            <th scope="row">${looks(policy).title} minus ${looks(against).title}</th>
            ${splits.map((split) => {
              const found = comparisons.find(
                (row) => row.policy === policy && row.against === against && row.split === split,
              )
              return found
                ? html`<td class="${direction(found.difference)}">
                    <b>${percentagePoints.write(found.difference.mean)}</b>
                    <small>${rangeIn(percentagePoints, found.difference)}</small>
                  </td>`
                : html`<td>–</td>`
            })}
          </tr>`,
      )}
    </tbody>
  </table>`
}
