/** What a policy cost: images and time, and what was given up for it. */
import { compact, duration, rangeIn, whole } from '../format.ts'
import type { Interval } from '../interval.ts'
import { diversity } from '../measures/diversity.ts'
import { frechet } from '../measures/frechet.ts'
import { kl } from '../measures/kl.ts'
import type { Measure } from '../measures/measure.ts'
import { valueOf } from '../measures/value-of.ts'
import { referenceOf } from '../report-facts.ts'
import type { PolicyReport, Report } from '../schema.ts'
import { policyOf, subjectOf } from './headline.ts'
import { html, type Markup } from './markup.ts'

/** `worse`: the intervals of the base and of the policy are apart, on the wrong side. */
export type Toll = 'better' | 'worse' | 'unclear'

/** What became of a quantity of the base. */
export function tollOf(base: PolicyReport, policy: PolicyReport, measure: Measure): Toll {
  const [before, after] = [base, policy].map((one) => valueOf(one, measure))
  if (before === undefined || after === undefined) return 'unclear'
  const rose = after.low > before.high
  const fell = after.high < before.low
  if (!rose && !fell) return 'unclear'
  return rose === (measure.better === 'higher') ? 'better' : 'worse'
}

/** Undefined where there is nothing but the base. */
export function costTiles(report: Report): Markup | undefined {
  const [base, subject] = [policyOf(report, 'base'), subjectOf(report)]
  if (!base || !subject) return undefined
  const nats = valueOf(subject, kl)
  const tiles = [
    tile('Images drawn', whole(subject.imagesDrawn), report.reward && `besides ${whole(report.reward.labels)} labels`),
    tile('Time of training', duration(subject.seconds), `${whole(subject.updates)} updates`),
    nats === undefined
      ? tile('KL to the base', 'none', 'no step of the sampler has noise')
      : tile('KL to the base, nats', compact(nats.mean), rangeOf(kl, nats)),
    moved(base, subject, frechet, `Fréchet distance to ${referenceOf(report)}`, {
      better: 'closer',
      worse: 'further away',
    }),
    moved(base, subject, diversity, 'Diversity within a prompt', { better: 'more', worse: 'less' }),
  ]
  return html`<section>
    <h2>What it cost</h2>
    <dl class="tiles cost">${tiles}</dl>
  </section>`
}

const rangeOf = (measure: Measure, value: Interval) => rangeIn(measure.unit, value)

const tile = (title: string, text: string, note?: string | null, toll: Toll = 'unclear'): Markup =>
  html`<div>
    <dt>${title}</dt>
    <dd class="${{ better: 'up', worse: 'down', unclear: '' }[toll]}"><b>${text}</b></dd>
    ${note ? html`<dd class="note">${note}</dd>` : undefined}
  </div>`

/** From the base's value to that of the policy. */
function moved(
  base: PolicyReport,
  subject: PolicyReport,
  measure: Measure,
  title: string,
  words: Readonly<Record<Exclude<Toll, 'unclear'>, string>>,
): Markup | undefined {
  const [before, after] = [base, subject].map((one) => valueOf(one, measure))
  if (before === undefined || after === undefined) return undefined
  const toll = tollOf(base, subject, measure)
  const note = toll === 'unclear' ? 'intervals overlap: no clear change' : words[toll]
  return tile(title, `${measure.unit.write(before.mean)} → ${measure.unit.write(after.mean)}`, note, toll)
}
