/** The section about people's blind votes between policies. */
import { decimal, percent, percentage, rangeIn, whole } from '../format.ts'
import type { Report } from '../schema.ts'
import { wantedSentence } from '../votes/verdict-words.ts'
import { direction } from './headline.ts'
import { folded, html, type Markup } from './markup.ts'
import { looksOf } from './policy-look.ts'

const questions = { alignment: 'Which shows the prompt better', fidelity: 'Which is the better picture' }

export function votesSection(report: Report): Markup | undefined {
  const votes = report.details?.votes
  if (votes === undefined) return undefined
  const looks = looksOf(report)
  return folded(
    'What people voted',
    html`
      <p class="soft">
        Blind votes of ${whole(votes.raters)} ${votes.raters === 1 ? 'person' : 'people'}, each between images of one
        prompt and noise by two policies. A tie counts half. Of sets, a comparison is won with two thirds of its votes.
        Intervals are Wilson’s, over comparisons, and right for one look; the verdict holds however often one has
        looked.
      </p>
      <div class="scroll" role="group" aria-label="What people voted" tabindex="0">
        <table class="plain">
          <thead>
            <tr>
              <th scope="col">Policies</th>
              <th scope="col">Question</th>
              <th scope="col">Won, tied, lost</th>
              <th scope="col">Comparisons</th>
              <th scope="col">Win rate, %</th>
              <th scope="col" class="left">Verdict</th>
            </tr>
          </thead>
          <tbody>
            ${votes.pairs.map(
              (pair) =>
                html`<tr>
                  <th scope="row">${looks(pair.policy).title} over ${looks(pair.against).title}</th>
                  <td>${questions[pair.question]}${pair.form === 'set' ? ', sets' : ''}</td>
                  <td>${[pair.wins, pair.ties, pair.losses].map(whole).join(', ')}</td>
                  <td>${whole(pair.duels)}</td>
                  <td class="${standingOf(pair)}">
                    <b>${percent(pair.rate.mean)}</b> <small>${rangeIn(percentage, pair.rate)}</small>
                  </td>
                  <td class="left">${verdictIn(pair)}</td>
                </tr>`,
            )}
          </tbody>
        </table>
      </div>
      ${votes.nu.map(
        ({ question, nu }) =>
          html`<p class="soft">
            ${questions[question]}: two that are equally strong tie in ${percent(nu / (2 + nu), 0)} % of comparisons (ν
            = ${decimal(nu)}).
          </p>`,
      )}
    `,
  )
}

type Pair = NonNullable<NonNullable<Report['details']>['votes']>['pairs'][number]

/** Class of a win rate: as the verdict says, or in a report without one as its interval does. */
const standingOf = ({ verdict, rate: { low, high } }: Pair): ReturnType<typeof direction> =>
  verdict === undefined
    ? direction({ low: low - 0.5, high: high - 0.5 })
    : verdict.better === null
      ? 'unclear'
      : ({ policy: 'up', against: 'down' } as const)[verdict.better]

/** Nothing of a report that has none. */
function verdictIn({ verdict }: Pair): string | undefined {
  if (verdict === undefined) return undefined
  const { better, won, tied, lost, wanted, share } = verdict
  if (better !== null) return better === 'policy' ? 'clearly better' : 'clearly worse'
  return `no clear difference so far. ${wantedSentence({ better, won, tied, lost, wanted, interval: share })}`
}
