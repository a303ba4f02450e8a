/** The sections of the page that show results, in the order of the page. */
import { legend, policyTitle, titlesOf } from './chart.ts'
import {
  categoryChart,
  categoryTitles,
  curveChart,
  reliabilityChart,
  smoothOver,
  tradeOffChart,
  type Quantity,
} from './charts.ts'
import { compact, decimal, duration, percent, points, pointsRange, whole } from './format.ts'
import { direction } from './headline.ts'
import type { Interval } from '../interval.ts'
import { html, type Markup } from './markup.ts'
import { splits, type JudgedCategory, type PolicyReport, type Report, type Split } from '../schema.ts'
import { wordingOf } from './wording.ts'

/** Policies side by side, one measure a row. */
export function policyTable(report: Report): Markup {
  const { policies, details } = report
  const words = wordingOf(report)
  const row = (title: string, note: string, cell: (policy: PolicyReport) => Markup) =>
    html`<tr>
      <th scope="row">${title}${note ? html`<small>${note}</small>` : undefined}</th>
      ${policies.map(cell)}
    </tr>`
  const group = (title: string) =>
    html`<tr class="group">
      <th scope="colgroup" colspan="${policies.length + 1}">${title}</th>
    </tr>`
  const value = (text: string, note?: string) =>
    html`<td><b>${text}</b>${note === undefined ? undefined : html`<small>${note}</small>`}</td>`
  const interval = ({ mean, low, high }: Interval, write: (value: number) => string) =>
    value(write(mean), `${write(low)} to ${write(high)}`)
  const { rewardName, rewardRange } = details?.measurement ?? {}
  const rewardNote = [
    ...(words.measuredBy === 'reward' && rewardName !== undefined ? [`of ${rewardName}`] : []),
    ...(rewardRange ? [`range ${rewardRange.join(' to ')}`] : []),
  ].join(', ')
  const dash = html`<td><small>–</small></td>`
  const difference = (policy: PolicyReport, of: Interval) =>
    policy.name === 'base'
      ? dash
      : html`<td class="${direction(of)}"><b>${points(of.mean)}</b><small>${pointsRange(of)}</small></td>`
  const ofSplit = (split: Split) =>
    words.measuredBy === 'judge'
      ? html`${row(words.measure, '%, higher is better', (policy) => interval(policy[split].alignment, percent))}
        ${row('Change', 'points, paired with base', (policy) => difference(policy, policy[split].differenceToBase))}`
      : row(words.measure, "% of images, against the base's; ties count half", (policy) => {
          const { alignment, differenceToBase } = policy[split]
          return policy.name === 'base'
            ? dash
            : html`<td class="${direction(differenceToBase)}">
                <b>${percent(alignment.mean)}</b><small>${percent(alignment.low)} to ${percent(alignment.high)}</small>
              </td>`
        })
  return html`<section>
    <h2>The policies side by side</h2>
    <p class="soft">
      Every policy draws the same prompts with the same seeds, sampler and guidance. Small figures are 95 % intervals;
      ${words.tableNote}.
    </p>
    <table class="numbers">
      <thead>
        <tr>
          <th scope="col"></th>
          ${policies.map((policy) => html`<th scope="col"><span class="key ${policy.name}"></span>${policyTitle(policy)}</th>`)}
        </tr>
      </thead>
      <tbody>
        ${splits.map(
          (split) =>
            html`${group(`${split === 'seen' ? 'Seen' : 'Unseen'} prompts, n = ${whole(policies[0][split].n)} images per policy`)}
            ${ofSplit(split)}`,
        )}
        ${group(words.quality)}
        ${row('Fréchet', words.frechetNote, ({ fidelity }) => value(compact(fidelity.frechet), `${compact(fidelity.low)} to ${compact(fidelity.high)}`))}
        ${
          policies.some(({ fidelity }) => fidelity.validShare !== null)
            ? row('Clean renders', '% of images', ({ fidelity: { validShare } }) =>
                validShare === null ? dash : value(percent(validShare)),
              )
            : undefined
        }
        ${row('Diversity', 'higher is more varied', ({ diversity }) => interval(diversity, decimal))}
        ${group('What was optimised')}
        ${row('Mean reward', rewardNote, ({ meanReward }) => interval(meanReward, decimal))}
        ${row('KL to base', 'nats', ({ klNats }) => value(compact(klNats.mean), klNats.of === 'image' ? 'of the image, a bound' : klNats.low === klNats.high ? undefined : `${compact(klNats.low)} to ${compact(klNats.high)}`))}
        ${group('Cost')} ${row('Images drawn', '', (policy) => value(whole(policy.imagesDrawn)))}
        ${row('Updates', '', (policy) => value(whole(policy.updates)))}
        ${row('Time', '', (policy) => value(duration(policy.seconds)))}
      </tbody>
    </table>
    ${comparisonTable(report)}
  </section>`
}

