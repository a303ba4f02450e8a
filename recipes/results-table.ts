/**
 * Averages reports of several seeds and writes the table between the README's `results` markers. The intervals of
 * differences are Student's, over seeds.
 * Run: node_modules/.bin/node recipes/results-table.ts REPORT.json …
 */
import { readFileSync } from 'node:fs'
import { format, resolveConfig } from 'prettier'
import { subsetInterval, type Interval } from '../src/report/interval.ts'
import { Report, type PolicyReport } from '../src/report/schema.ts'
import { writeFileAtomic } from '../src/run.ts'

const readme = 'README.md'
const reports = process.argv.slice(2).map((file) => Report.parse(JSON.parse(readFileSync(file, 'utf8'))))
const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length
const points = (value: number) => `${value > 0 ? '+' : ''}${(100 * value).toFixed(1)}`

function row(name: PolicyReport['name']): string {
  const runs = reports.map(({ policies }) => policies.find((policy) => policy.name === name)!)
  const over = (pick: (policy: PolicyReport) => number) => mean(runs.map(pick))
  const difference = (pick: (policy: PolicyReport) => Interval) => {
    if (name === 'base') return '–'
    const { mean: value, low, high } = subsetInterval(runs.map((run) => pick(run).mean))
    return `${points(value)} (${points(low)} … ${points(high)})`
  }
  const label = name === 'best-of-n' ? `best-of-${runs[0].bestOf}` : name
  return `| ${[
    label,
    `${(100 * over((policy) => policy.seen.alignment.mean)).toFixed(1)} %`,
    `${(100 * over((policy) => policy.unseen.alignment.mean)).toFixed(1)} %`,
    difference((policy) => policy.seen.differenceToBase),
    difference((policy) => policy.unseen.differenceToBase),
    over((policy) => policy.fidelity.frechet).toFixed(2),
    `${(100 * over((policy) => policy.fidelity.validShare!)).toFixed(1)} %`,
    over((policy) => policy.diversity.mean).toFixed(2),
    over((policy) => policy.klNats.mean).toFixed(1),
    over((policy) => policy.imagesDrawn).toFixed(0),
    `${(over((policy) => policy.seconds) / 60).toFixed(1)} min`,
  ].join(' | ')} |`
}

const held = reports.map(({ reward }) => reward!.heldOut!)
const [{ machine, torch }] = reports
const text = [
  `Mean over ${reports.length} seeds, ${new Date().toISOString().slice(0, 10)}, ${machine}, libtorch ${torch}; a demo took ` +
    `${(mean(reports.map(({ seconds }) => seconds)) / 60).toFixed(1)} minutes. Differences are paired by prompt and seed, in ` +
    'points, with 95 % intervals over seeds. The reward’s AUC on held-out prompts was ' +
    `${held.map(({ auc }) => auc.toFixed(3)).join(', ')} (CLIP score: ${held.map(({ clipScoreAuc }) => clipScoreAuc.toFixed(3)).join(', ')}).`,
  '',
  '| policy | alignment seen | unseen | difference to base, seen | unseen | Fréchet | valid | diversity | KL, nats | images drawn | training |',
  '| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |',
  ...(['base', 'best-of-n', 'reward-weighted', 'dpok'] as const).map(row),
].join('\n')

const filled = readFileSync(readme, 'utf8').replace(
  /(<!-- results -->)[\s\S]*(<!-- \/results -->)/,
  (_, open: string, close: string) => `${open}\n\n${text}\n\n${close}`,
)
writeFileAtomic(readme, await format(filled, { ...(await resolveConfig(readme)), filepath: readme }))
process.stdout.write(`${text}\n`)
