/** The sections of the page that are charts: the measure by category and against fidelity, and the training. */
import { percent, whole } from '../format.ts'
import { splits, type JudgedCategory, type PolicyReport, type Report, type Split } from '../schema.ts'
import { legend } from './chart.ts'
import { categoryChart, categoryTitles, curveChart, smoothOver, tradeOffChart, type Quantity } from './charts.ts'
import { folded, html, type Markup } from './markup.ts'
import { looksOf, type Looks } from './policy-look.ts'
import { wordingOf } from './wording.ts'

export function categorySection(report: Report): Markup | undefined {
  const words = wordingOf(report)
  const looks = looksOf(report)
  const policies = report.policies.filter(({ name }) => words.chief.ofBase === undefined || name !== 'base')
  if (policies.length === 0) return undefined
  const rows = splits.flatMap((split) =>
    (Object.keys(categoryTitles) as JudgedCategory[])
      .filter((category) => policies.some((policy) => policy[split].byCategory[category]))
      .map((category) => ({ split, category })),
  )
  return folded(
    html`${words.chief.title} ${rows.length > 0 ? 'by what the prompt asks for' : 'over all prompts'}`,
    html`
      <p class="soft">${words.categoriesNote}</p>
      ${legend(policies, looks)}
      <div class="charts two">
        ${splits.map((split) => html`<figure>${categoryChart(policies, split, words, looks)}</figure>`)}
      </div>
      ${rows.length > 0 ? categoryNumbers(policies, rows, looks) : undefined}
    `,
  )
}

function categoryNumbers(
  policies: readonly PolicyReport[],
  rows: readonly { readonly split: Split; readonly category: JudgedCategory }[],
  looks: Looks,
): Markup {
  return html`<details>
    <summary>The numbers</summary>
    <div class="scroll" role="group" aria-label="Alignment by category" tabindex="0">
      <table class="plain">
        <thead>
          <tr>
            <th scope="col">Prompts</th>
            ${policies.map((policy) => html`<th scope="col">${looks(policy.name).title}</th>`)}
          </tr>
        </thead>
        <tbody>
          ${rows.map(
            ({ split, category }) =>
              html`<tr>
                <th scope="row">${categoryTitles[category]}, ${split}</th>
                ${policies.map((policy) => {
                  const cell = policy[split].byCategory[category]
                  return cell
                    ? html`<td>
                        ${percent(cell.mean)} %
                        <small>${percent(cell.low)} to ${percent(cell.high)}, n = ${whole(cell.n)}</small>
                      </td>`
                    : html`<td>–</td>`
                })}
              </tr>`,
          )}
        </tbody>
      </table>
    </div>
  </details>`
}

export function tradeOffSection(report: Report): Markup {
  const { policies } = report
  const looks = looksOf(report)
  const words = wordingOf(report)
  return folded(
    words.tradeOffTitle,
    html`
      <p class="soft">${words.tradeOffNote}</p>
      ${legend(policies, looks)}
      <div class="charts two">
        ${splits.map((split) => html`<figure>${tradeOffChart(policies, split, words, looks)}</figure>`)}
      </div>
    `,
  )
}

export function curvesSection(report: Report): Markup | undefined {
  const { policies, details } = report
  const looks = looksOf(report)
  const curves = details?.curves ?? []
  const quantities: readonly Quantity[] = [
    { title: 'Mean reward of the images drawn', of: (point) => point.reward },
    { title: 'KL to the pre-trained model, nats', of: (point) => point.klNats },
    { title: 'Explained variance of the value function', of: (point) => point.explainedVariance },
  ]
  const panels = quantities.flatMap((quantity) => curveChart(curves, quantity, looks) ?? [])
  if (panels.length === 0) return undefined
  return folded(
    'Fine-tuning',
    html`
      <p class="soft">
        Against the number of images drawn. Long curves show measured values faintly and their mean over ${smoothOver}
        points boldly. Explained variance is taken on roll-outs that the value function has not been fitted to: 1 is
        perfect, 0 is no better than a constant.
      </p>
      ${legend(
        policies.filter((policy) => curves.some((curve) => curve.policy === policy.name)),
        looks,
      )}
      <div class="charts">${panels.map((panel) => html`<figure>${panel}</figure>`)}</div>
    `,
  )
}