function comparisonTable(report: Report): Markup | undefined {
  const comparisons = report.details?.comparisons ?? []
  if (comparisons.length === 0) return undefined
  const title = titlesOf(report)
  return html`<h3>Policies against each other</h3>
    <table class="plain">
      <thead>
        <tr>
          <th scope="col">Difference in ${wordingOf(report).measure.toLowerCase()}, points</th>
          ${splits.map((split) => html`<th scope="col">${split}</th>`)}
        </tr>
      </thead>
      <tbody>
        ${[...new Map(comparisons.map((row) => [`${row.policy} ${row.against}`, row])).values()].map(
          ({ policy, against }) =>
            html`<tr>
              <th scope="row">${title(policy)} minus ${title(against)}</th>
              ${splits.map((split) => {
                const found = comparisons.find(
                  (row) => row.policy === policy && row.against === against && row.split === split,
                )
                return found
                  ? html`<td class="${direction(found.difference)}">
                      <b>${points(found.difference.mean)}</b> <small>${pointsRange(found.difference)}</small>
                    </td>`
                  : html`<td>–</td>`
              })}
            </tr>`,
        )}
      </tbody>
    </table>`
}

export function categorySection(report: Report): Markup | undefined {
  const words = wordingOf(report)
  const policies = report.policies.filter(({ name }) => words.measuredBy === 'judge' || name !== 'base')
  if (policies.length === 0) return undefined
  const rows = splits.flatMap((split) =>
    (Object.keys(categoryTitles) as JudgedCategory[])
      .filter((category) => policies.some((policy) => policy[split].byCategory[category]))
      .map((category) => ({ split, category })),
  )
  return html`<section>
    <h2>${words.measure} ${rows.length > 0 ? 'by what the prompt asks for' : 'over all prompts'}</h2>
    <p class="soft">${words.categoriesNote}</p>
    ${legend(policies)}
    <div class="charts two">
      ${splits.map((split) => html`<figure>${categoryChart(policies, split, words)}</figure>`)}
    </div>
    ${rows.length > 0 ? categoryNumbers(policies, rows) : undefined}
  </section>`
}

