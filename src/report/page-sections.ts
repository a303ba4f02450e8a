/** The sections of the page that show results, in the order of the page. */
import { legend, policyTitle } from './chart.ts'
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
import type { Interval } from './interval.ts'
import { html, type Markup } from './markup.ts'
import { splits, type JudgedCategory, type PolicyName, type PolicyReport, type Report, type Split } from './schema.ts'

/** One image of a grid and what the judge says of it. */
export interface Sample {
  /** A PNG file. */
  readonly png: Uint8Array
  readonly aligned: boolean
  /** Shown in the text alternative. */
  readonly seed?: number
}

/** One prompt with what each policy drew for it; the i-th image of every policy has the same seed. */
export interface SampleRow {
  readonly prompt: string
  readonly split: Split
  readonly cells: readonly { readonly policy: PolicyName; readonly images: readonly Sample[] }[]
}

/** Policies side by side, one measure a row. */
export function policyTable({ policies, details }: Report): Markup {
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
  const difference = (policy: PolicyReport, of: Interval) =>
    policy.name === 'base'
      ? html`<td><small>–</small></td>`
      : html`<td class="${direction(of)}"><b>${points(of.mean)}</b><small>${pointsRange(of)}</small></td>`
  return html`<section>
    <h2>The policies side by side</h2>
    <p class="soft">
      Every policy draws the same prompts with the same seeds, sampler and guidance. Small figures are 95 % intervals; a
      green or red difference has an interval clear of zero.
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
            ${row('Alignment', '%, higher is better', (policy) => interval(policy[split].alignment, percent))}
            ${row('Change', 'points, paired with base', (policy) => difference(policy, policy[split].differenceToBase))}`,
        )}
        ${group('Image quality')}
        ${row('Fréchet', 'to true renders, lower is better', ({ fidelity }) => value(compact(fidelity.frechet), `${compact(fidelity.low)} to ${compact(fidelity.high)}`))}
        ${row('Clean renders', '% of images', ({ fidelity }) => value(percent(fidelity.validShare)))}
        ${row('Diversity', 'higher is more varied', ({ diversity }) => interval(diversity, decimal))}
        ${group('What was optimised')}
        ${row('Mean reward', details?.measurement?.rewardRange ? `range ${details.measurement.rewardRange.join(' to ')}` : '', ({ meanReward }) => interval(meanReward, decimal))}
        ${row('KL to base', 'nats', ({ klNats }) => value(compact(klNats.mean), klNats.of === 'image' ? 'of the image, a bound' : klNats.low === klNats.high ? undefined : `${compact(klNats.low)} to ${compact(klNats.high)}`))}
        ${group('Cost')} ${row('Images drawn', '', (policy) => value(whole(policy.imagesDrawn)))}
        ${row('Updates', '', (policy) => value(whole(policy.updates)))}
        ${row('Time', '', (policy) => value(duration(policy.seconds)))}
      </tbody>
    </table>
    ${comparisonTable(details?.comparisons, policies)}
  </section>`
}

function comparisonTable(
  comparisons: NonNullable<Report['details']>['comparisons'],
  policies: readonly PolicyReport[],
): Markup | undefined {
  if (!comparisons?.length) return undefined
  const title = titlesOf({ policies })
  return html`<h3>Policies against each other</h3>
    <table class="plain">
      <thead>
        <tr>
          <th scope="col">Difference in alignment, points</th>
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

const titlesOf =
  ({ policies }: { readonly policies: readonly PolicyReport[] }) =>
  (name: PolicyName) =>
    policyTitle(policies.find((policy) => policy.name === name) ?? { name })

/** The same prompts and seeds for every policy, with the judge's mark on each image. */
export function samplesSection(rows: readonly SampleRow[], report: Report): Markup | undefined {
  const title = titlesOf(report)
  if (rows.length === 0) return undefined
  return html`<section>
    <h2>The same prompts and seeds, drawn by each policy</h2>
    <p class="soft">
      The first images of each prompt, not picked. Images in one place of a cell start from the same noise; best-of-n
      picks from n draws. <b>✓</b> the judge finds every stated attribute right, <b>✗</b> it does not.
    </p>
    ${splits.map((split) => {
      const shown = rows.filter((row) => row.split === split)
      if (shown.length === 0) return undefined
      const policies = shown[0].cells.map((cell) => cell.policy)
      return html`<h3>${split === 'seen' ? 'Prompts seen in feedback and fine-tuning' : 'Unseen prompts'}</h3>
        <table class="samples" style="--columns: ${policies.length}">
          <thead>
            <tr>
              <th scope="col">Prompt</th>
              ${policies.map((policy) => html`<th scope="col"><span class="key ${policy}"></span>${title(policy)}</th>`)}
            </tr>
          </thead>
          <tbody>
            ${shown.map(
              (row) =>
                html`<tr>
                  <th scope="row">${row.prompt}</th>
                  ${row.cells.map(
                    ({ policy, images }) =>
                      html`<td>
                        <div class="shots">
                          ${images.map(
                            ({ png, aligned, seed }, i) =>
                              html`<span class="shot${aligned ? ' aligned' : ''}"
                                ><img
                                  alt="${title(policy)}, seed ${seed ?? i + 1}: ${aligned ? 'as asked' : 'not as asked'}"
                                  src="data:image/png;base64,${Buffer.from(png).toString('base64')}"
                                /><i aria-hidden="true">${aligned ? '✓' : '✗'}</i></span
                              >`,
                          )}
                        </div>
                      </td>`,
                  )}
                </tr>`,
            )}
          </tbody>
        </table>`
    })}
  </section>`
}

export function categorySection({ policies }: Report, key: Markup): Markup {
  const categories = Object.keys(categoryTitles) as JudgedCategory[]
  return html`<section>
    <h2>Alignment by what the prompt asks for</h2>
    <p class="soft">Share of images with every stated attribute right; whiskers are 95 % intervals over prompts.</p>
    ${key}
    <div class="charts two">${splits.map((split) => html`<figure>${categoryChart(policies, split)}</figure>`)}</div>
    <details>
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
            ${splits.flatMap((split) =>
              categories
                .filter((category) => policies.some((policy) => policy[split].byCategory[category]))
                .map(
                  (category) =>
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
                ),
            )}
          </tbody>
        </table>
      </div>
    </details>
  </section>`
}

export function tradeOffSection({ policies }: Report, key: Markup): Markup {
  return html`<section>
    <h2>Alignment against fidelity</h2>
    <p class="soft">
      Does a policy follow its prompts at the price of drawing worse pictures? Up is better aligned, right is closer to
      true renders. Whiskers are 95 % intervals.
    </p>
    ${key}
    <div class="charts two">${splits.map((split) => html`<figure>${tradeOffChart(policies, split)}</figure>`)}</div>
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
      ${percent(clipScoreAuc)} %.
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
