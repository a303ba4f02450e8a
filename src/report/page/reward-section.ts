/** The sections of the page about the reward and about the time that everything took. */
import { decimal, duration, percent, whole } from '../format.ts'
import type { Report } from '../schema.ts'
import { reliabilityChart } from './charts.ts'
import { folded, html, type Markup } from './markup.ts'
import { policyTitle } from './policy-look.ts'

export function rewardSection({ reward, details }: Report): Markup {
  if (reward === null) {
    const name = details?.measurement?.rewardName
    return folded(
      'The reward model',
      html`
        <p>
          ${name === undefined ? 'The reward' : html`The reward is <b>${name}</b>. It`} was taken as it is: it learned
          from no labels collected here, so there are none to test it on.
        </p>
      `,
    )
  }
  const { comparisons } = reward
  const compared = comparisons && comparisonsText(comparisons)
  if (reward.heldOut === null) {
    return folded('The reward model', html` <p>It is measured on comparisons alone. ${compared}</p> `)
  }
  const { n, accuracy, auc, clipScoreAuc, ece } = reward.heldOut
  const tile = (title: string, text: string) =>
    html`<div>
      <dt>${title}</dt>
      <dd>${text}</dd>
    </div>`
  const better = auc > clipScoreAuc ? 'better than' : auc < clipScoreAuc ? 'worse than' : 'as well as'
  return folded(
    'The reward model',
    html`
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
    `,
  )
}

function comparisonsText({
  n,
  pairAccuracy,
  clipScorePairAccuracy,
  frozenHeadPairAccuracy: frozen,
}: NonNullable<NonNullable<Report['reward']>['comparisons']>): string {
  const byHead =
    frozen === undefined ? '' : `, by a head on the encoder as it was before its training in ${percent(frozen)} %`
  return `Of ${whole(n)} comparisons of images of prompts that it was not trained on, those that are no ties are in the order that people gave in ${percent(pairAccuracy)} %, by the CLIP score in ${percent(clipScorePairAccuracy)} %${byHead}.`
}

export function timeSection({ policies, seconds, machine, details }: Report): Markup {
  const stages =
    details?.stages ??
    policies
      .filter((policy) => policy.seconds > 0)
      .map((policy) => ({ name: policyTitle(policy), seconds: policy.seconds }))
  const longest = Math.max(1e-9, ...stages.map((stage) => stage.seconds))
  return folded(
    'How long each stage took',
    html`
      <p>
        The whole run took <b>${duration(seconds)}</b> on ${machine}. Stages that run side by side overlap, so their
        times add up to more.
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
    `,
  )
}