function categoryNumbers(
  policies: readonly PolicyReport[],
  rows: readonly { readonly split: Split; readonly category: JudgedCategory }[],
): Markup {
  return html`<details>
    <summary>The numbers</summary>
    <div class="scroll">
      <table class="plain">
        <thead>
          <tr>
            <th scope="col">Prompts</th>
            ${policies.map((policy) => html`<th scope="col">${policyTitle(policy)}</th>`)}
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
  const words = wordingOf(report)
  return html`<section>
    <h2>${words.tradeOffTitle}</h2>
    <p class="soft">${words.tradeOffNote}</p>
    ${legend(policies)}
    <div class="charts two">
      ${splits.map((split) => html`<figure>${tradeOffChart(policies, split, words)}</figure>`)}
    </div>
  </section>`
}

export function curvesSection({ policies, details }: Report): Markup | undefined {
  const curves = details?.curves ?? []
  const quantities: readonly Quantity[] = [
    { title: 'Mean reward of the images drawn', of: (point) => point.reward },
    { title: 'KL to the pre-trained model, nats', of: (point) => point.klNats },
    { title: 'Explained variance of the value function', of: (point) => point.explainedVariance },
  ]
  const panels = quantities.flatMap((quantity) => curveChart(curves, quantity) ?? [])
  if (panels.length === 0) return undefined
  return html`<section>
    <h2>Fine-tuning</h2>
    <p class="soft">
      Against the number of images drawn. Long curves show measured values faintly and their mean over ${smoothOver}
      points boldly. Explained variance is taken on roll-outs that the value function has not been fitted to: 1 is
      perfect, 0 is no better than a constant.
    </p>
    ${legend(policies.filter((policy) => curves.some((curve) => curve.policy === policy.name)))}
    <div class="charts">${panels.map((panel) => html`<figure>${panel}</figure>`)}</div>
  </section>`
}

export function rewardSection({ reward, details }: Report): Markup {
  if (reward === null) {
    const name = details?.measurement?.rewardName
    return html`<section>
      <h2>The reward model</h2>
      <p>
        ${name === undefined ? 'The reward' : html`The reward is <b>${name}</b>. It`} was taken as it is: it learned
        from no labels collected here, so there are none to test it on.
      </p>
    </section>`
  }
  const { comparisons } = reward
  const compared = comparisons && comparisonsText(comparisons)
  if (reward.heldOut === null) {
    return html`<section>
      <h2>The reward model</h2>
      <p>It learned from comparisons alone. ${compared}</p>
    </section>`
  }
  const { n, accuracy, auc, clipScoreAuc, ece } = reward.heldOut
  const tile = (title: string, text: string) =>
    html`<div>
      <dt>${title}</dt>
      <dd>${text}</dd>
    </div>`
  const better = auc > clipScoreAuc ? 'better than' : auc < clipScoreAuc ? 'worse than' : 'as well as'
  return html`<section>
    <h2>The reward model</h2>
    <p>
      On ${whole(n)} labelled images of prompts that it was not trained on, the reward model separates good from bad
      ${better} the CLIP score: a good image scores above a bad one in ${percent(auc)} % of pairs, against
      ${percent(clipScoreAuc)} %. ${compared}
    </p>
    <div class="beside">
      ${
        details?.reliability?.length
          ? html`<figure>
              ${reliabilityChart(details.reliability)}
              <figcaption>
                Calibration on held-out prompts: on the dashed diagonal a predicted reward equals the share of good
                labels. The area of a dot is its number of images.
              </figcaption>
            </figure>`
          : undefined
      }
      <dl class="tiles">
        ${tile('AUC of the reward model', decimal(auc, 3))} ${tile('AUC of the CLIP score', decimal(clipScoreAuc, 3))}
        ${tile('Accuracy', `${percent(accuracy)} %`)} ${tile('Calibration error, 0 is perfect', decimal(ece, 3))}
        ${tile('Labels held out', whole(n))} ${tile('Labels in all, without skips', whole(reward.labels))}
      </dl>
    </div>
  </section>`
}

function comparisonsText({
  n,
  pairAccuracy,
  clipScorePairAccuracy,
}: NonNullable<NonNullable<Report['reward']>['comparisons']>): string {
  return `Of ${whole(n)} comparisons of images of prompts that it was not trained on, those that are no ties are in the order that people gave in ${percent(pairAccuracy)} %, by the CLIP score in ${percent(clipScorePairAccuracy)} %.`
}

export function costSection({ policies, seconds, machine, details }: Report): Markup {
  const stages =
    details?.stages ??
    policies
      .filter((policy) => policy.seconds > 0)
      .map((policy) => ({ name: policyTitle(policy), seconds: policy.seconds }))
  const longest = Math.max(1e-9, ...stages.map((stage) => stage.seconds))
  return html`<section>
    <h2>What it cost</h2>
    <p>
      The whole run took <b>${duration(seconds)}</b> on ${machine}. Stages that run side by side overlap, so their times
      add up to more.
    </p>
    <table class="plain" style="width: 100%; max-width: 760px">
      <thead>
        <tr>
          <th scope="col">Stage</th>
          <th scope="col">Time</th>
          <th scope="col"></th>
        </tr>
      </thead>
      <tbody>
        ${stages.map(
          (stage) =>
            html`<tr>
              <th scope="row">${stage.name}</th>
              <td>${duration(stage.seconds)}</td>
              <td class="wide">
                <span class="bar" style="width: ${decimal((100 * stage.seconds) / longest, 1)}%"></span>
              </td>
            </tr>`,
        )}
      </tbody>
    </table>
  </section>`
}
