/**
 * Averages reports of several seeds and writes the table between the README's `results` markers. A policy is a column, a
 * measure a row, with Student's 95 % intervals over seeds where there are several.
 * Run: node_modules/.bin/node recipes/results-table.ts REPORT.json …
 */
import { readFileSync } from 'node:fs'
import { format, resolveConfig } from 'prettier'
import { mean } from 'simple-statistics'
import { writeFileAtomic } from '../src/files.ts'
import { duration, rangeIn, whole, type Unit } from '../src/report/format.ts'
import { subsetInterval } from '../src/report/interval.ts'
import { measures } from '../src/report/measures/index.ts'
import { canTake, type Measure } from '../src/report/measures/measure.ts'
import { valueOf } from '../src/report/measures/value-of.ts'
import { policyTitle } from '../src/report/page/policy-look.ts'
import { Report, splits, type PolicyReport, type Split } from '../src/report/schema.ts'

const readme = 'README.md'
const reports = process.argv.slice(2).map((file) => Report.parse(JSON.parse(readFileSync(file, 'utf8'))))
const [{ policies, machine, torch }] = reports

/** A policy in every report. */
const runsOf = ({ name }: PolicyReport) =>
  reports.map((report) => report.policies.find((policy) => policy.name === name)!)

function cell(policy: PolicyReport, unit: Unit, of: (policy: PolicyReport) => number | undefined): string {
  const values = runsOf(policy).map(of)
  if (!values.every((value) => value !== undefined)) return '–'
  const range = values.length > 1 ? rangeIn(unit, subsetInterval(values)) : undefined
  return `${unit.write(mean(values))}${range === undefined ? '' : ` (${range})`}`
}

function row(measure: Measure, split?: Split): string {
  const { title, unit, better, ofBase } = measure
  const arrow = better === undefined ? '' : { higher: ' ↑', lower: ' ↓' }[better]
  const head = `${title}${split === undefined ? '' : `, ${split}`}${unit.text && `, ${unit.text}`}${arrow}`
  const cells = policies.map((policy) =>
    ofBase !== undefined && policy.name === 'base'
      ? '–'
      : cell(policy, unit, (run) => valueOf(run, measure, split)?.mean),
  )
  return `| ${[head, ...cells].join(' | ')} |`
}

/** What it cost: a mean over seeds. */
const fact = (title: string, of: (policy: PolicyReport) => number, write: (value: number) => string) =>
  `| ${[title, ...policies.map((policy) => write(mean(runsOf(policy).map(of))))].join(' | ')} |`

const { measuredBy } = policies[0].seen
const shown = measures.filter((measure) => canTake(measure, measuredBy))
const held = reports.map(({ reward }) => reward!.heldOut!)
const text = [
  `Mean over ${reports.length} seeds, ${new Date().toISOString().slice(0, 10)}, ${machine}, libtorch ${torch}; a demo took ` +
    `${(mean(reports.map(({ seconds }) => seconds)) / 60).toFixed(1)} minutes. Changes are paired by prompt and seed; ` +
    '95 % intervals are over seeds. The reward’s AUC on held-out prompts was ' +
    `${held.map(({ auc }) => auc.toFixed(3)).join(', ')} (CLIP score: ${held.map(({ clipScoreAuc }) => clipScoreAuc.toFixed(3)).join(', ')}).`,
  '',
  `| | ${policies.map(policyTitle).join(' | ')} |`,
  `| --- |${' --- |'.repeat(policies.length)}`,
  ...splits.flatMap((split) =>
    shown.filter(({ section }) => section === 'splits').map((measure) => row(measure, split)),
  ),
  ...shown.filter(({ section }) => section !== 'splits').map((measure) => row(measure)),
  fact('Images drawn', ({ imagesDrawn }) => imagesDrawn, whole),
  fact('Training', ({ seconds }) => seconds, duration),
].join('\n')

const filled = readFileSync(readme, 'utf8').replace(
  /(<!-- results -->)[\s\S]*(<!-- \/results -->)/,
  (_, open: string, close: string) => `${open}\n\n${text}\n\n${close}`,
)
writeFileAtomic(readme, await format(filled, { ...(await resolveConfig(readme)), filepath: readme }))
process.stdout.write(`${text}\n`)
