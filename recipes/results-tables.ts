/**
 * Writes the tables of README.md and docs/methods.md from docs/results.csv; with the folder of a study, its results go to
 * docs/ first. Run: node_modules/.bin/node recipes/results-tables.ts [folder]
 */
import { copyFileSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parse } from 'csv-parse/sync'
import { format, resolveConfig } from 'prettier'
import { z } from 'zod'
import { writeFileAtomic } from '../src/files.ts'
import { splits } from '../src/report/schema.ts'
import { cellText } from '../src/study/results-text.ts'
import { measuredOf, type Column, type Row } from '../src/study/results.ts'

const root = fileURLToPath(new URL('..', import.meta.url))

interface Table {
  readonly file: string
  readonly study: string
  /** All of the study where none are named. */
  readonly arms?: readonly string[]
  /** Rows after these, of other studies with the same seeds. */
  readonly others?: readonly { readonly study: string; readonly arm: string }[]
  readonly columns: readonly Column[]
}
const bySplit = (measure: string): Column[] => splits.map((split) => ({ measure, split }))
const fidelityAndCost = ['frechet', 'diversity', 'kl', 'images-drawn', 'wall'].map((measure) => ({ measure }))
export const tables: readonly Table[] = [
  {
    file: 'README.md',
    study: 'families',
    arms: ['base', 'best-of-4', 'reward-weighted', 'dpok'],
    others: [{ study: 'best-of-n', arm: 'nft-prompts-16-held-0.3' }],
    columns: [...bySplit('alignment'), ...bySplit('difference-to-base'), ...fidelityAndCost],
  },
  { file: 'docs/methods.md', study: 'methods', columns: [...bySplit('alignment'), ...fidelityAndCost] },
]

const CsvRow = z.object({
  study: z.string(),
  arm: z.string(),
  title: z.string(),
  seed: z.coerce.number(),
  measure: z.string(),
  split: z.enum(['', ...splits]),
  value: z.coerce.number(),
})
const rowsOf = (csv: string) => z.array(CsvRow).parse(parse(csv, { columns: true }))

/** Mean over the seeds that all arms have, with 95 % intervals, an arm a row. */
function tableText({ file, study, arms, others = [], columns }: Table, csv: string): string {
  const found = rowsOf(csv).filter(
    (row) =>
      (row.study === study && (arms?.includes(row.arm) ?? true)) ||
      others.some((one) => one.study === row.study && one.arm === row.arm),
  )
  const titles = new Map(found.map(({ arm, title }) => [arm, title]))
  const seedsOf = (arm: string) => new Set(found.flatMap((row) => (row.arm === arm ? [row.seed] : [])))
  const seeds = [...titles.keys()].map(seedsOf).reduce((all, some) => all.intersection(some))
  const rows: Row[] = found.flatMap(({ split, ...row }) =>
    seeds.has(row.seed) ? [{ ...row, ...(split !== '' && { split }) }] : [],
  )
  const heads = columns.map(({ measure, split }) => {
    const { title, better, unit } = measuredOf(measure)
    const arrow = better === undefined ? '' : { higher: ' ↑', lower: ' ↓' }[better]
    return `${title}${split === undefined ? '' : `, ${split}`}${unit.text && `, ${unit.text}`}${arrow}`
  })
  return [
    `Mean over ${seeds.size} seeds with 95 % intervals over them, from [results.csv](${file.startsWith('docs/') ? '' : 'docs/'}results.csv).`,
    '',
    `| | ${heads.join(' | ')} |`,
    `| --- |${' --- |'.repeat(heads.length)}`,
    ...(arms === undefined ? [...titles.keys()] : [...arms, ...others.map(({ arm }) => arm)]).map((arm) => {
      const cells = columns.map((column) => cellText({ rows }, arm, column))
      return `| ${[titles.get(arm)!, ...cells].join(' | ')} |`
    }),
  ].join('\n')
}

/** The page that a table stands in, with the table as docs/results.csv has it. */
export async function pageWith(table: Table): Promise<string> {
  const path = join(root, table.file)
  const text = tableText(table, readFileSync(join(root, 'docs/results.csv'), 'utf8'))
  const filled = readFileSync(path, 'utf8').replace(
    /(<!-- results -->)[\s\S]*(<!-- \/results -->)/,
    (_, open: string, close: string) => `${open}\n\n${text}\n\n${close}`,
  )
  return await format(filled, { ...(await resolveConfig(path)), filepath: path })
}

if (import.meta.main) {
  const [, , folder] = process.argv
  for (const name of folder === undefined ? [] : ['results.md', 'results.csv', 'results.json', 'study.html']) {
    copyFileSync(join(folder, name), join(root, 'docs', name))
  }
  for (const table of tables) writeFileAtomic(join(root, table.file), await pageWith(table))
}
