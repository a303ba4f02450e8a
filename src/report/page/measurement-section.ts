/** The section that says how everything on the page was measured. */
import { percent, whole } from '../format.ts'
import { measures } from '../measures/index.ts'
import { canTake, type Measure } from '../measures/measure.ts'
import { isMeasured } from '../measures/value-of.ts'
import { folded, html, type Markup } from './markup.ts'
import type { Report } from '../schema.ts'
import { wordingOf } from './wording.ts'

export function measurementSection(report: Report): Markup {
  const { policies, details, reward } = report
  const words = wordingOf(report)
  const measured = details?.measurement
  const terms: [string, string | undefined | null][] = [
    ['Seen, unseen', words.splitsTerm],
    [
      'Prompts and images',
      measured &&
        `${whole(measured.promptsSeen)} seen and ${whole(measured.promptsUnseen)} unseen prompts, ${whole(measured.imagesPerPrompt)} images each: n = ${whole(policies[0].seen.n)} and ${whole(policies[0].unseen.n)} images per policy, none of them used in training.`,
    ],
    [
      'Sampler',
      measured &&
        `${measured.sampler}, ${measured.steps} steps, η = ${measured.eta}, guidance ${measured.guidance}, the same for every policy.`,
    ],
    [
      'Seeds',
      measured &&
        `Seed ${measured.seed}${measured.tuningSeed === undefined ? '' : `; coefficients were chosen on seed ${measured.tuningSeed}`}. The same prompt and seed start from the same noise in every policy.`,
    ],
    [
      'Intervals',
      `95 %. Means: percentile bootstrap over prompts${measured?.bootstrapResamples ? ` (${whole(measured.bootstrapResamples)} resamples)` : ''}. Differences: the same, paired by prompt and seed. One run: intervals speak of other prompts and images, not of training again.`,
    ],
    ...measures
      .filter((measure) => canTake(measure, words.measuredBy))
      .map((measure): [string, string | undefined] => [measure.title, explained(report, measure)]),
    [
      'Raters',
      measured &&
        reward &&
        (measured.simulatedRater
          ? `Simulated: no person gave these labels. A program answers from the judge's reading, flips ${percent(measured.simulatedRater.errorRate, 0)} % of its answers at random and skips ${percent(measured.simulatedRater.skipRate, 0)} %. People disagree in ways that this does not show.`
          : 'People.'),
    ],
    ['Coefficients', measured?.selectionRule],
  ]
  return folded(
    'How it was measured',
    html`
      <dl class="terms">
        ${terms.flatMap(([term, text]) =>
          text
            ? [
                html`<dt>${term}</dt>
                  <dd>${text}</dd>`,
              ]
            : [],
        )}
      </dl>
      ${
        details?.config && Object.keys(details.config).length > 0
          ? html`<details>
              <summary>Configuration</summary>
              <div class="scroll" role="group" aria-label="Configuration" tabindex="0">
                <table class="plain">
                  <tbody>
                    ${Object.entries(details.config).map(
                      ([name, value]) =>
                        html`<tr>
                          <th scope="row">${name}</th>
                          <td class="left">${`${value}`}</td>
                        </tr>`,
                    )}
                  </tbody>
                </table>
              </div>
            </details>`
          : undefined
      }
    `,
  )
}

/** Nothing of a measure that an earlier version did not take. */
function explained(report: Report, measure: Measure): string | undefined {
  const why = report.details?.notMeasured?.[measure.name]
  const lack = why === undefined ? undefined : `Not measured: ${why}.`
  if (!isMeasured(report, measure)) return lack
  const text = measure.explanation(report)
  return lack === undefined ? text : [text, lack].filter(Boolean).join(' ')
}
