/**
 * The report as one self-contained HTML page: style, charts and images are inside it, it loads nothing and runs no
 * script, so it can be mailed, archived and opened from a disk.
 */
import { duration, whole } from '../format.ts'
import { categorySection, curvesSection, tradeOffSection } from './chart-sections.ts'
import { costTiles } from './cost-section.ts'
import { goals, type Goal } from './goals.ts'
import { headline } from './headline.ts'
import { keyPictures } from './key-pictures.ts'
import { folded, html, Markup } from './markup.ts'
import { measurementSection } from './measurement-section.ts'
import { nextSteps } from './next-steps.ts'
import { objectsSection } from './objects-section.ts'
import { samplesSection, type SampleRow } from './samples-section.ts'
import { pageStyle } from './style.ts'
import { policyTable } from './policy-table.ts'
import { rewardSection, timeSection } from './reward-section.ts'
import { votesSection } from './votes-section.ts'
import type { Report } from '../schema.ts'

/** All that the page shows: the content of `report.json` and the images. */
export interface ReportInput {
  readonly report: Report
  readonly grids: readonly SampleRow[]
}

export function reportPage({ report, grids }: ReportInput): string {
  const { details } = report
  const sentences = headline(report)
  const page = html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta
          http-equiv="Content-Security-Policy"
          content="default-src 'none'; style-src 'unsafe-inline'; img-src data:"
        />
        <meta name="color-scheme" content="light dark" />
        <link rel="icon" href="data:," />
        <title>Attune report</title>
        <style>
          ${new Markup(pageStyle)}
        </style>
      </head>
      <body>
        <header>
          <h1>Attune: a text-to-image model ${report.reward === null ? 'tuned by a reward' : 'taught by feedback'}</h1>
        </header>
        <main>
          <section>
            <h2>What changed</h2>
            <p class="headline">${sentences[0]}</p>
            ${sentences.slice(1).map((sentence) => html`<p>${sentence}</p>`)} ${keyPictures(grids, report)}
            ${
              details?.caveats?.length
                ? html`<ul class="caveats" aria-label="Caveats">
                    ${details.caveats.map((caveat) => html`<li>${caveat}</li>`)}
                  </ul>`
                : undefined
            }
          </section>
          ${costTiles(report)}
          <section>
            <h2>What to do next</h2>
            <ol class="steps">
              ${nextSteps(report).map((step) => html`<li>${step}</li>`)}
            </ol>
          </section>
          ${goalList(report)} ${policyTable(report)} ${votesSection(report)} ${samplesSection(grids, report)}
          ${categorySection(report)} ${objectsSection(report)} ${tradeOffSection(report)} ${curvesSection(report)}
          ${rewardSection(report)} ${measurementSection(report)} ${timeSection(report)}
        </main>
        <footer>${report.machine}. libtorch ${report.torch}. The whole run took ${duration(report.seconds)}.</footer>
      </body>
    </html> `
  return page.text
}

function goalList(report: Report): Markup | undefined {
  const list = goals(report)
  if (list.length === 0) return undefined
  const count = (outcome: Goal['outcome']) => list.filter((goal) => goal.outcome === outcome).length
  const unclear = count('unclear')
  return folded(
    `Of ${list.length} goals set before the run: ${count('met')} met, ${count('missed')} missed`,
    html`${unclear > 0 ? html`<p>${whole(unclear)} unclear: the mean is on the right side, but its 95 % interval includes zero.</p>` : undefined}
      <ul class="goals">
        ${list.map(
          ({ aim, outcome, found }) =>
            html`<li>
              <span class="badge ${outcome}">${outcome}</span><span>${aim}</span><span class="found">${found}</span>
            </li>`,
        )}
      </ul>`,
  )
}
