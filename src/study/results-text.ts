/** What was found, as a table of values and as a page of Markdown. */
import { stringify } from 'csv-stringify/sync'
import { duration } from '../report/format.ts'
import type { Unit } from '../report/format.ts'
import type { Interval } from '../report/interval.ts'
import {
  columnsOf,
  measuredOf,
  overSeeds,
  seedsOf,
  units,
  valuesOf,
  verdictsOf,
  type Column,
  type PartVerdict,
  type Results,
  type Seeds,
  type StudyResult,
} from './results.ts'
import { allVerdicts, type Verdict } from './verdict.ts'

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

/** Told where not all seeds are measured: `, 3 of 5 seeds`. */
const fewerSeeds = ({ measured, all }: Seeds): string => (measured < all ? `, ${measured} of ${all} seeds` : '')

/** Of an arm, with its seeds where some are missing. */
export const armTitle = (result: StudyResult, arm: string): string =>
  `${result.arms.get(arm)!.title}${fewerSeeds(seedsOf(result, arm))}`

/** `Of 32 claims 18 are supported, 1 is not supported and 13 are inconclusive.` Those that are not measured come last. */
export function verdictCounts(verdicts: readonly Verdict[]): string {
  const said = allVerdicts.flatMap((verdict) => {
    const count = verdicts.filter((one) => one === verdict).length
    return verdict === 'not measured' && count === 0 ? [] : [`${count} ${count === 1 ? 'is' : 'are'} ${verdict}`]
  })
  return `Of ${verdicts.length} claims ${said.slice(0, -1).join(', ')} and ${said.at(-1)}.`
}

/** How a number of a claim was found, in words. */
export function partText({ part, interval, seeds }: PartVerdict): string {
  const unit = units[part.unit]
  const found =
    interval === undefined
      ? 'not measured'
      : `${written(unit, interval)}${unit.text && ` ${unit.text}`}${fewerSeeds(seeds)}`
  const { bound = 0 } = part
  return `${part.says}: ${found}${bound === 0 ? '' : `, wanted above ${unit.write(bound)}`}`
}

/** A sentence for every run that the results come from, then one for all. */
export const provenance = ({ runs, isSmall, results }: Results): string[] => {
  const seeds = Math.max(...results.map((result) => result.seeds.length), 0)
  return [
    ...runs.map(
      ({ date, machine, torch, version, seconds }) =>
        `${date}, ${machine}, libtorch ${torch}, Attune ${version}; all steps together took ${duration(seconds)} on one core each.`,
    ),
    `${seeds} seeds.${isSmall ? ' A small study: its figures mean nothing.' : ''}`,
  ]
}

export const rule =
  'Coefficients are chosen by one rule for all arms, with as many candidates for each, on a seed that no figure uses: the ' +
  'highest mean reward on prompts held out from fine-tuning, among the candidates whose Fréchet distance stays within 1.5 ' +
  'times that of the pre-trained model; of rewards within one standard error of the highest, the one with the smallest ' +
  'distance. The judge chooses nothing. Intervals are Student’s, 95 %, over seeds; arms of a seed share prompts, labels, ' +
  'reward and noise, so differences are paired. A claim is supported where the interval of each of its parts lies above ' +
  'its bound, not supported where one lies below, else inconclusive; not measured where fewer than two seeds have what it needs.'

/** The results as Markdown, a verdict and its numbers for every claim, then a table for every study. */
export function resultsText(all: Results): string {
  const verdicts = all.results.flatMap(verdictsOf).map(({ verdict }) => verdict)
  return [
    '# Results',
    'Made by `npm run study` from the figures alone. Pictures: [study.html](study.html). Every number: [results.csv](results.csv).',
    ...provenance(all),
    verdictCounts(verdicts),
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
  const rows = [...result.arms.keys()].map((arm) => {
    const cells = columns.map((column) => cellText(result, arm, column))
    return `| ${[armTitle(result, arm), ...cells].join(' | ')} |`
  })
  return [`| | ${heads.join(' | ')} |`, `| --- |${' --- |'.repeat(heads.length)}`, ...rows].join('\n')
}
