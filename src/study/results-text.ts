/** What was found, as a table of values and as a page of Markdown. */
import { stringify } from 'csv-stringify/sync'
import { duration } from '../report/format.ts'
import type { Unit } from '../report/format.ts'
import type { Interval } from '../report/interval.ts'
import {
  columnsOf,
  measuredOf,
  overSeeds,
  units,
  valuesOf,
  verdictsOf,
  type Column,
  type PartVerdict,
  type Results,
  type StudyResult,
} from './results.ts'

/** One row a number: `study,arm,title,at,seed,measure,split,value`. */
export const resultsCsv = ({ results }: Results): string =>
  stringify(
    results.flatMap(({ study, arms, rows }) =>
      rows.map(({ arm, seed, measure, split = '', value }) => {
        const { title, at = '' } = arms.get(arm)!
        return [study.name, arm, title, at, seed, measure, split, value]
      }),
    ),
    { header: true, columns: ['study', 'arm', 'title', 'at', 'seed', 'measure', 'split', 'value'] },
  )

/** `0.512 (0.470 … 0.554)` */
const written = ({ write }: Unit, { mean, low, high }: Interval): string =>
  low === high ? write(mean) : `${write(mean)} (${write(low)} … ${write(high)})`

/** A cell of the table of a study, which tells where fewer seeds have the measure than have the arm. */
export function cellText(result: Pick<StudyResult, 'rows'>, arm: string, { measure, split }: Column): string {
  const values = valuesOf(result, arm, measure, split)
  const { unit, isLeast } = measuredOf(measure)
  const interval = overSeeds(isLeast && values.length > 0 ? [Math.min(...values)] : values)
  if (interval === undefined) return '–'
  const seeds = new Set(result.rows.filter((row) => row.arm === arm).map(({ seed }) => seed)).size
  return `${written(unit, interval)}${values.length < seeds ? `, ${values.length} of ${seeds} seeds` : ''}`
}

/** How a number of a claim was found, in words. */
export function partText({ part, interval }: PartVerdict): string {
  const unit = units[part.unit]
  const found = interval === undefined ? 'not measured' : `${written(unit, interval)}${unit.text && ` ${unit.text}`}`
  const { bound = 0 } = part
  return `${part.says}: ${found}${bound === 0 ? '' : `, wanted above ${unit.write(bound)}`}`
}

export const provenance = ({ date, machine, torch, version, seconds, isSmall, results }: Results): string => {
  const seeds = Math.max(...results.map((result) => result.seeds.length), 0)
  return (
    `${date}, ${machine}, libtorch ${torch}, Attune ${version}; ${seeds} seeds; all steps together took ` +
    `${duration(seconds)} on one core each.${isSmall ? ' A small study: its figures mean nothing.' : ''}`
  )
}

export const rule =
  'Coefficients are chosen by one rule for all arms, with as many candidates for each, on a seed that no figure uses: the ' +
  'highest mean reward on prompts held out from fine-tuning, among the candidates whose Fréchet distance stays within 1.5 ' +
  'times that of the pre-trained model; of rewards within one standard error of the highest, the one with the smallest ' +
  'distance. The judge chooses nothing. Intervals are Student’s, 95 %, over seeds; arms of a seed share prompts, labels, ' +
  'reward and noise, so differences are paired. A claim is supported where the interval of each of its parts lies above ' +
  'its bound, not supported where one lies below, else inconclusive.'

/** The results as Markdown, a verdict and its numbers for every claim, then a table for every study. */
export function resultsText(all: Results): string {
  const claims = all.results.flatMap(verdictsOf)
  const count = (verdict: string) => claims.filter((claim) => claim.verdict === verdict).length
  return [
    '# Results',
    'Made by `npm run study` from the figures alone. Pictures: [study.html](study.html). Every number: [results.csv](results.csv).',
    provenance(all),
    `Of ${claims.length} claims ${count('supported')} are supported, ${count('not supported')} are not supported, ${count('inconclusive')} are inconclusive.`,
    rule,
    ...all.results.flatMap(studyText),
  ]
    .join('\n\n')
    .concat('\n')
}

function studyText(result: StudyResult): string[] {
  const { study, chosen, failures } = result
  const coefficients = Object.entries(chosen).map(([name, values]) => `${name}: ${settingsText(values)}`)
  return [
    `## ${study.title}`,
    study.question,
    ...verdictsOf(result).map(
      ({ claim, verdict, parts }) =>
        `- **${verdict}**: ${claim.says} (${claim.source})\n${parts.map((part) => `  - ${partText(part)}`).join('\n')}`,
    ),
    ...(coefficients.length > 0 ? [`Chosen: ${coefficients.join('; ')}.`] : []),
    table(result),
    ...(failures.length > 0 ? [`Not measured:\n\n${failures.map((failure) => `- ${failure}`).join('\n')}`] : []),
  ]
}

export const settingsText = (values: Readonly<Record<string, number>>): string =>
  Object.entries(values)
    .map(([name, value]) => `${name} ${value}`)
    .join(', ')

function table(result: StudyResult): string {
  const columns = columnsOf(result)
  const heads = columns.map(({ measure, split }) => `${measuredOf(measure).title}${split ? `, ${split}` : ''}`)
  const rows = [...result.arms].map(([arm, { title }]) => {
    const cells = columns.map((column) => cellText(result, arm, column))
    return `| ${[title, ...cells].join(' | ')} |`
  })
  return [`| | ${heads.join(' | ')} |`, `| --- |${' --- |'.repeat(heads.length)}`, ...rows].join('\n')
}
